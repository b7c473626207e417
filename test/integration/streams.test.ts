/** An answer that comes as a stream: sent by the paragraph, each once, whatever breaks in between. */
import { describe, expect, it } from "vitest";
import { allQuiet, quiet, type TestChannel } from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";

const FIRST = `The first paragraph. ${"It is long enough to be sent on its own. ".repeat(8).trim()}`;
const SECOND = `The second paragraph. ${"It is long enough to be sent on its own. ".repeat(8).trim()}`;
const LAST = "The last one.";

describe("a streamed answer", () => {
  it("leaves by the paragraph, while the rest is still being thought of", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const channel = await channelFor({
      async *reply() {
        yield FIRST.slice(0, 50);
        yield `${FIRST.slice(50)}\n\n`;
        yield SECOND.slice(0, 10);
        await gate;
        yield `${SECOND.slice(10)}\n\n${LAST}`;
      },
    } as never);
    const ada = channel.meta.person({ name: "Ada" });

    ada.says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    expect(texts(channel)).toEqual([FIRST]);
    open();
    await ended(channel);

    expect(texts(channel)).toEqual([FIRST, SECOND, LAST]);
    expect(await channel.rows("select state, attempts, last_error from whatsapp_turns")).toEqual([
      { state: 1, attempts: 1, last_error: null },
    ]);
  });

  it("that breaks and begins again with the same words goes on after what was sent", async () => {
    let attempt = 0;
    const channel = await channelFor({
      reply: () => stream(++attempt === 1 ? [FIRST, LAST, broken] : [FIRST, SECOND]),
    });
    channel.meta.person({ name: "Ada" }).says("hello");
    await ended(channel);

    expect(attempt).toBe(2);
    expect(texts(channel)).toEqual([FIRST, SECOND]);
  });

  it("that breaks and begins again with other words ends there, as a dead letter that says why", async () => {
    let attempt = 0;
    const channel = await channelFor({
      reply: () => stream(++attempt === 1 ? [FIRST, LAST, broken] : [SECOND, LAST]),
    });
    const ada = channel.meta.person({ name: "Ada" });
    ada.says("hello");
    await channel.until(async () => (await turns(channel))[0]?.state === 2, "the dead letter");
    ada.says("and now?");
    await channel.until(async () => (await turns(channel))[1]?.state === 1, "the next turn");
    await quiet(channel);

    expect(texts(channel)).toEqual([FIRST, SECOND, LAST]);
    expect((await turns(channel))[0]!.last_error).toMatch(/^AnswerChanged: .*began otherwise/);
  });

  it("does not begin again when its last words were followed by a crash", async () => {
    let attempt = 0;
    const channel = await channelFor({
      reply: () => (++attempt === 1 ? stream([FIRST, SECOND, broken]) : `${FIRST}\n\n${SECOND}`),
    });
    channel.meta.person({ name: "Ada" }).says("hello");
    await ended(channel);

    expect(texts(channel)).toEqual([FIRST, SECOND]);
  });

  it.each([
    ["parts of an SDK", { type: "text-delta", text: "hi" }],
    ["bytes", Buffer.from("hi")],
    ["nothing", undefined],
  ])("of %s instead of strings is asked for once, and the dead letter says what to do", async (_what, chunk) => {
    let attempt = 0;
    const channel = await channelFor({
      async *reply() {
        attempt += 1;
        yield chunk;
      },
    } as never);
    channel.meta.person({ name: "Ada" }).says("hello");
    await channel.until(async () => (await turns(channel))[0]?.state === 2, "the dead letter");
    await allQuiet(channel);

    expect(attempt).toBe(1);
    expect((await turns(channel))[0]?.last_error).toMatch(/^ChannelError MESSAGE_INVALID: .*must yield strings/);
    expect(texts(channel)).toEqual([]);
  });

  it("is silence when nothing comes", async () => {
    const channel = await channelFor({ reply: () => stream([]) });
    channel.meta.person({ name: "Ada" }).says("hello");
    await ended(channel);

    expect(texts(channel)).toEqual([]);
    expect(await channel.rows("select * from whatsapp_sends")).toEqual([]);
  });
});

const broken = new Error("the model went away");

async function* stream(paragraphs: readonly (string | Error)[]): AsyncGenerator<string> {
  for (const paragraph of paragraphs) {
    if (paragraph instanceof Error) throw paragraph;
    yield `${paragraph}\n\n`;
  }
}

type TurnRow = { readonly state: number; readonly attempts: number; readonly last_error: string | null };

function turns(channel: TestChannel): Promise<TurnRow[]> {
  return channel.rows<TurnRow>("select state, attempts, last_error from whatsapp_turns order by seq");
}

async function ended(channel: TestChannel): Promise<void> {
  await channel.until(async () => (await turns(channel))[0]?.state === 1, "the turn to end");
  await allQuiet(channel);
}

function texts(channel: TestChannel): (string | null)[] {
  return channel.meta.accepted.map(({ text }) => text);
}
