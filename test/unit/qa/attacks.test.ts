/** Places and spellings in which something personal hides from a scrubber, each seen to have got through once. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { findLeaks } from "../../../qa/check.ts";
import { diffConversation } from "../../../qa/diff.ts";
import { objectOf, objectsIn } from "../../../qa/lossless-json.ts";
import { createScrubber, type TextMode } from "../../../qa/scrub.ts";

const CARD = { profile: { name: "Adalberta Núñez", username: "adalberta.q" }, wa_id: "447700900123" };
const OTHERS = [
  { profile: { name: "王小明" }, wa_id: "8613800138000" },
  { profile: { name: "Solveig Strand" }, wa_id: "4790012345" },
  { profile: { name: "You" }, wa_id: "447700900999" },
];

function delivery(message: WireObject): WireObject {
  const value = {
    metadata: { display_phone_number: "15557770100", phone_number_id: "301777000333444" },
    contacts: [CARD, ...OTHERS],
    messages: [{ from: CARD.wa_id, id: "wamid.IN1", timestamp: "1790000001", ...message }],
  };
  return { object: "whatsapp_business_account", entry: [{ id: "201555000111222", changes: [{ value }] }] };
}

function scrubbed(json: unknown, text: TextMode): unknown {
  const scrubber = createScrubber({ salt: "a salt", text });
  scrubber.learn(json);
  return scrubber.scrub(json);
}

function messageIn(json: unknown): WireObject {
  const [entry] = objectsIn(objectOf(json).entry);
  const [change] = objectsIn(entry?.changes);
  return objectsIn(objectOf(change?.value).messages)[0] ?? {};
}

const kept = (body: string) =>
  String(objectOf(messageIn(scrubbed(delivery({ type: "text", text: { body } }), "keep")).text).body);
const first = kept("Adalberta");
const last = kept("Núñez");
const standInOf = (number: string) => kept(`+${number}`).slice(1);

/** What the checker says of a message that nobody has scrubbed. */
function leaksIn(message: WireObject, mode: TextMode): readonly string[] {
  const found = findLeaks([delivery(message)], [{ file: "x", json: { message } }], mode);
  return [...new Set(found.map(({ what }) => what))];
}

