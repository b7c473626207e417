/** The worker of one stage at its end: waits, aborts, gives back, and may begin anew. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClaimedLane, Lanes } from "../../../plugin/ports.ts";
import { holdTime, LEASE_MS, lane, setUp, waiting } from "./held-lanes.ts";

beforeEach(holdTime);
afterEach(() => void vi.useRealTimers());

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
    const { worker, of, settle } = setUp(handle, { lanes: { claim } as unknown as Lanes });
    worker.start();
    await settle();

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

  it("does not wait for a database that is silent when lanes are given back", async () => {
    const release = () => new Promise<void>(() => {});
    const { handle } = waiting();
    const { worker, ready, settle } = setUp(handle, { lanes: { release } as unknown as Lanes });
    ready.push(lane("a"));
    worker.start();
    await settle();
    let stopped = false;

    void worker.stop(8_000).then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(9_999);

    expect(stopped).toBe(true);
  });

  it("that is followed by a start before it is over begins anew when it is", async () => {
    const { handle, handled, signals, end } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();

    const stopped = worker.stop(1_000);
    worker.start();
    ready.push(lane("b"));
    await settle();
    expect(handled).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;
    await settle();

    expect(handled).toEqual(["a", "b"]);
    expect(of("release")).toEqual([["a"]]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(of("renew").at(-1)).toContain("b");
    end("a");
    end("b");
  });

  it("keeps nothing of a handler that fails only after it: the next life puts its own lanes back", async () => {
    const { handle, fail } = waiting();
    const { worker, ready, of, settle } = setUp(handle);
    ready.push(lane("a"));
    worker.start();
    await settle();
    const stopped = worker.stop(100);
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    fail("a", new Error("database away"));
    await settle();

    worker.start();
    ready.push(lane("b"));
    worker.kick();
    await settle();
    fail("b", new Error("database away for a moment"));
    await settle();
    await vi.advanceTimersByTimeAsync(2_000);

    expect(of("release")).toEqual([["a"], ["b"]]);
    await worker.stop(0);
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
