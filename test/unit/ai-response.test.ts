/** What a host's AI returned: an AI response passes, and of anything else each wrong place is named, never a value. */
import { describe, expect, it } from "vitest";
import { requireAiResponse } from "../../plugin/ai-response.ts";

const MEMBERS = "text, choices, cards, media, location, template, reaction, replyTo, handoff";

function refusalOf(answer: unknown): string | null {
  try {
    requireAiResponse(answer);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ name: "ChannelError", code: "MESSAGE_INVALID", retry: "never" });
    return (error as Error).message;
  }
}

describe("what reply returned", () => {
  it.each<[string, unknown]>([
    ["nothing to say", {}],
    ["an object without a prototype", Object.assign(Object.create(null), { text: "hi" })],
    ["members that are undefined", { text: "hi", choices: undefined, location: undefined }],
    ["a file by its bytes", { media: [{ kind: "image", bytes: Uint8Array.of(1), mime: "image/png" }] }],
    ["a file by its address", { media: [{ kind: "image", url: "https://shop.example/a.png", caption: "A" }] }],
    ["everything else", { text: "hi", choices: [{ id: "a", title: "A" }], replyTo: true, handoff: true }],
    [
      "an object of a class, whose members are not its own",
      new (class {
        get text() {
          return "hi";
        }
      })(),
    ],
  ])("passes with %s", (_name, answer) => {
    expect(refusalOf(answer)).toBeNull();
  });

  it.each<[string, unknown, string]>([
    ["another API's member", { answer: "hi" }, "answer is no member of an AI response"],
    [
      "several of them",
      { reply: "hi", content: [] },
      "reply is no member of an AI response; content is no member of an AI response",
    ],
    ["a text that is none", { text: 5 }, "text: Invalid input: expected string, received number"],
    ["a choice that is none", { choices: ["a"] }, "choices[0]: Invalid input: expected object, received string"],
    [
      "a template's wrong member",
      { template: { name: "a", language: "en", parameters: [] } },
      "template.parameters is no member of template",
    ],
    [
      "a choice's misspelt member",
      { choices: [{ id: "a", title: "A", desc: "only today" }] },
      "choices[0].desc is no member of choices[0]",
    ],
    [
      "a card's",
      { cards: [{ title: "Cake", image: "https://shop.example/a.png" }] },
      "cards[0].image is no member of cards[0]",
    ],
    [
      "a file's",
      { media: [{ kind: "image", url: "https://shop.example/a.png", text: "A" }] },
      "media[0].text is no member of media[0]",
    ],
    [
      "a place's",
      { location: { latitude: 1, longitude: 2, title: "Shop" } },
      "location.title is no member of location",
    ],
    [
      "a file from nowhere",
      { media: [{ kind: "image" }] },
      "media[0].url: give one of a url, a mediaId, and bytes with their mime",
    ],
    ["an array", ["hi"], "it is an array, no AI response"],
    ["a number", 42, "it is a number, no AI response"],
    ["a generator that is not async", (function* () {})(), "it is no plain object"],
    ["a map", new Map([["text", "hi"]]), "it is no plain object"],
  ])("is refused with %s", (_name, answer, said) => {
    expect(refusalOf(answer)).toBe(
      `The answer of reply: ${said}. An AI response has ${MEMBERS}; a text alone is a string, null is silence.`,
    );
  });

  it("is never quoted, not even by the names that it gives its members", () => {
    const said = refusalOf({ "my pin is 1234": "s3cret", [`x${"y".repeat(60)}`]: 1, text: ["s3cret"] });

    expect(said).toContain("? is no member of an AI response");
    expect(said).not.toMatch(/pin|yyy|s3cret/);
  });

  it("is refused in few words, however much of it is wrong", () => {
    const said = refusalOf({ choices: Array.from({ length: 10_000 }, () => "a") });

    expect(said).toContain("; and 9995 more.");
    expect(said?.length).toBeLessThan(700);
  });
});
