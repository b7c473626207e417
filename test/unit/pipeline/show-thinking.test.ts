/** What the person sees while the host thinks: "read" and "typing…", renewed, and nothing for a host that stays silent. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createShowThinking } from "../../../plugin/pipeline/show-thinking.ts";
import type { GraphApi, SealedTurn } from "../../../plugin/ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type MarkRead = Parameters<GraphApi["markRead"]>[0];

function setUp(markRead: (request: MarkRead) => Promise<void> = async () => undefined) {
  const marked: MarkRead[] = [];
  const logged: object[] = [];
  const log = (fields: object) => void logged.push(fields);
  const showThinking = createShowThinking({
    graphApi: {
      markRead(request) {
        marked.push(request);
        return markRead(request);
      },
    },
    secretBox: { seal: (text: string) => text, open: (text: string) => `opened ${text}` } as never,
    log: { debug: log, info: log, warn: log, error: log },
  });
  return { showThinking, marked, logged, typing: () => marked.map(({ typing }) => typing) };
}

function turn(more: Partial<SealedTurn> = {}): SealedTurn {
  return {
    turnId: "turn",
    customerConfigId: "tenant",
    connectionId: "connection",
    phoneNumberId: "301777000333444",
    accessTokenEnc: "token",
    messages: [written("wamid.1"), written("wamid.2")],
    ...more,
  } as SealedTurn;
}

function written(externalId: string, type = "text") {
  return { externalId, type } as SealedTurn["messages"][number];
}

describe("while the host thinks", () => {
  it("its last message is marked as read, and typing is shown", async () => {
    const { showThinking, marked } = setUp();

    showThinking(turn());
    await vi.advanceTimersByTimeAsync(1_000);

    expect(marked).toEqual([
      { phoneNumberId: "301777000333444", accessToken: "opened token", messageId: "wamid.2", typing: true },
    ]);
  });

  it("typing is shown again before Meta hides it, until there is an answer", async () => {
    const { showThinking, typing } = setUp();

    const hide = showThinking(turn());
    await vi.advanceTimersByTimeAsync(24_000);
    expect(typing()).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(24_000);
    expect(typing()).toEqual([true, true, true]);
    hide(true);
    await vi.advanceTimersByTimeAsync(120_000);

    expect(typing()).toEqual([true, true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("nothing is shown for a reaction, and for what nobody can read", async () => {
    const { showThinking, marked } = setUp();

    const hide = showThinking(turn({ messages: [written("wamid.1", "reaction"), written("wamid.2", "unsupported")] }));
    await vi.advanceTimersByTimeAsync(1_000);
    hide(true);

    expect(marked).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("the message before a reaction is the one that is read", async () => {
    const { showThinking, marked } = setUp();

    showThinking(turn({ messages: [written("wamid.1"), written("wamid.2", "reaction")] }));
    await vi.advanceTimersByTimeAsync(1_000);

    expect(marked.map(({ messageId }) => messageId)).toEqual(["wamid.1"]);
  });

  it("nothing is shown without a token", async () => {
    const { showThinking, marked } = setUp();

    showThinking(turn({ accessTokenEnc: null }))(true);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(marked).toEqual([]);
  });

  it("a refusal of Meta's is no trouble to anybody", async () => {
    const { showThinking, logged } = setUp(() => Promise.reject(new Error("with a secret in it")));

    const hide = showThinking(turn());
    await vi.advanceTimersByTimeAsync(1_000);
    hide(true);

    expect(logged).toEqual([{ stage: "turn", turnId: "turn", error: "Error" }]);
  });
});

describe("a host that says at once", () => {
  it("what it has to say only marks the message as read", async () => {
    const { showThinking, typing } = setUp();

    showThinking(turn())(true);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(typing()).toEqual([false]);
  });

  it("that it stays silent shows nothing at all", async () => {
    const { showThinking, marked } = setUp();

    showThinking(turn())(false);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(marked).toEqual([]);
  });
});
