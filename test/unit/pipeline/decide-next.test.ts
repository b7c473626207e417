/** Whether a part may leave, and what Graph's answer means for it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DispatchPolicy, decideAfter, decideBefore } from "../../../plugin/pipeline/decide-next.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import type { OutgoingPart, PostOutcome, Rejection } from "../../../plugin/ports.ts";

const POLICY: DispatchPolicy = {
  reconcileMs: 1_000,
  pair: META_LIMITS.pair,
  retry: { maxAttempts: 8, baseMs: 1_000, maxMs: 300_000 },
  random: () => 0.5,
};
const never = { count: 0, ageMs: 0, webhooksAlive: false };

function part(over: Partial<OutgoingPart> = {}): OutgoingPart {
  return {
    lane: { laneKey: "out:contact:1", tenant: "", token: "t", attempts: 0, crashes: 0, pacedMs: 0 },
    kind: "text",
    outboxId: "1",
    sendId: "00000000-0000-4000-8000-000000000051",
    conversationId: "00000000-0000-4000-8000-000000000052",
    index: 0,
    state: "queued",
    payload: {},
    endpoint: "messages",
    needsWindow: true,
    isUnwanted: false,
    fallback: null,
    recipient: { phoneNumber: "447700900123", userId: null },
    connection: {
      connectionId: "c",
      customerConfigId: "t",
      phoneNumberId: "1",
      wabaId: "2",
      state: "connected",
      accessTokenEnc: "sealed",
      throughput: "standard",
      pause: { strikes: 0, leftMs: 0 },
    },
    windowOpen: true,
    onWindowClosed: "fail",
    onAmbiguous: "resend",
    ambiguous: never,
    rejections: 0,
    excused: 0,
    ...over,
  };
}

const connection = (over: Partial<OutgoingPart["connection"]>) => ({ ...part().connection, ...over });

function decided(over: Partial<OutgoingPart>) {
  const decision = decideBefore(part(over), POLICY);
  return decision.kind === "post" ? "post" : { ...decision.settlement.next, code: decision.settlement.error?.code };
}

describe("before the socket, a part", () => {
  it("leaves when nothing stands against it", () => {
    expect(decided({})).toBe("post");
  });

  it("waits while its last attempt may still be reported, whatever else is true", () => {
    for (const over of [{}, { windowOpen: false }, { connection: connection({ state: "disconnected" }) }])
      expect(decided({ ...over, ambiguous: { count: 1, ageMs: 400, webhooksAlive: true } })).toMatchObject({
        kind: "retry",
        state: "sending",
        delayMs: 610,
      });
  });

  it("is sent a second time only when webhooks prove that silence means something", () => {
    expect(decided({ ambiguous: { count: 1, ageMs: 1_000, webhooksAlive: true } })).toBe("post");
    expect(decided({ ambiguous: { count: 1, ageMs: 1_000, webhooksAlive: false } })).toMatchObject({
      kind: "retry",
      state: "sending",
    });
    expect(decided({ ambiguous: { count: 1, ageMs: 10_000, webhooksAlive: false } })).toMatchObject({
      kind: "done",
      state: "unknown",
    });
  });

  it("that is to be held is never sent a second time, and waits no longer than one that may be", () => {
    const held = (ageMs: number, webhooksAlive: boolean) =>
      decided({ onAmbiguous: "hold", ambiguous: { count: 1, ageMs, webhooksAlive } });

    expect(held(999, true)).toMatchObject({ kind: "retry", state: "sending" });
    expect(held(1_000, true)).toMatchObject({ kind: "done", state: "unknown", code: "GRAPH_AMBIGUOUS" });
    // Its statuses may be on their way to a host that was down.
    expect(held(9_999, false)).toMatchObject({ kind: "retry", state: "sending" });
    expect(held(10_000, false)).toMatchObject({ kind: "done", state: "unknown", code: "GRAPH_AMBIGUOUS" });
    expect(decided({ onAmbiguous: "hold" })).toBe("post");
  });

  it("is never sent a third time by itself", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.boolean(),
        (count, ageMs, webhooksAlive) => {
          expect(decided({ ambiguous: { count, ageMs, webhooksAlive } })).not.toBe("post");
        },
      ),
    );
  });

  it("fails where the number is disconnected, and waits where its token is dead", () => {
    expect(decided({ connection: connection({ state: "disconnected" }) })).toMatchObject({
      kind: "done",
      state: "failed",
      code: "CONNECTION_MISSING",
    });
    expect(decided({ connection: connection({ state: "reauth_required" }) })).toMatchObject({
      kind: "retry",
      state: "queued",
    });
    expect(decided({ connection: connection({ accessTokenEnc: null }) })).toMatchObject({
      kind: "retry",
      state: "queued",
    });
  });

  it("whose window has closed expires, or is held when it may wait", () => {
    expect(decided({ windowOpen: false })).toMatchObject({ kind: "done", state: "expired", code: "WINDOW_CLOSED" });
    expect(decided({ windowOpen: false, onWindowClosed: "hold" })).toMatchObject({ kind: "retry", state: "held" });
  });

  it("that may have left is never called failed or expired", () => {
    const ambiguous = { count: 1, ageMs: 2_000, webhooksAlive: true };

    expect(decided({ ambiguous, windowOpen: false })).toMatchObject({ kind: "done", state: "unknown" });
    expect(decided({ ambiguous, connection: connection({ state: "disconnected" }) })).toMatchObject({
      kind: "done",
      state: "unknown",
    });
  });
});

const META = { code: 131000, subcode: null, title: null, details: null, fbtraceId: null };

function rejected(over: Partial<Rejection>): PostOutcome {
  return {
    kind: "rejected",
    rejection: { meta: META, retry: "backoff", retryAfterMs: null, perRecipient: false, message: "no", ...over },
  };
}

const settled = (outcome: PostOutcome, over: Partial<OutgoingPart> = {}) =>
  decideAfter(part(over), "token", outcome, POLICY);

describe("after the socket", () => {
  it("an accepted part is done, with its wamid", () => {
    expect(settled({ kind: "accepted", messageId: "wamid.1" })).toMatchObject({
      attempt: "accepted",
      messageId: "wamid.1",
      token: "token",
      next: { kind: "done", state: "accepted" },
      error: null,
    });
  });

  it("an ambiguous one is not repeated: it waits for a status", () => {
    expect(settled({ kind: "ambiguous", reason: "socket broke" })).toMatchObject({
      attempt: "ambiguous",
      next: { kind: "retry", state: "sending", delayMs: POLICY.reconcileMs },
      error: { code: "GRAPH_AMBIGUOUS" },
    });
  });

  it.each(["never", "fix", "template"] as const)("a rejection with advice %s ends the part", (retry) => {
    expect(settled(rejected({ retry }))).toMatchObject({
      attempt: "rejected",
      next: { kind: "done", state: "failed" },
      error: { code: "GRAPH_REJECTED" },
    });
  });

  it.each(["never", "fix", "template", "backoff"] as const)(
    "a rejection with advice %s does not call a part failed that may have arrived before",
    (retry) => {
      const ambiguous = { count: 1, ageMs: 2_000, webhooksAlive: true };
      const meta = { code: 131026, subcode: null, title: null, details: null, fbtraceId: null } as never;

      expect(settled(rejected({ retry, meta }), { ambiguous, rejections: 7 })).toMatchObject({
        attempt: "rejected",
        next: { kind: "done", state: "unknown" },
        error: { code: "GRAPH_AMBIGUOUS", meta },
      });
    },
  );

  describe("Meta's word that the window is closed", () => {
    const closed = rejected({ retry: "template" });
    const fallback = { kind: "template" } as never;

    it("puts the template that was asked for in the place of the answer, after an attempt that was refused", () => {
      expect(settled(closed, { fallback })).toMatchObject({
        attempt: "rejected",
        token: "token",
        next: { kind: "replace", by: fallback },
        error: { code: "GRAPH_REJECTED" },
      });
    });

    it("holds what was to wait for the person", () => {
      expect(settled(closed, { onWindowClosed: "hold" })).toMatchObject({
        attempt: "rejected",
        next: { kind: "retry", state: "held" },
      });
    });

    it("ends what needs no window, and what may have arrived before", () => {
      const ambiguous = { count: 1, ageMs: 2_000, webhooksAlive: true };

      for (const wish of [{ fallback }, { onWindowClosed: "hold" }] as const) {
        expect(settled(closed, { ...wish, needsWindow: false }).next).toEqual({ kind: "done", state: "failed" });
        expect(settled(closed, { ...wish, ambiguous }).next).toEqual({ kind: "done", state: "unknown" });
      }
    });
  });

  it("a dead token keeps the part queued, for the reconnect to wake it", () => {
    expect(settled(rejected({ retry: "reauth" }), { rejections: 100 })).toMatchObject({
      attempt: "rejected",
      next: { kind: "retry", state: "queued" },
    });
  });

  it("a passing rejection backs off, and ends after the last attempt", () => {
    const delays = [0, 1, 2, 6].map((rejections) => settled(rejected({}), { rejections }).next);

    expect(delays.map((next) => next.kind === "retry" && next.delayMs)).toEqual([1_000, 2_000, 4_000, 64_000]);
    expect(settled(rejected({}), { rejections: 7 }).next).toEqual({ kind: "done", state: "failed" });
  });

  it("what fails for a whole number that is paused ends no message, however often it was the one to try", () => {
    const trouble = rejected({ number: "trouble" });
    const paused = connection({ pause: { strikes: 1, leftMs: 0 } });

    expect(settled(trouble, { rejections: 20, connection: paused }).next).toMatchObject({ kind: "retry" });
    expect(settled(trouble, { rejections: 20 }).next).toEqual({ kind: "done", state: "failed" });
    expect(settled(rejected({}), { rejections: 20, connection: paused }).next).toEqual({
      kind: "done",
      state: "failed",
    });
  });

  it.each<[string, Partial<Rejection>]>([
    ["the network has not let through", { meta: null }],
    ["a limit of the number, its account or the app has stopped", { throttles: "app", retry: "after" }],
    ["the token has not let through", { retry: "reauth" }],
    ["the number's block has stopped", { retry: "fix", number: "blocked" }],
  ])("what %s is not counted against the message, and ends it never", (_what, over) => {
    expect(settled(rejected(over), { rejections: 7, excused: 100 })).toMatchObject({
      isExcused: true,
      next: { kind: "retry", state: "queued" },
    });
  });

  it("one that tried for its number, time and again, has its own tries before it still", () => {
    const paused = connection({ pause: { strikes: 3, leftMs: 0 } });

    expect(settled(rejected({ number: "trouble" }), { connection: paused })).toMatchObject({ isExcused: true });
    expect(settled(rejected({}), { excused: 20 }).next).toEqual({ kind: "retry", state: "queued", delayMs: 1_000 });
    expect(settled(rejected({}), { excused: 20 })).not.toHaveProperty("isExcused");
  });

  it("what does not reach Meta is tried again after longer and longer", () => {
    const delays = [0, 1, 2, 20].map((excused) => settled(rejected({ meta: null }), { rejections: 3, excused }).next);

    expect(delays.map((next) => next.kind === "retry" && next.delayMs)).toEqual([1_000, 2_000, 4_000, 300_000]);
  });

  it("never comes back before Meta allows it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 3_600_000 }),
        fc.boolean(),
        (rejections, retryAfterMs, perRecipient) => {
          const { next } = settled(rejected({ retry: "after", retryAfterMs, perRecipient }), { rejections });
          expect(next.kind).toBe("retry");
          expect(next.kind === "retry" && next.delayMs).toBeGreaterThanOrEqual(retryAfterMs);
        },
      ),
    );
  });

  it("the pair limit waits at least six seconds, and four times longer each time", () => {
    const delays = [0, 1, 2, 3].map((rejections) => settled(rejected({ perRecipient: true }), { rejections }).next);

    expect(delays.map((next) => next.kind === "retry" && next.delayMs)).toEqual([6_000, 16_000, 64_000, 256_000]);
  });
});
