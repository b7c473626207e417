/** Where a long text is cut, and what is closed and opened again there. */
import { describe, expect, it } from "vitest";
import { splitText } from "../../../plugin/transformer/split-text.ts";

function split(text: string, limit: number): string[] {
  return splitText(text, limit).map((part) => part.text);
}

const sentence = "Twenty-four letters here.";

describe("a long text", () => {
  it("that fits is left alone, and blank text is no part", () => {
    expect(split("abc", 3)).toEqual(["abc"]);
    expect(split(" \n ", 30)).toEqual([]);
  });

  it("is cut between paragraphs first", () => {
    expect(split(`${sentence}\n\n${sentence}\n${sentence}`, 70)).toEqual([sentence, `${sentence}\n${sentence}`]);
  });

  it("is cut between lines next, and keeps the indentation of the line after", () => {
    expect(split(`${sentence} ${sentence}\n  ${sentence}`, 75)).toEqual([`${sentence} ${sentence}`, `  ${sentence}`]);
  });

  it("is cut between sentences next", () => {
    expect(split(`${sentence} ${sentence} and on it goes`, 60)).toEqual([`${sentence} ${sentence}`, "and on it goes"]);
  });

  it("is cut between Chinese sentences, which have no space", () => {
    expect(split("今天天气很好我们去公园散步吧。今天天气很好我们去", 23)).toEqual([
      "今天天气很好我们去公园散步吧。",
      "今天天气很好我们去",
    ]);
  });

  it("is cut between words next", () => {
    expect(split("one two three four five six seven", 28)).toEqual(["one two three four", "five six seven"]);
  });

  it("is not cut into a tiny part only because a paragraph ends there", () => {
    expect(split(`Hi\n\n${"word ".repeat(20).trim()}`, 60)[0]).toContain("word");
  });

  it("closes bold and italic at a cut and opens them again", () => {
    expect(split("*one two _three four five six_ seven*", 30)).toEqual([
      "*one two _three four_*",
      "*_five six_ seven*",
    ]);
  });

  it("closes a code block at a line and opens it again", () => {
    expect(split("```\nline one\n  line two\n\nline three\n```", 36)).toEqual([
      "```\nline one\n  line two\n\n```",
      "```\nline three\n```",
    ]);
  });

  it("goes on with a quote", () => {
    expect(split("> one two three four five six", 25)).toEqual(["> one two three", "> four five six"]);
  });

  it("moves a URL to the next part", () => {
    expect(split("see here please https://ex.com/abc/def and on", 40)).toEqual([
      "see here please",
      "https://ex.com/abc/def and on",
    ]);
  });

  it("cuts a URL only when no part could hold it", () => {
    expect(split(`https://ex.com/${"a".repeat(60)}`, 40).join("")).toBe(`https://ex.com/${"a".repeat(60)}`);
  });

  it("tells where each part began", () => {
    expect(splitText("one two three four five six seven", 28).map(({ start }) => start)).toEqual([0, 19]);
  });
});
