/** What a terminal gets, and a pipe does not: colours and lines that fit. */
import { expect, it } from "vitest";
import { counted, paintFor, widthOf, wrap } from "../../../cli/print.ts";

const stream = (isTTY: boolean, more: Partial<NodeJS.WriteStream> = {}) =>
  ({ isTTY, hasColors: () => true, ...more }) as NodeJS.WriteStream;

it("colours only where somebody looks who has them", () => {
  expect(paintFor(stream(true))("red", "no")).toBe("\u001b[31mno\u001b[39m");
  expect(paintFor(stream(false))("red", "no")).toBe("no");
  expect(paintFor(stream(true, { hasColors: () => false }))("red", "no")).toBe("no");
});

it("breaks lines at spaces for a terminal of any width, and for a pipe not at all", () => {
  expect(widthOf(stream(true, { columns: 80 }))).toBe(80);
  expect(widthOf(stream(true, { columns: 10 }))).toBe(40);
  expect(widthOf(stream(true, { columns: 500 }))).toBe(120);
  expect(widthOf(stream(false, { columns: 80 }))).toBe(Number.POSITIVE_INFINITY);
  expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrap("a https://a.test/long", 12)).toEqual(["a https://a.", "test/long"]);
});

it("counts in words", () => {
  expect([counted(1, "place"), counted(2, "place"), counted(0, "delivery", "deliveries")]).toEqual([
    "1 place",
    "2 places",
    "0 deliveries",
  ]);
});