describe("a number in a kept text", () => {
  it.each([
    ["in Arabic digits", "اتصل ٠٧٧٠٠ ٩٠٠١٢٣", "٧٧٠٠"],
    ["in Persian digits", "۰۷۷۰۰۹۰۰۱۲۳", "۷۷۰۰"],
    ["in full width", "０７７００９００１２３", "７７００"],
    ["with spaces that do not break", "+44\u00a07700\u202f900\u2009123", "900\u2009123"],
    ["with hyphens and dashes of other kinds", "0\u20117700\u2013900\u2013123", "900\u2013123"],
    ["between marks of direction", "\u202a+44 7700 900123\u202c", "900123"],
    ["with a word before it and no space", "Tel.07911 123456", "123456"],
    ["with a word in front of a hyphen", "mobile-07911-123456", "123456"],
    ["after a date", "on 2026-11-27 07911 123456", "123456"],
    ["that looks like a date", "mine is 0612.34.56.78", "56.78"],
    ["in the address of a chat", "https://wa.me/447911123456?text=hi", "123456"],
    ["encoded in an address", "https://x.test/?to=%2B44%207911%20123456", "123456"],
    ["over two lines", "My details:\n+44 7911\n123456", "123456"],
    ["over two lines, as it is dialled at home", "07911\r\n123 456", "456"],
    ["in two halves with a colon", "07911:123456", "123456"],
    ["in two halves with a comma and a space", "07911, 123456", "123456"],
    ["with points in the middle", "07911·123·456", "123·456"],
    ["half of it bold", "*07911* 123456", "123456"],
    ["of another country, as it is dialled there", "ring 900 12 345", "12 345"],
    ["with a hyphen in it that is not seen", "4477\u00ad00900123", "00900123"],
    ["with a joiner in it", "07700\u2060900123", "900123"],
  ])("%s is replaced, and what stands around it stays", (_, text, secret) => {
    const clean = kept(text);

    expect(clean).not.toContain(secret);
    expect([...clean]).toHaveLength([...text].length);
    expect(
      findLeaks([delivery({ type: "text", text: { body: text } })], [{ file: "x", json: { body: clean } }], "keep"),
    ).toEqual([]);
    expect(leaksIn({ type: "text", text: { body: text } }, "keep")).toContain("a number");
  });

  it("is the same person's in every spelling", () => {
    const other = standInOf("447700900123");
    const home = other.slice(2);

    expect(kept("00447700900123")).toBe(`00${other}`);
    expect(kept("+44 (0)7700 900123")).toBe(`+44 (0)${home.slice(0, 4)} ${home.slice(4)}`);
    expect(kept("٠٧٧٠٠٩٠٠١٢٣").replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))).toBe(`0${home}`);
    expect(kept("900 12 345").replaceAll(" ", "")).toBe(standInOf("4790012345").slice(2));
  });

  it.each(["447700|900123", "447700;900123", "my number: 447700\n900123, 5 times 17"])(
    "that is known is found whatever takes it apart: %s",
    (body) => {
      const clean = kept(body);
      const original = delivery({ type: "text", text: { body } });

      expect(clean).not.toContain("900123");
      expect(clean.replace(/\d/g, "0")).toBe(body.replace(/\d/g, "0"));
      expect(clean.replace(/\D/g, "").slice(0, 12)).toBe(standInOf("447700900123"));
      expect(clean.split(",")[1]).toBe(body.split(",")[1]);
      expect(findLeaks([original], [{ file: "x", json: { body: clean } }], "keep")).toEqual([]);
    },
  );

  it("that nobody has is none when more than a space takes it apart", () => {
    expect(kept("447711|900123; 12|34|56|78|90")).toBe("447711|900123; 12|34|56|78|90");
  });

  it("is one on each line of a list", () => {
    const [first, second] = kept("+447700900123\n+447700900999").split("\n");

    expect([first, second]).toEqual([`+${standInOf("447700900123")}`, `+${standInOf("447700900999")}`]);
  });

  it("is left alone where it is a date, a uuid's part, or too short for a number", () => {
    const text = "On 2026-11-27 at 10:30, or 2026-11-27T10:30:00Z: 4711 pieces, 51 %";

    expect(kept(text)).toBe(text);
    const uuid = "983f538f-3422-451d-8d99-67a411d61bdc";
    expect(kept(`kept at /media/${uuid}.`)).toMatch(/^kept at \/media\/[0-9a-z]{8}-[0-9a-z-]{27}\.$/);
    expect(kept(`kept at /media/${uuid}.`)).not.toContain(uuid);
    expect(findLeaks([{ text: { body: uuid } }], [{ file: "x", json: { id: kept(uuid) } }], "keep")).toEqual([]);
  });
});

