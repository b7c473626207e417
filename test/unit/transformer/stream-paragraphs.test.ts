/** A stream is cut at paragraph ends, in the same places however it arrives. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { streamParagraphs } from "../../../plugin/transformer/stream-paragraphs.ts";
import { toWhatsApp } from "../../../plugin/transformer/whatsapp-markup.ts";
import { markerSoup, markup } from "./generators.ts";

const numRuns = Number(process.env.FC_RUNS ?? 500);

async function* from(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

async function piecesOf(...chunks: readonly string[]): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of streamParagraphs(from(chunks))) pieces.push(piece);
  return pieces;
}

function cutAt(text: string, places: readonly number[]): string[] {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
}

const long = "A sentence of some length that says what it has to say. ".repeat(5).trim();

describe("a streamed answer", () => {
  it("gives a paragraph as soon as the next one begins", async () => {
    let given = 0;
    async function* slowly() {
      yield `${long}\n`;
      yield "\nAnd";
      yield " on.\n";
      given = 3;
      yield long;
    }
    const stream = streamParagraphs(slowly());

    expect(await stream.next()).toEqual({ done: false, value: `${long}\n\n` });
    expect(given).toBe(0);
    expect(await stream.next()).toEqual({ done: false, value: `And on.\n${long}` });
  });

  it("waits with short paragraphs, so that a message has something to say", async () => {
    expect(await piecesOf("Hi!\n\nHow are you?\n\n", long, "\n\nBye.")).toEqual([
      `Hi!\n\nHow are you?\n\n${long}\n\n`,
      "Bye.",
    ]);
  });

  it.each([
    ["a code block", `${long}\n\n\`\`\`js\na\n\nb\n\n\nc\n\`\`\`\n`],
    ["a code block in a list", `- ${long}\n\n  ~~~\n\nb\n\n  ~~~\n`],
    ["code that begins in a line of text", `${long} \`\`\`sh\na\n\nb\n\`\`\`\n`],
    ["code with words behind its marks", `\`\`\`${long}\n\nb\n\`\`\` and **c**\n`],
    ["code that is indented", `${long}\n      \`\`\`sh\n      a\n\n      b\n      \`\`\`\n`],
    ["code that ends with its last line", `\`\`\`\n${long}\n\nb\`\`\`\n`],
    ["a list", `- ${long}\n\n- b\n\n  c\n\n- d\n`],
    ["a numbered list", `1. ${long}\n\n2. b\n`],
    ["a quote", `> ${long}\n\n> b\n`],
    ["a table", `${long}\n\nTable:\n| a | b |\n|---|---|\n| c | d |\n`],
    ["display math", `${long.slice(0, 100)}\n\n$$\nx = ${long}\n$$\n`],
    ["definitions", `${long} [a][1]\n\n[1]: https://ex.com\n`],
  ])("never cuts %s", async (_name, text) => {
    const pieces = await piecesOf(text);

    expect(pieces.length).toBe(/```js|^Table/m.test(text) ? 2 : 1);
    for (const piece of pieces) expect((piece.match(/```|~~~|\$\$/g) ?? []).length % 2).toBe(0);
  });

  it("goes on after code as it was written by somebody in a hurry", async () => {
    const code = `Run: \`\`\`sh\n${long}\n\nnpm ci\n\`\`\` and wait.\n\n`;

    expect(await piecesOf(`${code}Done.`)).toEqual([code, "Done."]);
    expect(await piecesOf(`Three \`\`\`\n${long}\n\n\`\`\`js\na\n\`\`\`\n\nDone.`)).toEqual([
      `Three \`\`\`\n${long}\n\n\`\`\`js\na\n\`\`\`\n\n`,
      "Done.",
    ]);
  });

  it.each(["## Opening hours", "**Opening hours**", "Opening hours\n---", "Our opening hours:", "**Hours:**"])(
    "is not cut between %j and what it announces",
    async (heading) => {
      const begun = `${long}\n${heading}\n\nMonday to Friday.\n\n`;

      expect(await piecesOf(`${begun}And more.`)).toEqual([begun, "And more."]);
    },
  );

  it("is one piece when nothing ends in it, and none when it is empty", async () => {
    expect(await piecesOf("a", "b")).toEqual(["ab"]);
    expect(await piecesOf("", "")).toEqual([]);
  });

  it("passes on the error of its source after what was complete", async () => {
    async function* failing() {
      yield `${long}\n\nNext`;
      throw new Error("gone");
    }
    const stream = streamParagraphs(failing());

    expect((await stream.next()).value).toBe(`${long}\n\n`);
    await expect(stream.next()).rejects.toThrow("gone");
  });
});

describe("every streamed answer", { timeout: 60_000 + 60 * numRuns }, () => {
  const text = fc.oneof(
    fc.array(markup, { maxLength: 4 }).map((all) => all.join("\n\n")),
    fc.array(markerSoup, { maxLength: 12 }).map((all) => all.join("\n\n")),
  );

  it("X14 is all there, in pieces that do not depend on its chunks", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(5000), { maxLength: 40 }), async (whole, places) => {
        const pieces = await piecesOf(...cutAt(whole, places));

        expect(pieces.join("")).toBe(whole);
        expect(pieces).toEqual(await piecesOf(whole));
        expect(pieces).toEqual(await piecesOf(...whole));
      }),
      { numRuns },
    );
  });

  it("X14 says the same in pieces as at once", async () => {
    const said = (markdown: string) => toWhatsApp(markdown).text.replace(/```|\s/g, "");
    await fc.assert(
      fc.asyncProperty(fc.array(markup, { maxLength: 4 }), async (blocks) => {
        const whole = blocks.join("\n\n");
        const pieces = await piecesOf(whole);

        expect(pieces.map(said).join("")).toBe(said(whole));
      }),
      { numRuns: Math.min(numRuns, 10_000) },
    );
  });
});
