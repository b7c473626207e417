/** What becomes of a message whose file does not get to Meta just now. */
import { describe, expect, it } from "vitest";
import { ChannelError, NothingLeft } from "../../../plugin/errors.ts";
import { createPreparePart } from "../../../plugin/pipeline/prepare-part.ts";
import type { OutgoingPart } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

/** @returns what became of it, and for how long its lane was put off. */
async function prepare(error: ChannelError, attempts: number) {
  const waits: number[] = [];
  const preparePart = createPreparePart({
    prepareMedia: () => Promise.reject(error),
    lanes: { postpone: async (_lane: unknown, delayMs: number) => void waits.push(delayMs) },
    retry: { maxAttempts: 13, baseMs: 1_000, maxMs: 300_000 },
    random: () => 0.5,
  } as unknown as Parameters<typeof createPreparePart>[0]);
  const part = {
    lane: { ...lane("out"), attempts },
    ambiguous: { count: 0, ageMs: 0, webhooksAlive: true },
    connection: {},
  } as unknown as OutgoingPart;
  const prepared = await preparePart(part, "token", new AbortController().signal);
  return { prepared, waits };
}

const unreachable = (cause?: Error) => new ChannelError("GRAPH_UNREACHABLE", "no", { retry: "backoff", cause });

describe("a file that cannot be given to Meta", () => {
  it("is tried again thirteen times, and fails its message then", async () => {
    expect(await prepare(unreachable(), 11)).toMatchObject({ prepared: { kind: "later" }, waits: [300_000] });
    expect(await prepare(unreachable(), 12)).toMatchObject({
      prepared: { kind: "settle", settlement: { next: { kind: "done", state: "failed" } } },
      waits: [],
    });
  });

  it("is tried for as long as it takes where nothing gets out of this network", async () => {
    expect(await prepare(unreachable(new NothingLeft()), 1_000)).toMatchObject({
      prepared: { kind: "later" },
      waits: [300_000],
    });
  });
});