describe("a name in a kept text", () => {
  it.each([
    ["without its marks", "Nunez", last],
    ["with its marks apart", "Núñez".normalize("NFD"), last],
    ["written together", "@AdalbertaNunez", null],
    ["written together, the family's first", "@nunezadalberta", null],
    ["with an s of possession", "Adalbertas", null],
    ["in an address", "https://x.test/adalberta-nu%CC%81n%CC%83ez", null],
    ["in base64, in an address", `https://x.test/c/${Buffer.from("Adalberta Núñez").toString("base64url")}`, null],
    ["with a sign of possession", "Adalberta’s", `${first}’s`],
    ["the given one alone, in Chinese", "小明在吗", null],
    ["with a hyphen in it that is not seen", "Adal\u00adberta", first],
    ["with a space of no width in it", "Nú\u200bñez", last],
    ["with what keeps letters from joining in it", "Adal\u200cberta", first],
    ["before a space of no width and other letters", "Adalberta\u200bwrites", `${first}\u200bwrites`],
    ["the given one alone, in Chinese, with a joiner in it", "小\u2060明在吗", null],
    [
      "in base64, with a hyphen in it that is not seen",
      Buffer.from("Adal\u00adberta Núñez").toString("base64url"),
      null,
    ],
  ])("%s is replaced", (_, text, wanted) => {
    const clean = kept(text);

    const read = decodeURIComponent(clean)
      .normalize("NFKD")
      .replace(/\p{Cf}/gu, "");
    expect(read.toLowerCase()).not.toMatch(/adalberta|nu.?n.?ez|小明/u);
    if (wanted !== null) expect(clean.toLowerCase()).toBe(wanted.toLowerCase());
    expect(leaksIn({ type: "text", text: { body: text } }, "keep")).toContain("a name");
  });

  it("that is written with a sign that nobody sees is one without it, too", () => {
    const written = (name: string, body: string) => {
      const json = { contacts: [{ profile: { name }, wa_id: "989121234567" }], messages: [{ text: { body } }] };
      const { messages } = scrubbed(json, "keep") as typeof json;
      return String(messages[0]?.text.body);
    };
    for (const [name, body] of [
      ["علی\u200cرضا", "علیرضا"],
      ["علیرضا", "علی\u200cرضا"],
      ["علی\u200cرضا", "علی"],
      ["Qui\u00adlla", "Quilla"],
    ] as const)
      expect([name, body, written(name, body)]).not.toEqual([name, body, body]);
  });

  it.each([
    ["Åsa Öberg", "Åsas hund, Öbergs katt", "Åsa|Öberg", "hund,"],
    ["Quirin Zwerg", "Frau ZWERGS Rechnung", "zwerg", "Rechnung"],
    ["أحمد منصور", "كتب لأحمد ومنصور", "حمد|منصور", "كتب"],
    ["דוד כהן", "שלחו לדוד ולכהן", "דוד|כהן", "שלחו"],
  ])("that has an ending or a prefix of its language is one: %s", (name, body, gone, stays) => {
    const original = { contacts: [{ profile: { name }, wa_id: "4670123456789" }], messages: [{ text: { body } }] };
    const { messages } = scrubbed(original, "keep") as typeof original;

    expect(messages[0]?.text.body).not.toMatch(new RegExp(gone, "iu"));
    expect(messages[0]?.text.body).toContain(stays);
    expect(findLeaks([original], [{ file: "x", json: { messages } }], "keep")).toEqual([]);
    expect(findLeaks([original], [{ file: "x", json: { body } }], "keep")).toContainEqual(
      expect.objectContaining({ what: "a name" }),
    );
  });

  it("that is as short as a word's beginning, or longer than the word, makes none of that word", () => {
    const body = "He was here: his cars, the arts, ads; Han has a Thoma";
    const people = ["Wa Ca", "Ad Ar", "Hans Thomas", "Ha Hi"].map((name) => ({
      profile: { name },
      wa_id: "4670123456789",
    }));
    const original = { contacts: people, messages: [{ text: { body } }] };

    expect(scrubbed(original, "keep")).toMatchObject({ messages: [{ text: { body } }] });
  });

  it("leaves what stands beside it as it is: emoji of several, marks of direction, words that do not join", () => {
    const around = [
      "👩\u200d👧 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} ",
      "\u200f نمی\u200cخواهم \u00ad7️⃣",
    ];

    expect(kept(around.join("Adal\u00adberta"))).toBe(around.join(first));
  });

  it("of a user is one with a dot behind it, and a pronoun is nobody's", () => {
    expect(kept("I am @adalberta.q.")).toMatch(/^I am @u[0-9a-f]{9}\.$/);
    expect(kept("adalberta.q's")).toMatch(/^u[0-9a-f]{9}'s$/);
    expect(kept("You said: are you there?")).toBe("You said: are you there?");
  });
});

describe("a token in a link", () => {
  const links = [
    [
      "a signature of Azure's",
      "https://x.test/b.png?sv=2024-11-04&sig=Qk1%2FcdEf%2Bgh12ijKL%2FmnOPqr8Zx%2BYw%3D",
      /cdEf|mnOP/,
    ],
    ["a signature of S3's", "https://x.test/k?Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&a=1", /vjby|yT272/],
    [
      "a credential of S3's",
      "https://x.test/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261127%2Feu%2Fs3%2Faws4_request&a=1",
      /AKIA|20261127/,
    ],
    [
      "a JWT",
      "https://x.test/?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
      /eyJ|dozjg/,
    ],
  ] as const;

  it.each(links)("is replaced as a whole, and no link is broken: %s", (_, link, secret) => {
    const body = `See ${link}.`;
    const clean = kept(body);

    expect(clean).not.toMatch(secret);
    expect(decodeURIComponent(clean)).toHaveLength(decodeURIComponent(body).length);
    const around = (text: string) => text.replace(/=[\w.%]{14,}/, "=");
    expect(around(clean)).toBe(around(body));
    const original = delivery({ type: "text", text: { body } });
    expect(findLeaks([original], [{ file: "x", json: { body: clean } }], "keep")).toEqual([]);
    expect(leaksIn({ type: "text", text: { body } }, "keep")).toContain("a token in an address");
    const decoded = { type: "text", text: { body: decodeURIComponent(body) } };
    expect(findLeaks([original], [{ file: "x", json: decoded }], "keep").map(({ what }) => what)).toContain(
      "a token in an address",
    );
  });

  it.each(links)("is another one each time, and no difference: %s", (_, link) => {
    const next = link.replace(/(?<==)[A-Za-z][\w.%]{13,}/, (token) =>
      token.replace(/%..|[a-z]|\d/g, (one) => ({ a: "7", k: "B", "7": "q", "1": "z" })[one] ?? one),
    );
    expect(next).not.toBe(link);
    for (const text of ["keep", "shape"] as const) {
      const promised = messageIn(scrubbed(delivery({ type: "text", text: { body: link } }), text)).text as WireObject;
      const [one, other] = [promised, { body: next }].map((body) => ({
        endpoint: "messages",
        message: { type: "text", text: body },
        after: "",
      }));

      expect(diffConversation([one!], [other!], { text, isInOrder: true }).map(({ kind }) => kind)).toEqual(["same"]);
    }
  });

  it.each([
    "https://x.test/?text=Hello%20Order%20number%2017",
    "https://x.test/?file=report.final.2026.pdf",
    "https://x.test/?next=%2Fshop%2Fitems%2F17",
  ])("is none where people have thought of it: %s", (link) => {
    expect(kept(link)).toBe(link);
  });
});

describe("what nobody wrote", () => {
  const MODES: readonly TextMode[] = ["keep", "shape", "fixed"];
  const places: readonly [string, WireObject, readonly string[]][] = [
    [
      "a contact card",
      {
        type: "contacts",
        contacts: [
          {
            name: { formatted_name: "Zed Quux" },
            addresses: [{ street: "12 Elm Road", city: "Oxbridge", zip: "OX1 2JD", country: "Elbonia", type: "HOME" }],
            urls: [{ url: "https://zed-quux.example/cv" }],
            birthday: "1961-04-12",
            org: { company: "Quux Ltd", title: "Undertaker" },
            vcard: 'BEGIN:VCARD\nADR;LABEL="12 Elm Road":;;12 Elm Road\nX-SOCIAL;x-user=zedquux:http\nEND:VCARD',
          },
        ],
      },
      ["1961", "Elm", "Oxbridge", "OX1", "Elbonia", "zed", "Quux", "Undertaker", "zedquux"],
    ],
    [
      "a place",
      { type: "location", location: { latitude: 51.5, longitude: 0.1, name: "Mum's flat", address: "12 Elm Road" } },
      ["Mum", "flat", "Elm", "51.5"],
    ],
    [
      "an address that Meta knows by a click",
      { referral: { source_url: "https://fb.me/x?fbclid=IwAR0abcDEF123456789", ctwa_clid: "AfClick0123456789" } },
      ["IwAR0", "AfClick"],
    ],
    [
      "the network of a caller",
      { type: "call", session: { sdp: "v=0\r\nc=IN IP4 203.0.113.77\r\n" } },
      ["203.0.113.77"],
    ],
  ];

  it.each(places.flatMap(([what, message, secrets]) => MODES.map((mode) => [what, mode, message, secrets] as const)))(
    "%s holds nobody, texts: %s",
    (_, mode, message, secrets) => {
      const clean = JSON.stringify(messageIn(scrubbed(delivery(message), mode)));

      for (const secret of secrets)
        expect([secret, clean.toLowerCase().includes(secret.toLowerCase())]).toEqual([secret, false]);
    },
  );

  it("and a form's answers are texts, by whatever name Meta has for something else", () => {
    const answers = { status: "Divorced", country: "Elbonia", code: "diabetic", time: "midnight", category: 9500 };
    const message = {
      type: "interactive",
      interactive: { type: "nfm_reply", nfm_reply: { name: "flow", response_json: JSON.stringify(answers) } },
    };

    expect(JSON.stringify(messageIn(scrubbed(delivery(message), "shape")))).not.toMatch(
      /Divorced|Elbonia|diabetic|midnight|9500/,
    );
    expect(leaksIn(message, "shape")).toEqual(["a word of a text"]);
    expect(JSON.stringify(messageIn(scrubbed(delivery(message), "keep")))).toContain("Divorced");
  });
});

describe("what a host gives to its own form", () => {
  const given = {
    event: "Núñez",
    status: "0170-123-45-67",
    referral_category: "HIV-positive",
    children: 2,
    departments: [{ id: "adalberta", title: "Oncology" }],
  };
  const sends: readonly (readonly [string, WireObject])[] = [
    [
      "by a message",
      {
        type: "interactive",
        interactive: {
          type: "flow",
          action: { name: "flow", parameters: { flow_action_payload: { screen: "WELCOME", data: given } } },
        },
      },
    ],
    [
      "by a template",
      {
        type: "template",
        template: {
          name: "booking",
          components: [
            {
              type: "button",
              sub_type: "flow",
              index: "0",
              parameters: [{ type: "action", action: { flow_token: "t-1", flow_action_data: given } }],
            },
          ],
        },
      },
    ],
  ];
  const modes = ["keep", "shape", "fixed"] as const;
  const cases = sends.flatMap(([how, message]) => modes.map((mode) => [how, mode, message] as const));

  it.each(cases)("%s says nothing of Meta's, texts: %s", (_, mode, message) => {
    const clean = JSON.stringify(messageIn(scrubbed(delivery(message), mode)));

    expect(clean).not.toMatch(/Núñez|adalberta|0170-123-45-67/);
    if (mode !== "keep") expect(clean).not.toMatch(/HIV-positive|Oncology|"children":2/);
    expect(clean).toContain(message.type === "template" ? '"name":"booking"' : '"screen":"WELCOME"');
    expect(leaksIn(message, mode)).toEqual(expect.arrayContaining(["a name", "a number"]));
    if (mode !== "keep") expect(leaksIn(message, mode)).toContain("a word of a text");
  });

  it.each(cases)("%s is the same when it is sent again, texts: %s", (_, text, message) => {
    const promised = messageIn(scrubbed(delivery(message), text));
    const { from: _from, id: _id, timestamp: _timestamp, ...recorded } = promised;
    const sent = (one: WireObject) => ({ endpoint: "messages", message: one, after: "" });
    const rows = diffConversation([sent(recorded)], [sent(message)], { text, isInOrder: true, names: [last] });

    expect(rows.flatMap(({ kind, changes }) => [kind, ...changes])).toEqual(["same"]);
  });
});

describe("the answers to a form", () => {
  const answered = (answers: object) => ({
    type: "interactive",
    interactive: { type: "nfm_reply", nfm_reply: { name: "flow", response_json: JSON.stringify(answers) } },
  });
  const answersIn = (message: WireObject, mode: TextMode) => {
    const { nfm_reply: reply } = objectOf(messageIn(scrubbed(delivery(message), mode)).interactive);
    return JSON.parse(String(objectOf(reply).response_json)) as WireObject;
  };

  it.each(["keep", "shape", "fixed"] as const)("have fields that are named by nobody, texts: %s", (mode) => {
    const guests = answered({ guest_Adalberta: "yes", Strand: true, email: "no", room_name: "no" });

    const fields = Object.keys(answersIn(guests, mode));
    expect(fields).toEqual([expect.stringMatching(/^guest_[A-Z]/), expect.any(String), "email", "room_name"]);
    expect(fields.join()).not.toMatch(/Adalberta|Strand/);
    expect(findLeaks([delivery(guests)], [{ file: "x", json: guests }], mode)).toEqual(
      expect.arrayContaining([
        { file: "x", path: ".interactive.nfm_reply.response_json.(member 1)", what: "a name" },
        { file: "x", path: ".interactive.nfm_reply.response_json.(member 2)", what: "a name" },
      ]),
    );
  });

  it("have no digits in their shape, as a message has that answers a numbered list", () => {
    expect(answersIn(answered({ age: "34", children: "2", floor: "12." }), "shape")).toEqual({
      age: "00",
      children: "0",
      floor: "00.",
    });
    expect(messageIn(scrubbed(delivery({ type: "text", text: { body: "12." } }), "shape"))).toMatchObject({
      text: { body: "12." },
    });
  });
});

describe("the checker", () => {
  const hidden = (json: unknown, mode: TextMode = "shape") =>
    findLeaks(
      [delivery({ type: "text", text: { body: "my umbrella, https://x.test/?session=abcdef0123456789" } })],
      [{ file: "x", json: { text: json } }],
      mode,
    ).map(({ what }) => what);

  it.each<[string, string]>([
    ["a number", `https://x.test/abc/${Buffer.from("\x1c\x18\x0c447700900123\x15").toString("base64")}`],
    ["a number", "٤٤٧٧٠٠٩٠٠١٢٣"],
    ["a name", '{"who":"\\u0041dalberta"}'],
    ["a name", "N%C3%BA%C3%B1ez"],
    ["a name", `https://crm.test/c/${Buffer.from("Adalberta Núñez").toString("base64")}`],
    ["a token in an address", "it was abcdef0123456789"],
  ])("finds %s in %s", (what, value) => {
    expect(hidden(value)).toContain(what);
  });

  it("takes what is put in the place of files and addresses, and Meta's words, for nobody's", () => {
    const original = { text: { body: "my mail: the file of the example, or the message" } };
    const made = [
      { filename: "file-1f2e3d.pdf" },
      { email: "mail-1f2e3d4c@example.com" },
      { link: "https://example.com/" },
    ];

    expect(findLeaks([original], [{ file: "x", json: { made, type: "0001-message" } }], "shape")).toEqual([]);
  });

  it("takes digits of a long text that only meet when it is read without its words for no number", () => {
    const prices = "44 apples, 7700 pears, 900 plums, 12 nuts, 3 figs";

    expect(hidden(prices, "keep")).toEqual([]);
    expect(
      findLeaks([{ text: { body: "order 1234567" } }], [{ file: "x", json: { id: "9912345678801" } }], "keep"),
    ).toEqual([]);
  });

  it("knows the numbers and addresses in links, in Meta's sentences and in names", () => {
    for (const original of [
      { image: { link: "https://x.test/447911123456" } },
      { errors: [{ error_data: { details: "Not delivered to +44 7911 123456" } }] },
      { profile: { name: "07911 123456" } },
    ])
      expect(findLeaks([original], [{ file: "x", json: { text: "4407911123456" } }], "keep")).toHaveLength(1);
  });

  it("looks for the words of file names in file names, and without their ending", () => {
    const sent = delivery({
      type: "document",
      document: {
        id: "4410004",
        filename: "invoice_bartholomew.docx",
        caption: "here is my invoice.docx, Bartholomew",
      },
    });
    const left = (filename: string) =>
      findLeaks([sent], [{ file: "x", json: { document: { filename } } }], "keep").map(({ what }) => what);

    expect(findLeaks([sent], [{ file: "x", json: scrubbed(sent, "keep") }], "keep")).toEqual([]);
    const named = delivery({ type: "document", document: { id: "4410004", filename: "Contract Mrs.Nunez" } });
    expect(findLeaks([named], [{ file: "x", json: scrubbed(named, "keep") }], "keep")).toEqual([]);
    expect(JSON.stringify(scrubbed(named, "keep"))).not.toContain("Nunez");
    expect(left("bartholomew.pdf")).toEqual(["a word of a file name"]);
    expect(left("my-invoice")).toEqual(["a word of a file name"]);
    expect(left("report.docx")).toEqual([]);
  });
});
