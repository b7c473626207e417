/** The worker of one stage: claims, keeps leases, gives back, stops; with lanes that a test holds in its hand. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createLaneWorker,
  type LaneHandler,
  type LaneWorkerOptions,
  nameOf,
} from "../../../plugin/pipeline/lane-worker.ts";
import type { ClaimedLane, Lanes } from "../../../plugin/ports.ts";

const LEASE_MS = 900;
const POLL_MS = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lane = (laneKey: string): ClaimedLane => ({ laneKey, token: `token of ${laneKey}`, attempts: 0 });

/** Lanes that are ready are in `ready`; everything asked of the port is in `calls`. */
function setUp(handle: LaneHandler, options: Partial<LaneWorkerOptions> = {}) {
  const ready: ClaimedLane[] = [];
  const calls: { what: string; lanes: string[] }[] = [];
  const note = (what: string, lanes: readonly ClaimedLane[]) => {
    calls.push({ what, lanes: lanes.map(({ laneKey }) => laneKey) });
  };
  const lanes: Lanes = {
    async claim(_stage, limit) {
      const claimed = ready.splice(0, limit);
      note(`claim ${limit}`, claimed);
      return claimed;
    },
    async renew(some) {
      note("renew", some);
      return some;
    },
    async release(some) {
      note("release", some);
    },
    async postpone(one) {
      note("postpone", [one]);
    },
    ...options.lanes,
  };
  const logged: string[] = [];
  const log = (_fields: object, message: string) => void logged.push(message);
  const worker = createLaneWorker({
    stage: "turn",
    batch: 3,
    maxActive: 5,
    leaseMs: LEASE_MS,
    pollMs: POLL_MS,
    random: () => 1,
    log: { debug: log, info: log, warn: log, error: log },
    handle,
    ...options,
    lanes,
  });
  const of = (what: string) => calls.filter((call) => call.what.startsWith(what)).map((call) => call.lanes);
  return { worker, ready, calls, of, logged, settle: () => vi.advanceTimersByTimeAsync(0) };
}

/** A handler that ends when the test says so. */
function waiting() {
  const handled: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  const signals: AbortSignal[] = [];
  const handle: LaneHandler = async (lanes, { finished, signal }) => {
    signals.push(signal);
    await Promise.all(
      lanes.map(async (one) => {
        handled.push(one.laneKey);
        try {
          await new Promise<void>((resolve, reject) => ends.set(one.laneKey, { resolve, reject }));
          finished(one);
        } catch (error) {
          finished(one, error);
        }
      }),
    );
  };
  return {
    handle,
    handled,
    signals,
    end: (key: string) => ends.get(key)?.resolve(),
    fail: (key: string, error: unknown) => ends.get(key)?.reject(error),
  };
}

const nothing: LaneHandler = async () => undefined;

