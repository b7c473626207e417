/** What Meta has refused is written down, whatever else goes wrong beside it. */
import { expect, it } from "vitest";
import { createDispatchOutbox, type DispatchDeps } from "../../../plugin/pipeline/dispatch-outbox.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import type { OutgoingPart, Rejection, Settlement } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

const LOCKED = new Error("canceling statement due to lock timeout");
const locked = () => Promise.reject(LOCKED);

const part = (of: object) =>
  ({
    lane: lane("out"),
    outboxId: "1",
    state: "queued",
    endpoint: "messages",
    connection: { connectionId: "c", state: "connected", accessTokenEnc: "sealed", pause: { strikes: 0, leftMs: 0 } },
    recipient: { phoneNumber: "447700900123", userId: null },
    ambiguous: { count: 0, ageMs: 0, webhooksAlive: true },
    rejections: 0,
    excused: 0,
    fallback: null,
    windowOpen: true,
    ...of,
  }) as unknown as OutgoingPart;

/** Everything but the outbox is locked; @returns what was settled, and what was said. */
async function refuse(one: OutgoingPart, rejection: Pick<Rejection, "retry"> & { code: number }, known: string[] = []) {
  const settled: Settlement[] = [];
  const said: unknown[] = [];
  const log = (fields: object, message: string) => void said.push({ ...fields, message });
  const dispatch = createDispatchOutbox({
    lanes: { postpone: async () => void said.push("postponed"), release: async () => undefined },
    outbox: {
      head: async () => [one],
      begin: async (parts: readonly unknown[]) => parts.map(() => true),
      rewrite: locked,
      settle: async (some: readonly Settlement[]) => {
        settled.push(...some);
        return some.map(() => true);
      },
    },
    connections: { requireReauth: locked },
    outboundMedia: { forgetUploads: locked },
    prepareMedia: async ({ payload }: OutgoingPart) => ({ kind: "ready", changes: [], payload, known, wasSlow: false }),
    graphApi: {
      postMessage: async () => ({
        kind: "rejected",
        rejection: {
          meta: { code: rejection.code, subcode: null, title: null, details: null, fbtraceId: null },
          retry: rejection.retry,
          retryAfterMs: null,
          perRecipient: false,
          message: "no",
        },
      }),
    },
    secretBox: { open: () => "token" },
    verifyToken: async () => "dead",
    throughput: { admit: async () => new Map(), onOutcome: async () => undefined },
    policy: {
      reconcileMs: 100,
      retry: { maxAttempts: 3, baseMs: 10, maxMs: 10 },
      pair: META_LIMITS.pair,
      random: () => 0,
    },
    log: { debug: log, info: log, warn: log, error: log },
    newToken: () => "attempt",
    onSettled: () => undefined,
    onPaced: () => undefined,
  } as unknown as DispatchDeps);
  await dispatch([one.lane], { signal: new AbortController().signal, finished: () => undefined });
  return { settled, said: JSON.stringify(said) };
}

it("a dead token that cannot be marked as dead just now is a refusal all the same", async () => {
  const { settled, said } = await refuse(part({ kind: "text", payload: { text: { body: "hi" } } }), {
    code: 190,
    retry: "reauth",
  });

  expect(settled).toMatchObject([{ attempt: "rejected", token: "attempt", next: { kind: "retry", state: "queued" } }]);
  expect(said).not.toContain("postponed");
  expect(said).not.toContain(LOCKED.message);
});

it.each([
  ["an upload that cannot be forgotten", { id: "00000000-0000-4000-8000-000000000061" }, ["1"]],
  ["a picture that cannot be made a link", { link: "https://example.com/a.jpg" }, []],
])("%s just now leaves the refusal as Meta said it", async (_what, image, known) => {
  const { settled, said } = await refuse(
    part({ kind: "image", payload: { type: "image", image } }),
    { code: 131053, retry: "never" },
    known,
  );

  expect(settled).toMatchObject([{ attempt: "rejected", token: "attempt", next: { kind: "done", state: "failed" } }]);
  expect(said).not.toContain(LOCKED.message);
});
