/** From verified bytes to JSON that Postgres can hold, or to the reason why there is none. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Payload, readPayload } from "../../../plugin/webhook/read-payload.ts";
import { verifySignature } from "../../../plugin/webhook/verify-signature.ts";

const numRuns = Number(process.env.FC_RUNS ?? 1000);
vi.setConfig({ testTimeout: Math.max(30_000, numRuns * 20) });
const NOT_JSON = { kind: "quarantined", reason: "not JSON" };
const TOO_DEEP = { kind: "quarantined", reason: "nested deeper than 64 levels" };

function read(body: string | Uint8Array): Payload {
  const bytes = Buffer.from(body);
  return readPayload(verifySignature(bytes, signatureOf(bytes, "an-app-secret"), ["an-app-secret"]));
}

function parsed(body: string | Uint8Array): unknown {
  const payload = read(body);
  return payload.kind === "json" ? payload.value : expect.fail(payload.reason);
}

function nested(open: string, close: string, levels: number): string {
  return `${open.repeat(levels)}0${close.repeat(levels)}`;
}

describe("nesting", () => {
  it.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("of %s is read to 64 levels and quarantined from 65 on", (_name, open, close) => {
    expect(read(nested(open, close, 64))).toMatchObject({ kind: "json" });
    expect(read(nested(open, close, 65))).toEqual(TOO_DEEP);
    expect(read(nested(open, close, 100_000))).toEqual(TOO_DEEP);
  });

  it("counts no brackets in strings, whatever quotes and backslashes stand around them", () => {
    const text = `${"[{".repeat(200)}\\"${"[".repeat(200)}\\\\`;

    expect(parsed(JSON.stringify({ text, next: [text] }))).toEqual({ text, next: [text] });
  });

  it("counts levels and not brackets", () => {
    expect(parsed(`[${"[],".repeat(500)}[]]`)).toHaveLength(501);
  });
});

describe("characters that Postgres refuses", () => {
  it.each([
    ["NUL", '"a\\u0000b"', "a\ufffdb"],
    ["the first half of a pair alone", '"a\\ud83d"', "a\ufffd"],
    ["the second half alone", '"\\ude00b"', "\ufffdb"],
    ["two halves in the wrong order", '"\\ude00\\ud83d"', "\ufffd\ufffd"],
    ["a half before a whole pair", '"\\ud83d\\ud83d\\ude00"', "\ufffd😀"],
    ["a half before another escape", '"\\ud83d\\u0041"', "\ufffdA"],
    ["halves in upper case", '"\\uD83D \\uDE00"', "\ufffd \ufffd"],
  ])("become U+FFFD: %s", (_name, json, expected) => {
    expect(parsed(json)).toBe(expected);
  });

  it.each([
    ["a pair", '"\\ud83d\\ude00"', "😀"],
    ["a pair in upper case", '"\\uD83D\\uDE00"', "😀"],
    ["a backslash before u0000", '"\\\\u0000"', "\\u0000"],
    ["two backslashes before u0000", '"\\\\\\\\u0000"', "\\\\u0000"],
    ["a backslash before ud83d", '"\\\\ud83d"', "\\ud83d"],
    ["a quote before u0000", '"\\"u0000"', '"u0000'],
    ["U+0001", '"\\u0001"', "\u0001"],
  ])("are not seen in what only looks like them: %s", (_name, json, expected) => {
    expect(parsed(json)).toBe(expected);
    expect(read(json)).toMatchObject({ mended: null });
  });

  it.each(["1e999999", "-1.5E+131073", `[0.${"0".repeat(17_000)}1]`, "9".repeat(140_000)])(
    "numbers that jsonb may refuse are told, so that it is asked before the 200: %.20s",
    (number) => {
      const json = `{"size":${number}}`;
      expect(read(json)).toMatchObject({ kind: "json", mended: json });
    },
  );

  it("are replaced after a backslash too", () => {
    expect(parsed('"\\\\\\u0000"')).toBe("\\\ufffd");
  });

  it("are replaced in any string, key or value, however it is spelled, and nothing else is", () => {
    const escaped = (text: string) =>
      `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`;
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, key) => {
        const kept = (from: string) => from.toWellFormed().replaceAll("\0", "\ufffd");

        expect(parsed(JSON.stringify(text))).toBe(kept(text));
        expect(parsed(escaped(text))).toBe(kept(text));
        expect(Object.keys(parsed(`{${escaped(key)}:1}`) as object)).toEqual([kept(key)]);
      }),
      { numRuns },
    );
  });
});

describe("numbers", () => {
  it.each([
    ["16895569081298351", "16895569081298351"],
    ["-16895569081298351", "-16895569081298351"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ["9007199254740993", "9007199254740993"],
    ["9007199254740991", 9007199254740991],
    ["1790000000", 1790000000],
    ["12345678901234567.5", Number("12345678901234567.5")],
    ["12345678901234567e2", Number("12345678901234567e2")],
    ["0.1234567890123456789", Number("0.1234567890123456789")],
  ])("keep every digit: %s", (digits, expected) => {
    expect(parsed(digits)).toBe(expected);
    expect(parsed(`[${digits}]`)).toEqual([expected]);
    expect(parsed(`{"id" : ${digits}\n}`)).toEqual({ id: expected });
    expect(parsed(`["\\"1",${digits},"2"]`)).toEqual(['"1', expected, "2"]);
  });

  it("stay in the stored JSON as Meta wrote them", () => {
    expect(read('{"id":16895569081298351}')).toMatchObject({ mended: null });
    expect(read('{"id":16895569081298351,"text":"\\u0000"}')).toMatchObject({
      mended: '{"id":16895569081298351,"text":"\\ufffd"}',
    });
  });

  it("in strings stay in strings", () => {
    const tricky = ':1689556908129835100, "16895569081298351" \\ [16895569081298351]';

    expect(parsed(JSON.stringify({ [tricky]: tricky }))).toEqual({ [tricky]: tricky });
  });

  it("change nothing else, in any JSON", () => {
    const isRounded = (value: unknown) =>
      typeof value === "number" &&
      Number.isInteger(value) &&
      !Number.isSafeInteger(value) &&
      /^-?\d+$/.test(String(value));
    const spelledOut = (_key: string, value: unknown) => (isRounded(value) ? String(value) : value);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
        const json = JSON.stringify(value, null, indent);

        expect(parsed(json)).toEqual(JSON.parse(json, spelledOut));
      }),
      { numRuns },
    );
  });
});

describe("what is not JSON", () => {
  it.each([
    ["nothing", ""],
    ["a space", " "],
    ["words", "hello"],
    ["a form", "a=1&b=2"],
    ["half of it", '{"object":"whatsapp_business_account","entry":['],
    ["a NUL that is not escaped", '"\0"'],
    ["two values", "{} {}"],
    ["a long integer for a key", "{12345678901234567890:1}"],
    ["a long integer beside a string", '[12345678901234567890"a"]'],
    ["closing brackets first", `${"]".repeat(100)}${"[".repeat(100)}`],
    ["a string without end", `"${"\\".repeat(9)}`],
    ["bytes of a picture", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00])],
  ])("is quarantined, with a reason that quotes nothing: %s", (_name, body) => {
    expect(read(body)).toEqual(NOT_JSON);
  });

  it("is told from JSON with broken UTF-8 inside, which is read", () => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff, 0xc3), Buffer.from('"}')]);

    expect(parsed(body)).toEqual({ a: "\ufffd\ufffd" });
    expect(read(body)).toMatchObject({ mended: '{"a":"\ufffd\ufffd"}' });
  });

  it("never makes it throw, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
        expect(["json", "quarantined"]).toContain(read(body).kind);
      }),
      { numRuns },
    );
  });
});
