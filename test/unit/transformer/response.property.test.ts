/** What holds for every AI response with all its members. Seeds are printed on failure; FC_RUNS raises the runs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Degradation, OutboundMessage } from "../../../plugin/contract.ts";
import { checkMessage } from "../../../plugin/messages/check-message.ts";
import { shorten } from "../../../plugin/transformer/one-line.ts";
import { takeQuestion } from "../../../plugin/transformer/take-question.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";
import { graphemes, markup, table } from "./generators.ts";
import { anyResponse, wordyResponse } from "./response-generators.ts";

const numRuns = Number(process.env.FC_RUNS ?? 500);

function check<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns });
}

function graphemesOf(text: string): string[] {
  return Array.from(new Intl.Segmenter("und").segment(text), ({ segment }) => segment);
}

/** Every string in a value with its place, ids left out: those are nobody's words. */
function textsIn(value: unknown, path = ""): { readonly path: string; readonly text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    ["id", "kind", "targetId", "messageId"].includes(name)
      ? []
      : textsIn(member, path === "" ? name : `${path}.${name}`),
  );
}

function isReported(path: string, degraded: readonly Degradation[]): boolean {
  return degraded.some(({ what, to }) => to.startsWith("left out") && path.startsWith(what));
}

function withoutCode(messages: readonly OutboundMessage[]): string {
  return textsIn(messages)
    .map(({ text }) => text.replace(/```[\s\S]*?```|`[^`\n]*`/g, "code"))
    .join("\n");
}

describe("every AI response with all its members", { timeout: 60_000 + 60 * numRuns }, () => {
  it("X1 becomes messages that can be sent, all of them within Meta's limits, and a report that fits them", () => {
    check(anyResponse, (response) => {
      const { messages, degraded } = transformResponse(response, { lastMessageId: "wamid.1" });

      expect(messages.flatMap(checkMessage)).toEqual([]);
      expect(degraded.filter(({ part }) => part !== null && messages[part] === undefined)).toEqual([]);
    });
  });

  it("X2 loses no word of its texts, titles, captions, labels and addresses", () => {
    check(wordyResponse, (response) => {
      const { messages, degraded } = transformResponse(response);

      const shown = textsIn(messages)
        .map(({ text }) => text)
        .join("\n");
      const lost = textsIn(response)
        .filter(({ path }) => !isReported(path, degraded))
        .flatMap(({ text }) => text.match(/x[\p{L}%\dA-F]+x/gu) ?? [])
        .filter((word) => !shown.includes(word));
      expect(lost).toEqual([]);
    });
  });

  it("X2 offers every choice, in order", () => {
    check(wordyResponse, (response) => {
      const { choices = [] } = transformResponse(response);
      const all = [...(response.cards ?? []).flatMap((card) => card.choices ?? []), ...(response.choices ?? [])];

      expect(choices).toEqual(all.map(({ id, title }) => ({ id, title })));
    });
  });

  it("X5 is shortened between what a reader sees as characters, and within the limit", () => {
    check(fc.tuple(graphemes, fc.integer({ min: 2, max: 80 })), ([text, max]) => {
      const short = shorten(text, max);

      expect(short.length).toBeLessThanOrEqual(max);
      if (short === text) return;
      expect(short.endsWith("…")).toBe(true);
      const kept = graphemesOf(short.slice(0, -1));
      expect(graphemesOf(text).slice(0, kept.length)).toEqual(kept);
    });
  });

  it("X5 loses nothing where its question is taken off", () => {
    check(fc.tuple(markup, fc.integer({ min: 30, max: 400 }), fc.boolean()), ([text, max, isApart]) => {
      const { before, question } = takeQuestion({ text, changes: [] }, { max, isApart });

      expect(question.text.length).toBeLessThanOrEqual(max);
      expect(`${before.text}${question.text}`.replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
    });
  });

  it("X13 shows nothing that looks like Markdown", () => {
    check(fc.tuple(markup, table, wordyResponse), ([text, { markdown }, response]) => {
      const { messages } = transformResponse({ ...response, text: `${text}\n\n${markdown}` });

      expect(withoutCode(messages)).not.toMatch(/\*\*|__|~~|\]\(|^#{1,6} |^\|?[ :]*-{3,}|^\s*\|/m);
    });
  });
});
