/** docs/formatting.md shows what is sent today, with a picture for every case. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { CHAPTERS } from "../../scripts/formatting-cases.ts";
import { formattingPage } from "../../scripts/formatting-page.ts";

const docs = new URL("../../docs/", import.meta.url);

it("the formatting page is the one that `npm run formatting` writes", () => {
  expect(readFileSync(new URL("formatting.md", docs), "utf8")).toBe(formattingPage());
});

it("the formatting page has its pictures", () => {
  const names = CHAPTERS.flatMap(({ cases }) => cases);

  expect(names.filter((name) => !existsSync(new URL(`formatting/${name}.png`, docs)))).toEqual([]);
});