describe("before start", () => {
  it("there is no timer, and a kick does nothing", async () => {
    const { worker, calls } = setUp(nothing);

    worker.kick();
    worker.kick(10);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(calls).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("looking for work", () => {
  it("happens at start, at every poll with jitter, and at a kick", async () => {
    const { worker, of, settle } = setUp(nothing);
    worker.start();
    await settle();
    expect(of("claim")).toHaveLength(1);

    await vi.advanceTimersByTimeAsync(POLL_MS - 1);
    expect(of("claim")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(of("claim")).toHaveLength(2);
    worker.kick();
    await settle();
    expect(of("claim")).toHaveLength(3);
    worker.kick(300);
    await vi.advanceTimersByTimeAsync(299);
    expect(of("claim")).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(of("claim")).toHaveLength(4);
    await worker.stop(0);
  });

  it("goes on at once while claims come back full", async () => {
    const { worker, ready, of, settle } = setUp(nothing);
    ready.push(...["a", "b", "c", "d"].map(lane));

    worker.start();
    await settle();

    expect(of("claim").slice(0, 2)).toEqual([["a", "b", "c"], ["d"]]);
    await worker.stop(0);
  });

  it("does not miss a kick that comes while a claim is under way", async () => {
    let answer: (lanes: readonly ClaimedLane[]) => void = () => undefined;
    let claims = 0;
    const claim = () => {
      claims++;
      return new Promise<readonly ClaimedLane[]>((resolve) => {
        answer = resolve;
      });
    };
    const { worker, settle } = setUp(nothing, { lanes: { claim } as unknown as Lanes });
    worker.start();

    worker.kick();
    worker.kick();
    expect(claims).toBe(1);
    answer([]);
    await settle();

    expect(claims).toBe(2);
    answer([]);
    await worker.stop(0);
  });

  it("goes on after a claim that failed", async () => {
    let claims = 0;
    const claim = async () => {
      claims++;
      throw new Error("database away");
    };
    const { worker, logged } = setUp(nothing, { lanes: { claim } as unknown as Lanes });

    worker.start();
    await vi.advanceTimersByTimeAsync(3 * POLL_MS);

    expect(claims).toBe(4);
    expect(logged).toContain("could not claim lanes; trying again");
    await worker.stop(0);
  });
});

describe("lanes under way", () => {
  it("are never more than allowed, and a finished one makes room at once, however slow its neighbours are", async () => {
    const { handle, handled, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(...["a", "b", "c", "d", "e", "f", "g"].map(lane));

    worker.start();
    await settle();
    expect(handled).toEqual(["a", "b", "c", "d", "e"]);
    expect(of("claim 2")).toHaveLength(1);

    end("b");
    await settle();
    expect(handled).toEqual(["a", "b", "c", "d", "e", "f"]);
    for (const key of [..."acdef"]) end(key);
    await settle();
    end("g");
    await worker.stop(100);
  });

  it("are renewed three times per lease, all that are not finished", async () => {
    const { handle, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"), lane("b"));
    worker.start();
    await settle();

    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(of("renew")).toEqual([["a", "b"]]);
    end("a");
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(of("renew")).toEqual([["a", "b"], ["b"]]);
    end("b");
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(of("renew")).toHaveLength(2);
    await worker.stop(0);
  });

  it("that could not be put back are released once the database takes it, and their neighbours work on", async () => {
    let isAway = true;
    const released: string[][] = [];
    const release = async (some: readonly ClaimedLane[]) => {
      if (isAway) throw new Error("database away");
      released.push(some.map(({ laneKey }) => laneKey));
    };
    const { handle, fail, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle, { lanes: { release } as unknown as Lanes });
    ready.push(lane("a"), lane("b"));
    worker.start();
    await settle();

    fail("a", new Error("could not postpone"));
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(of("renew").at(-1)).toEqual(["b"]);
    await vi.advanceTimersByTimeAsync(5 * POLL_MS);
    expect(released).toEqual([]);
    isAway = false;
    await vi.advanceTimersByTimeAsync(POLL_MS);

    expect(released).toEqual([["a"]]);
    end("b");
    await worker.stop(100);
    expect(released).toEqual([["a"]]);
  });

  it("of a handler that throws are released, and nothing reaches the host", async () => {
    const { worker, ready, of, settle } = setUp(async () => {
      throw new Error("a bug of ours");
    });
    ready.push(lane("a"), lane("b"));

    worker.start();
    await settle();
    await vi.advanceTimersByTimeAsync(POLL_MS);

    expect(of("release")).toEqual([["a", "b"]]);
    await worker.stop(0);
  });
});

describe("stop", () => {
  it("claims nothing more and waits for what is under way", async () => {
    const { handle, end, signals } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();
    ready.push(lane("b"));

    const stopped = worker.stop(5_000);
    worker.kick();
    await vi.advanceTimersByTimeAsync(4_000);
    end("a");
    await stopped;

    expect(of("claim").flat()).toEqual(["a"]);
    expect(of("release")).toEqual([]);
    expect(signals[0]?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps the leases alive while it waits", async () => {
    const { handle, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();

    const stopped = worker.stop(5 * LEASE_MS);
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(of("renew").length).toBeGreaterThanOrEqual(5);
    end("a");
    await stopped;
  });

  it("aborts and gives back what takes longer than allowed", async () => {
    const { handle, end, signals } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"), lane("b"));
    worker.start();
    await settle();
    end("b");
    await settle();

    const stopped = worker.stop(1_000);
    expect(signals[0]?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;

    expect(signals[0]?.aborted).toBe(true);
    expect(of("release")).toEqual([["a"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives back untouched what a claim brings that was under way", async () => {
    let answer: (lanes: readonly ClaimedLane[]) => void = () => undefined;
    const claim = () =>
      new Promise<readonly ClaimedLane[]>((resolve) => {
        answer = resolve;
      });
    const { handle, handled } = waiting();
    const { worker, of } = setUp(handle, { lanes: { claim } as unknown as Lanes });
    worker.start();

    const stopped = worker.stop(1_000);
    answer([lane("a")]);
    await stopped;

    expect(handled).toEqual([]);
    expect(of("release")).toEqual([["a"]]);
  });

  it("gives back what could not be put back before", async () => {
    const { handle, fail } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();
    fail("a", new Error("could not postpone"));
    await settle();

    await worker.stop(0);

    expect(of("release")).toEqual([["a"]]);
  });

  it("may be called again: the second call waits with the first and does nothing more", async () => {
    const { handle, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();

    const both = Promise.all([worker.stop(1_000), worker.stop(1_000)]);
    await vi.advanceTimersByTimeAsync(1_000);
    await both;
    await worker.stop(1_000);
    end("a");

    expect(of("release")).toEqual([["a"]]);
  });

  it("resolves although the lanes cannot be given back", async () => {
    const release = async () => {
      throw new Error("database away");
    };
    const { handle } = waiting();
    const { worker, ready, settle, logged } = setUp(handle, { lanes: { release } as unknown as Lanes });
    ready.push(lane("a"));
    worker.start();
    await settle();

    const stopped = worker.stop(10);
    await vi.advanceTimersByTimeAsync(10);
    await stopped;

    expect(logged).toContain("could not give lanes back; they come back when their lease ends");
  });

  it("can be followed by a new start, whose handlers are not aborted", async () => {
    const { handle, handled, signals, end } = waiting();
    const { worker, ready, settle } = setUp(handle);
    worker.start();
    await worker.stop(0);
    ready.push(lane("a"));

    worker.start();
    await settle();

    expect(handled).toEqual(["a"]);
    expect(signals[0]?.aborted).toBe(false);
    end("a");
    await worker.stop(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the name of an error in logs", () => {
  it("is its class and code, and never its message", () => {
    expect(nameOf(Object.assign(new TypeError("quotes 447700900123"), { code: "E1" }))).toBe("TypeError E1");
    expect(nameOf(new RangeError("secret"))).toBe("RangeError");
    expect(nameOf("secret")).toBe("string");
    expect(nameOf(undefined)).toBe("undefined");
  });
});
