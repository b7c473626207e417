/** Words, digits and names that are not written in Latin letters, each seen to have got through once. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { findLeaks } from "../../../qa/check.ts";
import { objectOf, objectsIn } from "../../../qa/lossless-json.ts";
import { createScrubber, type TextMode } from "../../../qa/scrub.ts";

const MODES: readonly TextMode[] = ["keep", "shape", "fixed"];

function delivery(message: WireObject, name = "Zbigniew"): WireObject {
  const value = {
    metadata: { display_phone_number: "15557770100", phone_number_id: "301777000333444" },
    contacts: [{ profile: { name }, wa_id: "4915112345678" }],
    messages: [{ from: "4915112345678", id: "wamid.IN1", timestamp: "1790000001", ...message }],
  };
  return { object: "whatsapp_business_account", entry: [{ id: "201555000111222", changes: [{ value }] }] };
}

function scrubbed(json: unknown, text: TextMode): unknown {
  const scrubber = createScrubber({ salt: "a salt", text });
  scrubber.learn(json);
  return scrubber.scrub(json);
}

function valueIn(json: unknown): WireObject {
  const [entry] = objectsIn(objectOf(json).entry);
  return objectOf(objectsIn(entry?.changes)[0]?.value);
}

const messageIn = (json: unknown): WireObject => objectsIn(valueIn(json).messages)[0] ?? {};
const leaksOf = (original: unknown, json: unknown, mode: TextMode) => [
  ...new Set(findLeaks([original], [{ file: "x", json }], mode).map(({ what }) => what)),
];

describe("a form whose fields are named like Meta's", () => {
  const filled = (answers: object) =>
    delivery({
      type: "interactive",
      interactive: {
        type: "nfm_reply",
        nfm_reply: { name: "flow", body: "Sent", response_json: JSON.stringify(answers) },
      },
    });
  const answersIn = (json: unknown) =>
    String(objectOf(objectOf(messageIn(json).interactive).nfm_reply).response_json ?? "");
  const ANSWERS = {
    customer: "Иван Петров",
    from: "Αθήνα",
    to: "Θεσσαλονίκη, Εγνατία",
    phone: "позвоните Марии, 8 (916) 123-45-67",
    recipient: "२०२६",
    id: "паспорт",
    hash: "DE.секрет",
    Отчество: "Сергеевич",
  };

  it.each(MODES)("loses what somebody has written into them, in any script, texts: %s", (mode) => {
    const original = filled(ANSWERS);
    const clean = scrubbed(original, mode);
    const left = mode === "keep" ? answersIn(clean).replace("Сергеевич", "") : answersIn(clean);

    expect(left).not.toMatch(/[^\P{L}A-Za-z]|[^\P{N}0-9]|916/u);
    expect(leaksOf(original, clean, mode)).toEqual([]);
  });

  it.each([
    ["a word of a text", { from: "Αθήνα" }],
    ["a word of a text", { to: "Athens, second street" }],
    ["a word of a text", { hash: "секрет" }],
    ["a word of a text", { phone: "позвоните" }],
  ])("is searched for %s: %o", (what, answers) => {
    expect(leaksOf(filled(answers), { text: { body: Object.values(answers)[0] } }, "shape")).toContain(what);
    expect(leaksOf(filled({ from: "Αθήνα" }), { from: "Αθήνα2650d4" }, "shape")).toEqual(["a word of a text"]);
  });
});
