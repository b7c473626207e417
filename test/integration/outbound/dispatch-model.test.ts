/** S2: the dispatcher against a model of outbox and Meta, through any sequence of answers, crashes, statuses and time. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { PartState } from "../../../plugin/contract.ts";
import { createDispatchOutbox } from "../../../plugin/pipeline/dispatch-outbox.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { isPending } from "../../../plugin/pipeline/part-state.ts";
import type { ClaimedLane, OutgoingPart, PostOutcome, Rejection, Settlement } from "../../../plugin/ports.ts";

const RECONCILE_MS = 1_000;
const SCHEDULE = { maxAttempts: 4, baseMs: 100, maxMs: 2_000 };

type Answer = "ok" | "lost-after" | "lost-before" | "busy" | "refused" | "reauth" | "crash-after" | "crash-before";
type Step =
  | { readonly post: Answer }
  | { readonly wait: number }
  | { readonly status: number }
  | "inbound"
  | "reconnect"
  | "later";

const ANSWERS: readonly Answer[] = [
  "ok",
  "lost-after",
  "lost-before",
  "busy",
  "refused",
  "reauth",
  "crash-after",
  "crash-before",
];
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ANSWERS).map((post): Step => ({ post })) },
    { weight: 4, arbitrary: fc.constantFrom(50, 400, 1_100, 12_000, 700_000).map((wait): Step => ({ wait })) },
    { weight: 2, arbitrary: fc.nat(9).map((status): Step => ({ status })) },
    { weight: 2, arbitrary: fc.constantFrom<Step>("inbound", "reconnect") },
    // What a resend needs: somebody was heard, and the time is over.
    { weight: 5, arbitrary: fc.constant<Step>("later") },
  ),
  { maxLength: 60, size: "max" },
);

type Attempt = {
  readonly token: string;
  readonly startedAt: number;
  state: "intent" | "accepted" | "rejected" | "ambiguous";
  taken: boolean;
};
type Part = { readonly id: string; state: PartState; readonly attempts: Attempt[] };

/** Three parts of one conversation, Meta, and a clock. */
function createWorld() {
  const parts: Part[] = ["1", "2", "3"].map((id) => ({ id, state: "queued", attempts: [] }));
  const world = {
    now: 0,
    readyAt: 0,
    heardAt: -1,
    isConnected: true,
    answer: "ok" as Answer,
    isCrashed: false,
    violation: undefined as unknown,
  };
  const head = () => parts.find(({ state }) => isPending(state));
  const open = ({ attempts }: Part) => attempts.filter(({ state }) => state === "intent" || state === "ambiguous");

  /** What must hold at every request. */
  function check(part: Part): void {
    const before = part.attempts.slice(0, -1);
    const unclear = before.filter(({ state }) => state === "intent" || state === "ambiguous");
    const last = Math.max(...unclear.map(({ startedAt }) => startedAt));
    expect(before.some(({ state }) => state === "accepted")).toBe(false);
    expect(unclear.length).toBeLessThanOrEqual(1);
    if (unclear.length > 0) {
      expect(world.now - last).toBeGreaterThanOrEqual(RECONCILE_MS);
      expect(world.heardAt).toBeGreaterThan(last);
    }
    expect(world.isConnected).toBe(true);
    expect(part.attempts.at(-1)!.state).toBe("intent");
  }

  function onPost(part: Part): PostOutcome {
    try {
      check(part);
    } catch (violation) {
      // The dispatcher survives whatever a request throws, this included.
      world.violation ??= violation;
    }
    const attempt = part.attempts.at(-1)!;
    attempt.taken = ["ok", "lost-after", "crash-after"].includes(world.answer);
    switch (world.answer) {
      case "ok":
        return { kind: "accepted", messageId: `wamid.${attempt.token}` };
      case "lost-after":
      case "lost-before":
        return { kind: "ambiguous", reason: "reset" };
      case "crash-after":
      case "crash-before":
        world.isCrashed = true;
        throw new Error("the process ended");
      default:
        return { kind: "rejected", rejection: rejectionOf(world.answer) };
    }
  }

  return { parts, world, head, open, onPost };
}

function rejectionOf(answer: Answer): Rejection {
  const retry = answer === "busy" ? "backoff" : answer === "reauth" ? "reauth" : "never";
  const meta = { code: 1, subcode: null, title: null, details: null, fbtraceId: null };
  return { meta, retry, retryAfterMs: null, perRecipient: false, message: "no" };
}

