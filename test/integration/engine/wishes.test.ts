/** What people want to be sent: said to Meta, or by a word to the business. */
import type { ChannelEvent } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER } from "../../support/channel.ts";
import { ADA, applyAll, delivery, type Engine, eventsOf, message, startEngine } from "./support.ts";

let serial = 0;

/** Said to Meta, in the chat's settings. */
const toMeta = (value: "stop" | "resume", second: number): ChannelEvent => ({
  dedupeKey: `test/wish/${++serial}`,
  wabaId: NUMBER.wabaId,
  phoneNumberId: NUMBER.phoneNumberId,
  occurredAt: new Date(second * 1_000),
  raw: {},
  kind: "preference",
  person: { phoneNumber: ADA, userId: null, parentUserId: null, username: null, name: "Ada" },
  category: "marketing_messages",
  value,
});

/** Typed to the business. */
const typed = (text: string, second: number): object =>
  message({ id: `wamid.${++serial}`, text, at: new Date(second * 1_000) });

type Said = readonly ["Meta", "stop" | "resume", number] | readonly ["us", string, number];

async function said(engine: Engine, words: readonly Said[]): Promise<void> {
  for (const [whom, word, second] of words)
    await engine.store.inbox.record([
      whom === "Meta" ? eventsOf([toMeta(word, second)]) : delivery(typed(word, second)),
    ]);
}

const CASES: readonly (readonly [string, readonly Said[], "stop" | "resume", "meta" | "keyword"])[] = [
  ["is kept", [["Meta", "stop", 1]], "stop", "meta"],
  [
    "is what they said last",
    [
      ["us", "STOP", 1],
      ["us", "START", 2],
    ],
    "resume",
    "keyword",
  ],
  [
    "is not what they said before",
    [
      ["Meta", "stop", 2],
      ["Meta", "resume", 1],
    ],
    "stop",
    "meta",
  ],
  [
    "to Meta is not lifted by a word to the business",
    [
      ["Meta", "stop", 1],
      ["us", "START", 2],
    ],
    "stop",
    "meta",
  ],
  [
    "to Meta is not lifted by a word to the business after another one",
    [
      ["Meta", "stop", 1],
      ["us", "STOP", 2],
      ["us", "START", 3],
    ],
    "stop",
    "meta",
  ],
  [
    "to Meta holds when it comes after a later word",
    [
      ["us", "START", 2],
      ["Meta", "stop", 1],
    ],
    "stop",
    "meta",
  ],
  [
    "to Meta is lifted by Meta",
    [
      ["Meta", "stop", 1],
      ["us", "START", 2],
      ["Meta", "resume", 3],
    ],
    "resume",
    "meta",
  ],
  [
    "to the business is lifted by Meta",
    [
      ["us", "STOP", 1],
      ["Meta", "resume", 2],
    ],
    "resume",
    "meta",
  ],
];

describe("what a person wants", () => {
  it.each(CASES)("%s, told in one batch or word by word", async (_name, words, value, source) => {
    const [atOnce, oneByOne] = [await startEngine(), await startEngine()];

    await said(atOnce, words);
    await applyAll(atOnce.store);
    for (const word of words) {
      await said(oneByOne, [word]);
      await applyAll(oneByOne.store);
    }

    for (const { rows } of [atOnce, oneByOne])
      expect(await rows("select value, source from whatsapp_preferences")).toEqual([{ value, source }]);
  });
});
