/** The worker of one stage at work: looks, claims, keeps leases, puts back. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nameOf } from "../../../plugin/errors.ts";
import { createCrashSuspects, SUSPECT_AGAIN_MS } from "../../../plugin/pipeline/crash-suspects.ts";
import type { ClaimedLane, Lanes } from "../../../plugin/ports.ts";
import { holdTime, LEASE_MS, lane, nothing, POLL_MS, setUp, waiting } from "./held-lanes.ts";

beforeEach(holdTime);
afterEach(() => void vi.useRealTimers());

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

  it("takes some of everybody after a full claim, and the oldest again after that", async () => {
    const { worker, ready, calls, settle } = setUp(nothing, { maxActive: 100 });
    ready.push(...["a", "b", "c", "d", "e", "f", "g"].map(lane));

    worker.start();
    await settle();

    expect(calls.slice(0, 3).map(({ what }) => what)).toEqual(["claim 3", "claim 3 in rounds", "claim 3"]);
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

    await settle();

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

  it("that end together are followed by one claim for all their places", async () => {
    const { handle, end } = waiting();
    const { worker, ready, calls, settle } = setUp(handle, { batch: 3, maxActive: 3 });
    ready.push(...["a", "b", "c", "d", "e", "f"].map(lane));
    worker.start();
    await settle();

    for (const key of [..."abc"]) end(key);
    await settle();

    expect(calls.map(({ what }) => what)).toEqual(["claim 3", "claim 3"]);
    for (const key of [..."def"]) end(key);
    await worker.stop(100);
  });

  it("that fill nearly all places are followed by the next ones a little later, with those that end meanwhile", async () => {
    const { handle, handled, end } = waiting();
    const { worker, ready, settle } = setUp(handle, { batch: 40, maxActive: 8 });
    ready.push(...["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(lane));
    worker.start();
    await settle();
    const first = handled.length;

    end("a");
    await settle();
    end("b");
    await settle();
    expect(handled).toHaveLength(first);
    await vi.advanceTimersByTimeAsync(5);
    expect(handled.length).toBeGreaterThan(first);

    for (let turn = 0; turn < 3; turn++) {
      for (const key of handled) end(key);
      await vi.advanceTimersByTimeAsync(5);
    }
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

  it("whose renewal is late are not claimed by the process that works them", async () => {
    let isAnswered = true;
    const renew = (some: readonly ClaimedLane[]) =>
      isAnswered ? Promise.resolve(some) : new Promise<readonly ClaimedLane[]>(() => {});
    const { handle, end } = waiting();
    const { worker, ready, calls, settle } = setUp(handle, { maxActive: 100, lanes: { renew } as unknown as Lanes });
    ready.push(lane("a"), lane("b"));
    worker.start();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    isAnswered = false;

    await vi.advanceTimersByTimeAsync(LEASE_MS / 2 - 1);
    worker.kick();
    await settle();
    expect(calls.at(-1)?.what).toBe("claim 3");

    await vi.advanceTimersByTimeAsync(1);
    end("a");
    await settle();
    expect(calls.at(-1)?.what).toBe("claim 3, but no token of b");

    isAnswered = true;
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    worker.kick();
    await settle();
    expect(calls.at(-1)?.what).toBe("claim 3");
    end("b");
    await worker.stop(100);
  });

  it("that could not be put back are released once the database takes it, and their neighbours work on", async () => {
    let isAway = true;
    const released: string[][] = [];
    const release = async (some: readonly ClaimedLane[]) => {
      if (isAway) throw new Error("database away");
      released.push(some.map(({ laneKey }) => laneKey));
    };
    const { handle, fail, end } = waiting();
    const { worker, ready, calls, of, settle } = setUp(handle, { lanes: { release } as unknown as Lanes });
    ready.push(lane("a"), lane("b"));
    worker.start();
    await settle();

    fail("a", new Error("could not postpone"));
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(of("renew").at(-1)).toEqual(["b"]);
    await vi.advanceTimersByTimeAsync(5 * POLL_MS);
    expect(released).toEqual([]);
    expect(calls.filter(({ what }) => what.endsWith(", but no token of a"))).not.toEqual([]);
    isAway = false;
    await vi.advanceTimersByTimeAsync(POLL_MS);

    expect(released).toEqual([["a"]]);
    end("b");
    await worker.stop(100);
    expect(released).toEqual([["a"]]);
  });

  it("are not those that processes have ended with time and again, but one: the others are given back for a moment", async () => {
    const { handle, handled, end } = waiting();
    const suspects = createCrashSuspects({ maxAttempts: 4, baseMs: 10, maxMs: 10 }, () => performance.now());
    const { worker, ready, of, settle } = setUp(handle, { suspects });
    const suspected = { ...lane("suspected"), crashes: 2 };
    ready.push(suspected, { ...lane("beside"), crashes: 2 }, lane("new"));
    worker.start();
    await settle();
    expect(handled).toEqual(["suspected", "new"]);
    expect(of("release")).toEqual([["beside"]]);

    end("suspected");
    await settle();
    ready.push({ ...lane("beside"), crashes: 2 });
    await vi.advanceTimersByTimeAsync(SUSPECT_AGAIN_MS);
    expect(handled).toEqual(["suspected", "new", "beside"]);
    for (const key of ["new", "beside"]) end(key);
    await worker.stop(100);
  });

  it("that wait for a suspect are given back before it is worked, and go back with it when the worker stops meanwhile", async () => {
    const { handle, handled, end } = waiting();
    const suspects = createCrashSuspects({ maxAttempts: 4, baseMs: 10, maxMs: 10 }, () => performance.now());
    const givenBack: (() => void)[] = [];
    const released: string[] = [];
    const release = (some: readonly ClaimedLane[]) => {
      released.push(...some.map(({ laneKey }) => laneKey));
      return new Promise<void>((resolve) => givenBack.push(resolve));
    };
    const { worker, ready, settle } = setUp(handle, { suspects, lanes: { release } as unknown as Lanes });
    const two = () => ["suspected", "beside"].map((key) => ({ ...lane(key), crashes: 2 }));
    ready.push(...two());
    worker.start();
    await settle();
    expect([released, handled]).toEqual([["beside"], []]);
    givenBack.shift()?.();
    await settle();
    expect(handled).toEqual(["suspected"]);
    end("suspected");
    await settle();

    ready.push(...two());
    worker.kick();
    await settle();
    const stopped = worker.stop(100);
    for (let n = 0; n < 3; n++) {
      givenBack.shift()?.();
      await settle();
    }
    await vi.advanceTimersByTimeAsync(100);
    await stopped;

    expect(handled).toEqual(["suspected"]);
    expect(released).toEqual(["beside", "beside", "suspected"]);
    expect(suspects.admit(two()).now.map(({ laneKey }) => laneKey)).toEqual(["suspected"]);
  });

  it("that are suspected are written down as begun before they are worked, and those that wait are not", async () => {
    const { handle, handled, end } = waiting();
    const suspects = createCrashSuspects({ maxAttempts: 4, baseMs: 10, maxMs: 10 }, () => performance.now());
    const begun: string[] = [];
    const answers: ((isOurs: boolean) => void)[] = [];
    const begin = (one: ClaimedLane) => {
      begun.push(one.laneKey);
      return new Promise<boolean>((resolve) => answers.push(resolve));
    };
    const { worker, ready, settle } = setUp(handle, { suspects, lanes: { begin } as unknown as Lanes });
    ready.push({ ...lane("suspected"), crashes: 2 }, { ...lane("beside"), crashes: 2 });
    worker.start();
    await settle();
    expect([begun, handled]).toEqual([["suspected"], []]);
    answers.shift()?.(true);
    await settle();
    expect(handled).toEqual(["suspected"]);
    end("suspected");
    await settle();

    ready.push({ ...lane("somebody else's by now"), crashes: 2 });
    worker.kick();
    await settle();
    answers.shift()?.(false);
    await settle();
    ready.push({ ...lane("beside"), crashes: 2 });
    worker.kick();
    await settle();
    answers.shift()?.(true);
    await settle();
    expect(handled).toEqual(["suspected", "beside"]);
    end("beside");
    await worker.stop(100);
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

describe("the name of an error in logs", () => {
  it("is its class and code, and never its message", () => {
    expect(nameOf(Object.assign(new TypeError("quotes 447700900123"), { code: "E1" }))).toBe("TypeError E1");
    expect(nameOf(new RangeError("secret"))).toBe("RangeError");
    expect(nameOf("secret")).toBe("string");
    expect(nameOf(undefined)).toBe("undefined");
  });
});
