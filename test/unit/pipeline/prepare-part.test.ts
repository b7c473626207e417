/** What becomes of a message whose file does not get to Meta just now. */
import { describe, expect, it } from "vitest";
import { requireAnswer, UPLOAD_REFUSED } from "../../../adapters/graph-api/require-answer.ts";
import { ChannelError, NothingLeft } from "../../../plugin/errors.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { createPreparePart } from "../../../plugin/pipeline/prepare-part.ts";
import type { OutgoingPart } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

/** @returns what becomes of the message, and what of Meta's others are to know. */
async function prepare(error: ChannelError, { rejections = 0, excused = 0, strikes = 0 } = {}) {
  const preparePart = createPreparePart({
    prepareMedia: () => Promise.reject(error),
    policy: {
      reconcileMs: 1_000,
      retry: { maxAttempts: 13, baseMs: 1_000, maxMs: 300_000 },
      pair: META_LIMITS.pair,
      random: () => 0.5,
    },
  } as unknown as Parameters<typeof createPreparePart>[0]);
  const part = {
    lane: lane("out"),
    ambiguous: { count: 0, ageMs: 0, webhooksAlive: true },
    connection: { pause: { strikes, leftMs: 0 } },
    rejections,
    excused,
  } as unknown as OutgoingPart;
  const prepared = await preparePart(part, "token", new AbortController().signal);
  if (prepared.kind !== "settle") return prepared;
  const { next, isTry = false, isExcused = false } = prepared.settlement;
  return { next, isTry, isExcused, refused: prepared.refused };
}

/** What an upload throws that Meta has refused with this code. */
function refusedWith(code: number, subcode?: number): ChannelError {
  const text = JSON.stringify({ error: { message: "m", code, error_subcode: subcode } });
  try {
    requireAnswer({ kind: "answer", status: 400, text, retryAfter: null, usage: [] } as never, UPLOAD_REFUSED);
  } catch (error) {
    return error as ChannelError;
  }
  throw new Error("nothing was refused");
}

const again = (delayMs: number) => ({ kind: "retry", state: "queued", delayMs });
const FAILED = { kind: "done", state: "failed" };

const unreachable = (cause?: Error) => new ChannelError("GRAPH_UNREACHABLE", "no", { retry: "backoff", cause });

describe("a file that cannot be given to Meta", () => {
  it("is tried again thirteen times, and fails its message then", async () => {
    expect(await prepare(unreachable(), { rejections: 11 })).toMatchObject({
      next: again(300_000),
      isTry: true,
      isExcused: false,
    });
    expect(await prepare(unreachable(), { rejections: 12 })).toMatchObject({ next: FAILED });
  });

  it("is tried for as long as it takes where nothing gets out of this network", async () => {
    expect(await prepare(unreachable(new NothingLeft()), { excused: 1_000 })).toMatchObject({
      next: again(300_000),
      isTry: true,
      isExcused: true,
    });
  });

  it("is tried for as long as it takes where the host's own media store is away", async () => {
    const away = new ChannelError("MEDIA_STORE_UNAVAILABLE", "no", { retry: "backoff" });

    expect(await prepare(away, { excused: 12 })).toMatchObject({ next: again(300_000), isTry: true, isExcused: true });
  });

  it("is not given up by one word of Meta's after much that was none of its own", async () => {
    expect(await prepare(refusedWith(131016), { excused: 12 })).toMatchObject({ next: again(1_000), isExcused: false });
    expect(await prepare(refusedWith(131016), { rejections: 12 })).toMatchObject({ next: FAILED });
    expect(await prepare(refusedWith(131016), { rejections: 12, strikes: 1 })).toMatchObject({ isExcused: true });
  });

  it.each<[number, number?]>([[133010], [131031], [368], [100, 33], [104]])(
    "waits until its number sends again when Meta says %j, and others are told",
    async (code, subcode) => {
      expect(await prepare(refusedWith(code, subcode), { rejections: 12 })).toMatchObject({
        next: again(30_000),
        isTry: true,
        isExcused: true,
        refused: { kind: "rejected", rejection: { meta: { code } } },
      });
    },
  );

  it.each([[4], [17], [32], [613], [80007], [80008], [131208]])(
    "waits for a limit that is none of its own: %i",
    async (code) => {
      expect(await prepare(refusedWith(code), { rejections: 12 })).toMatchObject({
        next: again(60_000),
        isExcused: true,
        refused: { rejection: { retryAfterMs: 60_000 } },
      });
    },
  );

  it("fails its message when Meta does not like it", async () => {
    expect(await prepare(refusedWith(131053))).toMatchObject({ next: FAILED });
  });
});
