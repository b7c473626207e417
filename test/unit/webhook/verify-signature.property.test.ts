/** Signatures, W1 to W5: what is accepted, what is refused, and that nothing else ever happens. */
import { createHmac, timingSafeEqual } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { looksSigned, verifySignature } from "../../../plugin/webhook/verify-signature.ts";

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const numRuns = Number(process.env.FC_RUNS ?? 1000);
vi.setConfig({ testTimeout: Math.max(30_000, numRuns * 20) });
const REFUSED = expect.objectContaining({ code: "SIGNATURE_INVALID" });
const ascii = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const secret = ascii.map((text) => `${text}-app-secret`);
const bytes = fc.uint8Array({ maxLength: 2_000 });

function sign(body: Uint8Array | string, key: string): string {
  return `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
}

function outcome(body: Uint8Array, header: string | undefined, keys: readonly string[]): unknown {
  try {
    return verifySignature(body, header, keys).secretIndex;
  } catch (error) {
    return error;
  }
}

describe("a signature", () => {
  it("W1: of any bytes with any secret is accepted, and the very same bytes come back", () => {
    fc.assert(
      fc.property(bytes, secret, (body, key) => {
        const verified = verifySignature(body, sign(body, key), [key]);

        expect(verified.bytes).toBe(body);
        expect(verified.secretIndex).toBe(0);
      }),
      { numRuns },
    );
  });

  it("W2: is refused after any single bit of the body has changed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), secret, fc.nat(), (body, key, at) => {
        const changed = Uint8Array.from(body);
        changed[(at >> 3) % body.length]! ^= 1 << (at & 7);

        expect(outcome(changed, sign(body, key), [key])).toEqual(REFUSED);
      }),
      { numRuns },
    );
  });

  it("W2: is refused after any single bit of the secret has changed", () => {
    fc.assert(
      fc.property(bytes, secret, fc.nat(), fc.nat({ max: 6 }), (body, key, at, bit) => {
        const flipped = [...key];
        flipped[at % key.length] = String.fromCharCode(key.charCodeAt(at % key.length) ^ (1 << bit));

        expect(outcome(body, sign(body, flipped.join("")), [key])).toEqual(REFUSED);
      }),
      { numRuns },
    );
  });

  it("W2: is refused after any single bit of the header has changed", () => {
    fc.assert(
      fc.property(bytes, secret, fc.nat(), fc.nat({ max: 7 }), (body, key, at, bit) => {
        const header = sign(body, key);
        const place = at % header.length;
        const code = header.charCodeAt(place) ^ (1 << bit);

        const changed = header.slice(0, place) + String.fromCharCode(code) + header.slice(place + 1);

        expect(outcome(body, changed, [key])).toEqual(REFUSED);
      }),
      { numRuns },
    );
  });

  it("W3: of any spelling is refused with one error and no other", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEFg \n,"), minLength: 60, maxLength: 68 });
    const header = fc.oneof(
      fc.string({ unit: "binary" }),
      hex.map((digits) => `sha256=${digits}`),
      hex,
    );
    fc.assert(
      fc.property(bytes, header, (body, given) => {
        expect(outcome(body, given, ["an-app-secret"])).toEqual(REFUSED);
      }),
      { numRuns },
    );
  });

  it.each<[string, (right: string) => string | undefined]>([
    ["missing", () => undefined],
    ["empty", () => ""],
    ["without digits", () => "sha256="],
    ["without its prefix", (right) => right.slice("sha256=".length)],
    ["in upper case", (right) => `sha256=${right.slice(7).toUpperCase()}`],
    ["with its prefix in upper case", (right) => right.replace("sha256", "SHA256")],
    ["called sha1", (right) => right.replace("sha256", "sha1")],
    ["one digit short", (right) => right.slice(0, -1)],
    ["one digit long", (right) => `${right}0`],
    ["followed by a newline", (right) => `${right}\n`],
    ["preceded by a space", (right) => ` ${right}`],
    ["given twice", (right) => `${right}, ${right}`],
  ])("that is %s is refused, and does not even look like one", (_name, spell) => {
    const body = Buffer.from("{}");
    const header = spell(sign(body, "an-app-secret"));

    expect(outcome(body, header, ["an-app-secret"])).toEqual(REFUSED);
    expect(looksSigned(header)).toBe(false);
  });

  it("W4: covers bytes that are not UTF-8, where a signature of the text would not fit", () => {
    const invalid = fc.tuple(bytes, bytes).map(([before, after]) => Buffer.concat([before, Buffer.of(0xff), after]));
    fc.assert(
      fc.property(invalid, secret, (body, key) => {
        expect(outcome(body, sign(body, key), [key])).toBe(0);
        expect(outcome(body, sign(body.toString("utf8"), key), [key])).toEqual(REFUSED);
      }),
      { numRuns },
    );
  });

  it.each([
    { configured: ["new-secret"], new: 0, old: REFUSED, other: REFUSED },
    { configured: ["old-secret"], new: REFUSED, old: 0, other: REFUSED },
    { configured: ["new-secret", "old-secret"], new: 0, old: 1, other: REFUSED },
    { configured: ["old-secret", "new-secret"], new: 1, old: 0, other: REFUSED },
    { configured: [], new: REFUSED, old: REFUSED, other: REFUSED },
  ])("W5: with $configured configured is told apart by who signed", ({ configured, ...expected }) => {
    const body = Buffer.from("{}");

    const outcomes = ["new", "old", "other"].map((who) => outcome(body, sign(body, `${who}-secret`), configured));

    expect(outcomes).toEqual([expected.new, expected.old, expected.other]);
  });

  it("is compared in constant time, against every secret even after one has matched", () => {
    const body = Buffer.from("{}");
    vi.mocked(timingSafeEqual).mockClear();

    verifySignature(body, sign(body, "new-secret"), ["new-secret", "old-secret"]);

    expect(timingSafeEqual).toHaveBeenCalledTimes(2);
  });

  it("that is refused leaves no hint of the expected one in the error", () => {
    const body = Buffer.from('{"a":1}');
    const expected = sign(body, "an-app-secret");

    const error = outcome(body, sign(body, "another"), ["an-app-secret"]) as Error;

    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(expected.slice(7, 15));
  });
});
