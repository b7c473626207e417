/** Cards that people share: of whom they tell, what a person has written into them, and what only a program says. */
import { describe, expect, it } from "vitest";
import { findLeaks } from "../../../qa/check.ts";
import { writeJson } from "../../../qa/lossless-json.ts";
import { createScrubber, type TextMode } from "../../../qa/scrub.ts";

const MODES: readonly TextMode[] = ["keep", "shape", "fixed"];

function scrubbed(json: unknown, text: TextMode = "keep", salt = "a salt"): unknown {
  const scrubber = createScrubber({ salt, text });
  scrubber.learn(json);
  return scrubber.scrub(json);
}

function delivery(message: object, contact: object = {}): { readonly entry: readonly unknown[] } {
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15557770100", phone_number_id: "301777000333444" },
    contacts: [{ profile: { name: "Adalberta Quill" }, wa_id: "447700900123", ...contact }],
    messages: [{ from: "447700900123", id: "wamid.IN1", timestamp: "1790000001", ...message }],
  };
  return { entry: [{ id: "201555000111222", changes: [{ field: "messages", value }] }] };
}

const messageIn = (json: unknown) =>
  (json as { entry: { changes: { value: { messages: Record<string, never>[]; contacts: never[] } }[] }[] }).entry[0]!
    .changes[0]!.value.messages[0]! as Record<string, unknown>;

describe("a card in the words of its program", () => {
  const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Vandermeer;Cleopatra;;;\r\nFN:Cleopatra Vandermeer\r\nEND:VCARD\r\n";
  const shared = (mode: TextMode) => {
    const scrubber = createScrubber({ salt: "a salt", text: mode });
    const written = delivery({ type: "text", text: { body: "Cleopatra will pay, says VANDERMEER." } });
    const sent = delivery({ type: "contacts", contacts: [{ vcard: card }] });
    for (const json of [written, sent]) scrubber.learn(json);
    const { contacts } = messageIn(scrubber.scrub(sent)) as { contacts: readonly { vcard: string }[] };
    const { text } = messageIn(scrubber.scrub(written)) as { text: { body: string } };
    return { vcard: contacts[0]!.vcard, body: text.body };
  };

  it("names somebody, who is another then, in the card and in what others write of them", () => {
    const { vcard, body } = shared("keep");
    const [, first, last] = /^FN:(\p{L}+) (\p{L}+)\r$/mu.exec(vcard) ?? [];

    expect(vcard).toBe(`BEGIN:VCARD\r\nVERSION:3.0\r\nN:${last};${first};;;\r\nFN:${first} ${last}\r\nEND:VCARD\r\n`);
    expect(`${first} ${last}`).not.toMatch(/cleopatra|vandermeer/i);
    expect(body.toLowerCase()).toBe(`${first} will pay, says ${last}.`.toLowerCase());
  });

  it("keeps its names as names where texts lose their words", () => {
    const names = /^FN:.*$/m.exec(shared("shape").vcard)?.[0];

    expect(names).toBe(/^FN:.*$/m.exec(shared("keep").vcard)?.[0]);
    expect(names).not.toMatch(/x{3}/i);
  });
});

describe("what somebody has written into a card", () => {
  const CARD = [
    "BEGIN:VCARD",
    "item1.TEL;waid=14155550123;type=CELL,pref:+1 415 555 0123",
    "item1.X-ABLabel:_$!<Mobile>!$_",
    "ADR;TYPE=home;CHARSET=UTF-8:;;Quarry Lane 3;;;;",
    "NOTE:one two",
    " Kathrin lives in Basel: ring",
    "TEL;TYPE=Brotherheart:1",
    "TEL;VOICE;Sweetheart:2",
    "Kathrin again: and again",
    "Kathrin.TEL;Basel=x:3",
    "FN:Leopoldina Wint",
    " erhalter",
    "END:VCARD",
  ].join("\r\n");
  const original = (body = "hi") => ({
    x: [
      delivery({ type: "text", text: { body } }),
      delivery({
        type: "contacts",
        contacts: [
          {
            vcard: CARD,
            phones: [
              { phone: "1", type: "Adalberta" },
              { phone: "2", type: "iPhone" },
            ],
            emails: [{ type: "Brotherheart" }],
            addresses: [{ type: "HOME" }],
            urls: [{ type: "Basel" }],
          },
        ],
      }),
    ],
  });
  const WORDS = /kathrin|lives|basel|ring|herheart|sweetheart|again|quarry|leopold|wint|erhalter|adalberta|5550123/i;

  it.each(MODES)("is gone, on whatever line it stands, and what its program says stays, texts: %s", (mode) => {
    const text = writeJson(scrubbed(original(), mode)).replaceAll("\\r\\n", "\n");

    expect(text).not.toMatch(WORDS);
    expect(text).toMatch(/^item1\.TEL;waid=10\d+;type=CELL,pref:\+0 000 000 0000$/m);
    expect(text).toMatch(/^item1\.X-ABLabel:_\$!<Xxxxxx>!\$_\nADR;TYPE=home;CHARSET=UTF-8:;;Xxxxxx Xxxx 0;;;;$/m);
    expect(text).toMatch(/^TEL;TYPE=Xxxxxxxxxxxx:0?1?\nTEL;VOICE;Xxxxxxxxxx:/m);
    expect([...text.matchAll(/"type":"(iPhone|HOME|X[^"]*)"/g)].map(([, type]) => type).slice(-4)).toContain("HOME");
    expect(findLeaks([original()], [{ file: "x", json: scrubbed(original(), mode) }], mode)).toEqual([]);
  });

  it("names whoever is named on two lines of it in what others write", () => {
    const [first] = (scrubbed(original("ask Winterhalter"), "keep") as { x: unknown[] }).x;

    expect(JSON.stringify(first)).not.toMatch(/winterhalter/i);
  });

  it.each([
    ["vcard", "NOTE:in Basel"],
    ["vcard", "TEL;TYPE=Brotherheart:1"],
    ["phones", [{ type: "Brotherheart" }]],
    ["text", { body: "Kathrin" }],
  ])("is found by the checker in %s: %j", (member, json) => {
    const found = findLeaks([original()], [{ file: "x", json: { [member]: json } }], "shape");

    expect(found.map(({ what }) => what)).toEqual(["a word of a text"]);
  });

  it("is not what a program says, though somebody else writes it", () => {
    const said = original(
      "call me home, at work, on my mobile: the version, the note, the email of the iPhone, the charset",
    );

    expect(findLeaks([said], [{ file: "x", json: scrubbed(said, "shape") }], "shape")).toEqual([]);
  });
});
