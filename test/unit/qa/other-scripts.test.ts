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

/** Each of these is a script's zero, as the Unicode standard's Nd has them. */
const ZEROS = "٠ ۰ ߀ ० ০ ੦ ૦ ୦ ௦ ౦ ೦ ൦ ෦ ๐ ໐ ༠ ၀ ႐ ០ ᠐ ᥆ ᧐ ᪀ ᪐ ᭐ ᮰ ᱀ ᱐ ꘠ ꣐ ꤀ ꧐ ꧰ ꩐ ꯰ ０ 𐒠 𑁦 𑄶 𖩠 𝟎 𝟘 𝟢 𝟬 𝟶 𞅀 𞥐".split(
  " ",
);
const NUMBER = "0942123456789";
const inDigitsOf = (zero: string, number = NUMBER) =>
  number.replace(/\d/g, (digit) => String.fromCodePoint(zero.codePointAt(0)! + Number(digit)));

const keptText = (body: string, name?: string) =>
  String(objectOf(messageIn(scrubbed(delivery({ type: "text", text: { body } }, name), "keep")).text).body);

describe("digits of whatever script", () => {
  it.each(ZEROS)("are other ones of the same script, in a name and in a text: %s", (zero) => {
    const number = inDigitsOf(zero);
    const original = delivery({ type: "text", text: { body: `ring ${number}!` } }, `Aung ${number}`);
    const profile = objectOf(objectsIn(valueIn(scrubbed(original, "keep")).contacts)[0]?.profile);
    const own = new RegExp(`[${zero}-${inDigitsOf(zero, "9")}]{13}`, "u");

    for (const written of [String(profile.name), keptText(`ring ${number}!`)]) {
      expect(written).toMatch(own);
      expect(written).not.toContain(number);
    }
    expect(leaksOf(original, { text: { body: NUMBER } }, "keep")).toEqual(["a number"]);
    expect(leaksOf(original, { text: { body: number } }, "keep")).toEqual(["a number"]);
    for (const mode of MODES) expect(leaksOf(original, scrubbed(original, mode), mode)).toEqual([]);
  });

  it.each([
    ["in keycaps", "4️⃣1️⃣5️⃣5️⃣5️⃣5️⃣0️⃣1️⃣2️⃣3️⃣", /^(?:\d\ufe0f\u20e3){10}$/u],
    ["in keycaps with spaces", "4⃣ 1⃣ 5⃣ 5⃣ 5⃣ 5⃣ 0⃣ 1⃣", /^(?:\d\u20e3 ?){8}$/u],
    ["with commas", "06,12,34,56,78", /^\d\d(?:,\d\d){4}$/],
    ["with lines", "06_12_34_56_78", /^\d\d(?:_\d\d){4}$/],
  ])("are a number %s, whose spelling stays", (_, text, spelling) => {
    const original = delivery({ type: "text", text: { body: text } });

    expect(keptText(text)).toMatch(spelling);
    expect(keptText(text)).not.toBe(text);
    expect(leaksOf(original, original, "keep")).toContain("a number");
  });

  it("are two numbers with a comma between them", () => {
    const [one, other] = keptText("call 07700900123,07700900124 now").slice(5, -4).split(",");
    const alone = keptText("call 07700900124");

    expect(alone).toBe(`call ${other}`);
    expect(one).not.toBe(other);
  });

  it("that are no digits one dials are none in a name", () => {
    const [contact] = objectsIn(valueIn(scrubbed(delivery({}, "Rex Ⅷ ④⑤"), "keep")).contacts);

    expect(String(objectOf(contact?.profile).name)).not.toMatch(/Ⅷ|④|⑤/);
  });

  it("are no emoji", () => {
    const clean = messageIn(scrubbed(delivery({ reaction: { emoji: "၀၉၄ 4️⃣1️⃣5️⃣" } }), "keep"));

    expect(objectOf(clean.reaction).emoji).not.toMatch(/[၉၄415]/u);
  });
});

describe("a name that others write in their own way", () => {
  it.each([
    ["김민준", "안녕하세요 김민준님", "민준"],
    ["김민준", "민준이가 왔어요", "민준"],
    ["김민준", "민준아".normalize("NFD"), "민준".normalize("NFD")],
    ["김 민준", "김민준님", "민준"],
    ["남궁민수", "민수야", "민수"],
    ["田中太郎", "田中様、こんにちは", "田中"],
    ["田中太郎", "太郎さん", "太郎"],
    ["田中さくら", "田中様", "田中"],
    ["諸葛亮", "諸葛先生", "諸葛"],
    ["أحمد", "مرحبا احمد", "احمد"],
    ["احمد", "مرحبا أَحمد", "أَحمد"],
    ["رحمٰن", "رحمن", "رحمن"],
    ["Jürgen Müller", "ask MUELLER", "MUELLER"],
    ["Jürgen Mueller", "ask Müller", "Müller"],
    ["Jürgen Müller", "ask Muller", "Muller"],
    ["Jürgen Müller", "mail juergenmueller", "juergenmueller"],
    ["Bjørn Ångström", "ask Bjoern or Aangstroem", "oe"],
    ["O'Brien", "ask OBrien", "OBrien"],
    ["Mary Ann Smith", "I am @maryannsmith", "mary"],
    ["Mary Ann Smith", "#annsmith", "ann"],
    ["J. R. R. Tolkien", "jrrtolkien", "jrr"],
  ])("of %s is another one in: %s", (name, text, secret) => {
    const original = delivery({ type: "text", text: { body: text } }, name);
    const clean = scrubbed(original, "keep");

    expect(keptText(text, name)).not.toContain(secret);
    expect(leaksOf(original, { text: { body: text } }, "keep")).toContain("a name");
    expect(leaksOf(original, clean, "keep")).toEqual([]);
  });

  it("leaves what stands around it, and is of the same script", () => {
    expect(keptText("안녕하세요 김민준님", "김민준")).toMatch(/^안녕하세요 \p{Script=Hangul}{2}님$/u);
    expect(keptText("田中様、こんにちは", "田中太郎")).toMatch(/^\p{Script=Han}{2}様、こんにちは$/u);
    expect(keptText("I saw a d in DA, and he is Jo", "D. A. Jones-Bo")).toBe("I saw a d in DA, and he is Jo");
  });

  it("is not given to somebody else while it is a part of somebody's", () => {
    const all = ["서연", "지우", "하준", "도윤", "은우", "시우", "지호", "예준", "유나", "수아"];
    const original = { x: all.map((given) => delivery({}, `김${given}`)) };

    expect(leaksOf(original, scrubbed(original, "keep"), "keep")).toEqual([]);
  });
});
