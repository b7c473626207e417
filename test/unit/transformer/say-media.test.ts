/** Media → media messages; words that no caption holds go beside them. */
import { describe, expect, it } from "vitest";
import type { AiMedia } from "../../../plugin/contract.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";

const sent = (media: AiMedia) => transformResponse({ media: [media] });

describe("media", () => {
  it("carry their caption with WhatsApp's marks", () => {
    expect(sent({ kind: "image", url: " https://ex.com/a.jpg ", caption: "**A**" })).toEqual({
      messages: [{ kind: "image", url: "https://ex.com/a.jpg", caption: "*A*" }],
      degraded: [],
    });
  });

  it("with a caption of more than 1,024 are followed by it as text", () => {
    const { messages, degraded } = sent({ kind: "video", url: "https://ex.com/a.mp4", caption: "word ".repeat(300) });

    expect(messages.map(({ kind }) => kind)).toEqual(["video", "text"]);
    expect(messages[0]).not.toHaveProperty("caption");
    expect(degraded).toEqual([
      { part: 0, what: "media[0].caption", from: "caption of 1499 characters", to: "text after it" },
    ]);
    expect(sent({ kind: "image", url: "https://ex.com/a.jpg", caption: "a".repeat(1024) }).messages).toHaveLength(1);
  });

  it.each(["audio", "sticker"] as const)("of kind %s, which have no caption, are followed by it", (kind) => {
    const url = kind === "audio" ? "https://ex.com/a.ogg" : "https://ex.com/a.webp";

    expect(sent({ kind, url, caption: "Listen" }).messages).toEqual([
      { kind, url },
      { kind: "text", text: "Listen", previewUrl: false },
    ]);
  });

  it.each([
    ["image", "https://ex.com/a.pdf", "document"],
    ["image", "https://ex.com/a.mp4?x=1", "video"],
    ["image", "https://ex.com/a.gif", "document"],
    ["image", "https://ex.com/a.webp", "document"],
    ["video", "https://ex.com/a.mp3", "audio"],
    ["sticker", "https://ex.com/a.PNG", "image"],
    ["audio", "https://ex.com/a.mp4", "audio"],
    ["document", "https://ex.com/a.jpg", "document"],
    ["image", "https://ex.com/picture", "image"],
  ] as const)("of kind %s at %s are sent as %s", (kind, url, expected) => {
    const { messages, degraded } = sent({ kind, url });

    expect(messages.map((message) => message.kind)).toEqual([expected]);
    expect(degraded).toEqual(kind === expected ? [] : [{ part: 0, what: "media[0]", from: kind, to: expected }]);
  });

  it("that are documents have a name, so that nobody gets “Untitled”", () => {
    expect(sent({ kind: "document", url: "https://ex.com/a/price%20list.pdf" }).messages).toMatchObject([
      { filename: "price list.pdf" },
    ]);
  });

  it.each(["http://ex.com/a.jpg", "ftp://ex.com/a", "not an address"])("at %s stay as text", (url) => {
    expect(sent({ kind: "image", url, caption: "A" })).toEqual({
      messages: [{ kind: "text", text: `A\n${url}`, previewUrl: url.startsWith("http:") }],
      degraded: [{ part: 0, what: "media[0]", from: "image", to: "link" }],
    });
  });

  it.each([{ url: "https://ex.com/a.jpg" }, { mediaId: "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }])(
    "whose name is not shown are reported: %o",
    (source) => {
      expect(sent({ kind: "image", ...source, filename: "beach.jpg" } as AiMedia).degraded).toEqual([
        { part: 0, what: "media[0].filename", from: "filename", to: "left out: not shown with this image" },
      ]);
    },
  );

  it.each([
    [{ kind: "image", url: "https://ex.com/a.jpg" }, "image"],
    [{ kind: "document", mediaId: "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }, "document"],
    [{ kind: "audio", url: "https://ex.com/a.pdf" }, "document"],
  ])("that are meant as a voice note and can be none are reported: %o", (source, to) => {
    expect(sent({ ...source, voice: true } as AiMedia).degraded).toContainEqual({
      part: 0,
      what: "media[0].voice",
      from: "voice note",
      to,
    });
  });

  it("whose address is the file itself are reported as left out", () => {
    expect(sent({ kind: "image", url: `data:image/png;base64,${"A".repeat(99)}` })).toEqual({
      messages: [],
      degraded: [{ part: null, what: "media[0]", from: "image", to: "left out: the address is the file itself" }],
    });
  });
});

describe("an image in Markdown", () => {
  it("that is a paragraph of its own is sent as a picture, in its place", () => {
    expect(
      transformResponse("Before\n\n![The **cat**](https://ex.com/cat.png)\n\nAfter [it][1]\n\n[1]: https://ex.com"),
    ).toEqual({
      messages: [
        { kind: "text", text: "Before", previewUrl: false },
        { kind: "image", url: "https://ex.com/cat.png", caption: "The *cat*" },
        { kind: "text", text: "After it (https://ex.com)", previewUrl: true },
      ],
      degraded: [],
    });
  });

  it("has a title that nobody would see, as links have: it is reported", () => {
    const { messages, degraded } = transformResponse(
      'See [it](https://ex.com "Read me") or ![b](https://ex.com/b "B").\n\n![c](https://ex.com/c.png "C")\n\nOr [d][].\n\n[d]: https://ex.com/d "D"',
    );

    expect(messages.map(({ kind }) => kind)).toEqual(["text", "image", "text"]);
    const title = (part: number) => ({ part, what: "text", from: "title of a link or a picture", to: "left out" });
    expect(degraded).toEqual([
      { part: 0, what: "text", from: "image", to: "link" },
      title(0),
      title(0),
      title(1),
      title(2),
    ]);
  });

  it("stays a link inside a sentence, a list or without a picture's name", () => {
    for (const text of ["a ![b](https://ex.com/b.png)", "- ![b](https://ex.com/b.png)", "![b](https://ex.com/b)"])
      expect(transformResponse(text).messages.map(({ kind }) => kind)).toEqual(["text"]);
  });
});
