/** Scrubbing: whatever is personal is replaced, what belonged together still does, and the checker sees what is left. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWebhook } from "../../../plugin/webhook/parse-webhook.ts";
import { findLeaks } from "../../../qa/check.ts";
import { readJson, writeJson } from "../../../qa/lossless-json.ts";
import { createPseudonyms } from "../../../qa/pseudonyms.ts";
import { createScrubber, type TextMode } from "../../../qa/scrub.ts";
import { shapeText } from "../../../qa/shape-text.ts";

const MODES: readonly TextMode[] = ["keep", "shape", "fixed"];
const WEBHOOKS = fileURLToPath(new URL("../../../fixtures/webhooks/", import.meta.url));

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
const bodyOf = (text: string, mode: TextMode = "keep") =>
  (messageIn(scrubbed(delivery({ type: "text", text: { body: text } }), mode)).text as { body: string }).body;

describe("a scrubbed number", () => {
  it("keeps its country, its length and its spelling, and is one that nobody can have", () => {
    const { from } = messageIn(scrubbed(delivery({ type: "text" }))) as { from: string };

    expect(from).toMatch(/^440\d{9}$/);
    expect(from).not.toBe("447700900123");
    expect(bodyOf("call +44 7700 900123")).toBe(`call +44 ${from.slice(2, 6)} ${from.slice(6)}`);
  });

  it("is the same wherever it stands: in a text, at home's spelling, and inside a wamid", () => {
    const wamid = `wamid.${Buffer.from("\x1c\x18\x0c447700900123\x15\x02\x00").toString("base64")}`;
    const message = messageIn(scrubbed(delivery({ id: wamid, type: "text", text: { body: "07700 900123 is mine" } })));

    const { from, id, text } = message as { from: string; id: string; text: { body: string } };
    expect(Buffer.from(id.slice(6), "base64").toString("latin1")).toContain(from);
    expect(text.body).toBe(`0${from.slice(2, 6)} ${from.slice(6)} is mine`);
  });
});

describe("a scrubbed name", () => {
  it("is another one, word by word the same in every text", () => {
    const json = scrubbed(delivery({ type: "text", text: { body: "It is Adalberta. ADALBERTA! quill?" } }));
    const [first, last] = (
      json as never as { entry: { changes: { value: { contacts: { profile: { name: string } }[] } }[] }[] }
    ).entry[0]!.changes[0]!.value.contacts[0]!.profile.name.split(" ") as [string, string];

    expect([first, last]).not.toEqual(["Adalberta", "Quill"]);
    expect((messageIn(json).text as { body: string }).body).toBe(`It is ${first}. ${first}! ${last.toLowerCase()}?`);
  });

  it("is written from the right when it was, and an emoji stays nobody's", () => {
    const nameOf = (name: string) =>
      JSON.stringify(scrubbed(delivery({ type: "text" }, { profile: { name } }))).match(/"name":"([^"]*)"/)![1]!;

    expect(nameOf("ليلى 🌸")).toMatch(/^\p{Script=Arabic}+ 🌸$/u);
    expect(nameOf("🦄")).toBe("🙂");
    expect(nameOf("")).toBe("");
  });
});

describe("a text", () => {
  it.each<[TextMode, string]>([
    ["keep", "*Hi* there,\n1 🦄 for you_ all"],
    ["shape", "*Xx* xxxxx,\n0 🦄 xxx xxx_ xxx"],
    ["fixed", "Text"],
  ])("%s", (mode, wanted) => {
    expect(bodyOf("*Hi* there,\n1 🦄 for you_ all", mode)).toBe(wanted);
  });

  it("in its shape keeps links links, scripts scripts, and the answer to a numbered list", () => {
    expect(shapeText("See https://ex.test/a_b, مرحبا 你好 नमस्ते 1️⃣")).toBe(
      "Xxx https://xx.xxxx/x_x, سسسسس 字字 ककक́क́ 0️⃣".replace("ककक́क́", shapeText("नमस्ते")),
    );
    expect(bodyOf("2", "shape")).toBe("2");
    expect(shapeText("my code is 4711")).toBe("xx xxxx xx 0000");
  });

  it("of any kind has the same shape when it is shaped again, and the same length", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        expect(shapeText(shapeText(text))).toBe(shapeText(text));
        expect(shapeText(text)).toHaveLength(text.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a member that nobody knows", () => {
  it("is taken for a text of somebody's, and its name too when it looks like one", () => {
    const json = scrubbed(
      delivery({
        type: "poll",
        poll: { question: "Marry me?", voter_447700900123: 12_345_678, size: 3, isOpen: true },
      }),
      "shape",
    );

    const { poll } = messageIn(json) as { poll: Record<string, unknown> };
    expect(poll).toMatchObject({ question: "Xxxxx xx?", size: 3, isOpen: true });
    expect(Object.keys(poll).join()).not.toContain("447700900123");
    expect(Object.values(poll)).not.toContain(12_345_678);
  });

  it("of an integer that JavaScript would round keeps its digits' number", () => {
    const written = writeJson(scrubbed(readJson('{"x":{"national_id":98765432109876543}}')));

    expect(written).toMatch(/^{"x":{"national_id":\d{17}}}$/);
    expect(written).not.toContain("98765432109876543");
  });
});

describe("the checker", () => {
  it.each<[string, unknown]>([
    ["a name", "well, adalberta"],
    ["a number", "447700900123"],
    ["a number", "(0)7700-900123"],
    ["a number", Buffer.from("x447700900123x").toString("base64")],
    ["a number", "https://wa.me/?n=4477009%30%30123"],
    ["an id", "about wamid.IN1"],
    ["a word of a text", "umbrella"],
    ["a number", 447_700_900_123],
  ])("finds %s in %s, and says where and not what", (what, value) => {
    const original = delivery({ type: "text", text: { body: "my umbrella" } });

    expect(findLeaks([original], [{ file: "a.json", json: { deep: [{ text: value }] } }], "shape")).toEqual([
      { file: "a.json", path: ".deep[0].text", what },
    ]);
  });

  it("finds nothing in any recorded webhook after scrubbing, of which each still says the same to us", () => {
    const files = readdirSync(WEBHOOKS).filter((file) => file.endsWith(".request.json"));
    const originals = files.map((file) => readJson(readFileSync(join(WEBHOOKS, file), "utf8")));
    const told = (json: unknown) =>
      parseWebhook(JSON.parse(writeJson(json))).map((event) => [event.kind, "type" in event ? event.type : null]);

    for (const text of MODES) {
      const scrubber = createScrubber({ salt: "a salt", text, shiftMs: -86_400_000 });
      for (const original of originals) scrubber.learn(original);
      const outputs = originals.map((original, at) => ({ file: files[at]!, json: scrubber.scrub(original) }));
      expect(findLeaks(originals, outputs, text)).toEqual([]);
      for (const [at, { file, json }] of outputs.entries())
        expect([file, told(json)]).toEqual([file, told(originals[at])]);
    }
  }, 30_000);
});

describe("whatever is planted", () => {
  const word = fc.string({ unit: fc.constantFrom(..."bdfghjklmnpqrstvwz"), minLength: 5, maxLength: 9 });
  const digits = (length: number) =>
    fc.string({ unit: fc.constantFrom(..."123456789"), minLength: length, maxLength: length });
  const person = fc.record({
    first: word.map((name) => `Q${name}`),
    last: word.map((name) => `J${name}`),
    number: digits(10).map((rest) => `49${rest}`),
    user: digits(12).map((rest) => `DE.${rest}x`),
    username: word.map((name) => `${name}.7`),
    wamid: digits(12).map((rest) => `wamid.HBgN${rest}`),
    media: digits(15),
    mail: word.map((name) => `${name}@${name}.example`),
    latitude: digits(6).map((rest) => Number(`41.${rest}`)),
  });
  type Person = typeof person extends fc.Arbitrary<infer T> ? T : never;
  const places: readonly ((who: Person) => object)[] = [
    ({ first, number }) => ({ type: "text", text: { body: `I am ${first}, ring +${number} or ${number.slice(2)}` } }),
    ({ media, last }) => ({
      type: "image",
      image: {
        id: media,
        mime_type: "image/jpeg",
        caption: `by ${last}`,
        url: `https://lookaside.fbsbx.com/?mid=${media}`,
      },
    }),
    ({ first, last }) => ({ type: "document", document: { id: "4410004", filename: `${first}_${last}.pdf` } }),
    ({ latitude, last }) => ({
      type: "location",
      location: { latitude, longitude: latitude, address: `1 ${last} Street` },
    }),
    ({ first, last, number, mail }) => ({
      type: "contacts",
      contacts: [
        {
          name: { formatted_name: `${first} ${last}`, first_name: first },
          phones: [{ phone: `+${number}`, wa_id: number }],
          emails: [{ email: mail }],
          vcard: `BEGIN:VCARD\nFN:${first} ${last}\nTEL;waid=${number}:+${number}\nEND:VCARD`,
        },
      ],
    }),
    ({ mail, number }) => ({
      type: "interactive",
      interactive: {
        type: "nfm_reply",
        nfm_reply: {
          name: "flow",
          body: "Sent",
          response_json: JSON.stringify({ flow_token: `t-${number}`, mail, nested: [{ phone: number }] }),
        },
      },
    }),
    ({ wamid }) => ({ type: "reaction", reaction: { message_id: wamid, emoji: "👍" } }),
    ({ first, number }) => ({
      type: "system",
      system: {
        type: "user_changed_number",
        body: `User ${first} changed from ${number} to 4915112345678`,
        wa_id: "4915112345678",
      },
    }),
    ({ first, username, user }) => ({
      type: "poll",
      poll: { asked_by: first, [`by_${user}`]: username, of: [`${user}`] },
    }),
  ];

  it("is nowhere in what comes out, everything that was equal still is, and twice gives the same", () => {
    fc.assert(
      fc.property(
        person,
        fc.integer({ min: 0, max: places.length - 1 }),
        fc.constantFrom(...MODES),
        (who, place, mode) => {
          const card = {
            profile: { name: `${who.first} ${who.last}`, username: who.username },
            wa_id: who.number,
            user_id: who.user,
          };
          const message = {
            from: who.number,
            from_user_id: who.user,
            id: who.wamid,
            context: { id: who.wamid },
            ...places[place]!(who),
          };
          const original = delivery(message, card);
          const once = scrubbed(original, mode);
          const text = writeJson(once);

          expect(scrubbed(original, mode)).toEqual(once);
          expect(scrubbed(original, mode, "another")).not.toEqual(once);
          expect(findLeaks([original], [{ file: "x", json: once }], mode)).toEqual([]);
          for (const [what, secret] of Object.entries(who))
            expect([what, text.toLowerCase().includes(String(secret).toLowerCase())]).toEqual([what, false]);
          const { from, from_user_id: user, id, context } = messageIn(once) as Record<string, unknown>;
          const { wa_id, user_id } = (
            once as never as { entry: { changes: { value: { contacts: Record<string, string>[] } }[] }[] }
          ).entry[0]!.changes[0]!.value.contacts[0]!;
          expect([wa_id, user_id, (context as { id: string }).id]).toEqual([from, user, id]);
          const kinds = (json: unknown) => parseWebhook(JSON.parse(writeJson(json))).map(({ kind }) => kind);
          expect(kinds(once)).toEqual(kinds(original));
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("what stands where an emoji should", () => {
  const emojiOf = (emoji: string) => {
    const reaction = { message_id: "wamid.X", emoji };
    return (messageIn(scrubbed(delivery({ type: "reaction", reaction }))).reaction as { emoji: string }).emoji;
  };

  it.each(["👍", "👩🏽‍🚀", "1️⃣", ""])("stays when it is one: %s", (emoji) => {
    expect(emojiOf(emoji)).toBe(emoji);
  });

  it.each(["Bartholomew", "👍 Bartholomew", "8841"])("loses its letters and digits when it is a text: %s", (emoji) => {
    expect(emojiOf(emoji)).toHaveLength(emoji.length);
    expect(emojiOf(emoji)).not.toMatch(/barth|8841/i);
  });
});

describe("two originals", () => {
  // There is room for 90 of them, so that many want the same at first.
  const all = Array.from({ length: 80 }, (_, i) => `${10 + i}`);

  it("never have the same stand-in, however little room there is", () => {
    const { alike, coordinate } = createPseudonyms("a salt");

    expect(new Set(all.map((one) => coordinate(one))).size).toBe(all.length);
    expect(new Set(all.map((one) => alike("digits", `1234${one}`))).size).toBe(all.length);
  });

  it("never have a name that is somebody's with something behind it, also when every name is", () => {
    const names = (real: ReadonlySet<string>) => {
      const { nameWord } = createPseudonyms("a salt", (value) => real.has(value));
      return Array.from({ length: 400 }, (_, at) => /^\p{L}+/u.exec(nameWord(`Q${at}`))![0]);
    };
    const all = [...new Set(names(new Set()))];

    expect(all.length).toBeGreaterThan(90);
    for (const real of [new Set(all.slice(0, 60)), new Set(all)])
      expect(names(real).filter((name) => real.has(name))).toEqual([]);
  });

  it("never have what is somebody's", () => {
    const { coordinate } = createPseudonyms("a salt", (value) => all.includes(value));

    for (const one of all.slice(0, 20)) expect(all).not.toContain(coordinate(one));
  });
});
