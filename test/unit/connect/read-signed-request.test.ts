/** Meta's signed_request: what is believed, and everything that is not. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readSignedRequest } from "../../../plugin/connect/read-signed-request.ts";

const SECRET = "an-app-secret";
const NOW = new Date("2026-11-27T12:00:00Z");
const ISSUED = NOW.getTime() / 1000 - 5;
const SAID = { algorithm: "HMAC-SHA256", issued_at: ISSUED, user_id: "104" };

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const sign = (payload: string, secret = SECRET) => createHmac("sha256", secret).update(payload).digest("base64url");
const signed = (value: unknown, secret = SECRET) => `${sign(encode(value), secret)}.${encode(value)}`;
const read = (text: unknown, secrets = [SECRET]) => readSignedRequest(text, secrets, NOW);
/** Of a length that base64 pads. */
const PADDED = { ...SAID, user_id: "1045" };

describe("a signed request is read", () => {
  it.each<[string, unknown, string]>([
    ["as Meta words it", signed(SAID), "104"],
    ["with the algorithm in lower case", signed({ ...SAID, algorithm: "hmac-sha256" }), "104"],
    ["with a number for the user", signed({ ...SAID, user_id: 104 }), "104"],
    [
      "with a number beyond JavaScript's",
      signed(JSON.stringify(SAID).replace('"104"', "12345678901234567890")),
      "12345678901234567890",
    ],
    ["with a padded signature", `${sign(encode(SAID))}=.${encode(SAID)}`, "104"],
    ["with a padded payload, over which it is signed", `${sign(`${encode(PADDED)}=`)}.${encode(PADDED)}=`, "1045"],
    ["from nine minutes ahead", signed({ ...SAID, issued_at: ISSUED + 540 }), "104"],
    ["from six days ago", signed({ ...SAID, issued_at: ISSUED - 6 * 86_400 }), "104"],
  ])("%s", (_how, text, metaUserId) => {
    expect(read(text)).toMatchObject({ metaUserId });
  });

  it("with any of the secrets, and says when it was made", () => {
    expect(read(signed(SAID, "the-old-secret"), [SECRET, "the-old-secret"])).toEqual({
      metaUserId: "104",
      issuedAt: new Date(ISSUED * 1000),
    });
  });
});

describe("a signed request is refused", () => {
  const payload = encode(SAID);
  it.each<[string, unknown]>([
    ["that is none", undefined],
    ["that is a list", [signed(SAID)]],
    ["that is empty", ""],
    ["without a signature", `.${payload}`],
    ["without a payload", `${sign("")}.`],
    ["of one part", payload],
    ["of three parts", `${signed(SAID)}.x`],
    ["that is not signed", `x.${payload}`],
    ["signed with another secret", signed(SAID, "another-secret")],
    [
      "signed over what the payload means",
      `${createHmac("sha256", SECRET).update(JSON.stringify(SAID)).digest("base64url")}.${payload}`,
    ],
    ["whose payload was changed", `${sign(payload)}.${encode({ ...SAID, user_id: "105" })}`],
    ["whose signature is in hex", `${createHmac("sha256", SECRET).update(payload).digest("hex")}.${payload}`],
    ["whose signature is short", `${sign(payload).slice(0, 20)}.${payload}`],
    ["in base64 that is not of addresses", `${sign(payload).slice(0, -1)}+.${payload}`],
    ["with spaces", ` ${signed(SAID)}`],
    ["with a line break at the end", `${signed(SAID)}\n`],
    ["with no algorithm", signed({ ...SAID, algorithm: undefined })],
    ["with another algorithm", signed({ ...SAID, algorithm: "none" })],
    ["with an algorithm that is no text", signed({ ...SAID, algorithm: ["HMAC-SHA256"] })],
    ["with no user", signed({ ...SAID, user_id: undefined })],
    ["with an empty user", signed({ ...SAID, user_id: "" })],
    ["with a user that is an object", signed({ ...SAID, user_id: { id: "104" } })],
    ["with an endless user", signed({ ...SAID, user_id: "1".repeat(500) })],
    ["with no time", signed({ ...SAID, issued_at: undefined })],
    ["with a time that is none", signed({ ...SAID, issued_at: "soon" })],
    ["from the future", signed({ ...SAID, issued_at: ISSUED + 660 })],
    ["from last week", signed({ ...SAID, issued_at: ISSUED - 8 * 86_400 })],
    ["that is no JSON", signed("hello")],
    ["that is a JSON text", signed('"hello"')],
    ["that is null", signed("null")],
  ])("%s", (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "SIGNED_REQUEST_INVALID" }));
  });
});