function createDispatcher({ parts, world, head, open, onPost }: ReturnType<typeof createWorld>) {
  let tokens = 0;
  const partOf = ({ outboxId }: OutgoingPart) => parts.find(({ id }) => id === outboxId)!;
  const read = (lane: ClaimedLane): OutgoingPart | null => {
    const part = head();
    if (part === undefined) return null;
    const last = Math.max(...open(part).map(({ startedAt }) => startedAt));
    return {
      lane,
      outboxId: part.id,
      sendId: "00000000-0000-4000-8000-000000000051",
      conversationId: "00000000-0000-4000-8000-000000000052",
      index: 0,
      kind: "text",
      state: part.state,
      payload: {},
      endpoint: "messages",
      needsWindow: true,
      isUnwanted: false,
      fallback: null,
      recipient: { phoneNumber: "447700900123", userId: null },
      connection: {
        connectionId: "c",
        customerConfigId: "t",
        phoneNumberId: "301777000333444",
        wabaId: "201555000111222",
        state: world.isConnected ? "connected" : "reauth_required",
        accessTokenEnc: "sealed",
        throughput: "standard",
        pause: { strikes: 0, leftMs: 0 },
      },
      windowOpen: true,
      onWindowClosed: "fail",
      onAmbiguous: "resend",
      ambiguous: {
        count: open(part).length,
        ageMs: open(part).length === 0 ? 0 : world.now - last,
        webhooksAlive: open(part).length > 0 && world.heardAt > last,
      },
      rejections: part.attempts.filter(({ state }) => state === "rejected").length,
      excused: 0,
    };
  };
  const settleOne = ({ part: outgoing, token, attempt, next }: Settlement): boolean => {
    const part = partOf(outgoing);
    const made = part.attempts.find((one) => one.token === token);
    if (made && attempt && made.state !== "accepted") made.state = attempt;
    if (isPending(part.state) && next.kind !== "replace") part.state = next.state;
    if (next.kind === "done" && next.state !== "accepted")
      for (const later of parts.slice(parts.indexOf(part) + 1)) if (isPending(later.state)) later.state = "failed";
    world.readyAt = next.kind === "retry" ? world.now + next.delayMs : world.now;
    return true;
  };
  return createDispatchOutbox({
    lanes: {
      postpone: async (_lane: ClaimedLane, delayMs: number) => {
        if (!world.isCrashed) world.readyAt = world.now + delayMs;
      },
      release: async () => undefined,
    } as never,
    outbox: {
      head: async (lanes: readonly ClaimedLane[]) => lanes.map(read),
      begin: async (some: readonly { part: OutgoingPart; token: string }[]) =>
        some.map(({ part, token }) => {
          partOf(part).attempts.push({ token, startedAt: world.now, state: "intent", taken: false });
          partOf(part).state = "sending";
          return true;
        }),
      settle: async (settlements: readonly Settlement[]) => settlements.map(settleOne),
    } as never,
    connections: {
      pause: async () => false,
      requireReauth: async () => {
        world.isConnected = false;
        return null;
      },
    } as never,
    graphApi: { postMessage: async () => onPost(head()!) } as never,
    secretBox: { open: () => "token" } as never,
    verifyToken: async () => "dead",
    log: { debug() {}, info() {}, warn() {}, error() {} },
    policy: { reconcileMs: RECONCILE_MS, retry: SCHEDULE, pair: META_LIMITS.pair, random: () => 0.5 },
    newToken: () => `token-${++tokens}`,
    onSettled: () => undefined,
    throughput: { admit: async () => new Map(), onOutcome: async () => undefined },
    onPaced: () => undefined,
    prepareMedia: () => Promise.reject(new Error("nobody sends media here")),
    outboundMedia: {} as never,
  });
}

async function play(sequence: readonly Step[]) {
  const model = createWorld();
  const { parts, world } = model;
  const dispatch = createDispatcher(model);
  const lane: ClaimedLane = { laneKey: "out", tenant: "", token: "lease", attempts: 0, crashes: 0, pacedMs: 0 };
  for (const step of sequence) {
    if (step === "inbound") world.heardAt = world.now += 1;
    else if (step === "later") {
      world.heardAt = world.now += 1;
      world.now += RECONCILE_MS * 1.1;
    } else if (step === "reconnect") {
      world.isConnected = true;
      world.readyAt = Math.min(world.readyAt, world.now);
    } else if ("wait" in step) world.now += step.wait;
    else if ("status" in step) {
      const taken = parts.flatMap((part) => part.attempts.filter((one) => one.taken).map((one) => ({ part, one })));
      const found = taken[step.status % Math.max(1, taken.length)];
      if (found) {
        if (isPending(found.part.state)) world.readyAt = world.now;
        found.one.state = "accepted";
        found.part.state = "sent";
        world.heardAt = world.now;
      }
    } else if (world.now >= world.readyAt) {
      world.answer = step.post;
      world.isCrashed = false;
      const was = parts.map(({ state }) => state);
      await dispatch([lane], { signal: new AbortController().signal, finished: () => undefined });
      // A crash leaves the lane to its lease.
      if (world.isCrashed) world.readyAt = world.now + 300;
      for (const [i, part] of parts.entries()) if (!isPending(was[i]!)) expect(part.state).toBe(was[i]);
    }
  }
  if (world.violation !== undefined) throw world.violation;
  return model;
}

it("never has two live attempts, repeats a lost one at most once, and never what was settled or accepted", async () => {
  const seen = { attempts: 0, repeated: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { parts, open } = await play(sequence);
      seen.attempts += parts.flatMap(({ attempts }) => attempts).length;
      seen.repeated += parts.filter((part) => open(part).length > 1).length;

      for (const part of parts) {
        expect(open(part).length).toBeLessThanOrEqual(2);
        const taken = part.attempts.filter((one) => one.taken);
        // A second acceptance needs a first one of which nobody heard within its time.
        expect(taken.length).toBeLessThanOrEqual(2);
        expect(taken.map(({ state }) => state)).not.toContain("rejected");
        if (part.state === "accepted") expect(part.attempts.at(-1)!.state).toBe("accepted");
      }
      // In order: nothing was tried of a part while one before it was still waiting.
      for (const [i, part] of parts.entries())
        if (part.attempts.length > 0) expect(parts.slice(0, i).every(({ state }) => !isPending(state))).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(seen.attempts).toBeGreaterThan(300);
  expect(seen.repeated).toBeGreaterThan(10);
});
