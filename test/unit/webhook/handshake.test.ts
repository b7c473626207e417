/** The handshake: the one GET that proves nothing but that we know the token. */
import { timingSafeEqual } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { answerHandshake } from "../../../plugin/webhook/handshake.ts";

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const numRuns = Number(process.env.FC_RUNS ?? 1000);
vi.setConfig({ testTimeout: Math.max(30_000, numRuns * 20) });
const TOKEN = "a-verify-token";
const RIGHT = { "hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158201444" };
const REFUSED = expect.objectContaining({ code: "HANDSHAKE_REFUSED" });

describe("a handshake", () => {
  it("with the right token is answered with its challenge, as text and of any length of digits", () => {
    expect(answerHandshake(RIGHT, TOKEN)).toBe("1158201444");
    expect(answerHandshake({ ...RIGHT, "hub.challenge": "9".repeat(40) }, TOKEN)).toBe("9".repeat(40));
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["a wrong token", { ...RIGHT, "hub.verify_token": "another-token" }],
    ["a token that begins like ours", { ...RIGHT, "hub.verify_token": TOKEN.slice(0, -1) }],
    ["an empty token", { ...RIGHT, "hub.verify_token": "" }],
    ["no token", { "hub.mode": "subscribe", "hub.challenge": "1" }],
    ["a list that holds the token", { ...RIGHT, "hub.verify_token": [TOKEN, TOKEN] }],
    ["a token that prints like ours", { ...RIGHT, "hub.verify_token": { toString: () => TOKEN } }],
    ["no mode", { "hub.verify_token": TOKEN, "hub.challenge": "1" }],
    ["another mode", { ...RIGHT, "hub.mode": "unsubscribe" }],
    ["no challenge", { "hub.mode": "subscribe", "hub.verify_token": TOKEN }],
    ["an empty challenge", { ...RIGHT, "hub.challenge": "" }],
    ["markup for a challenge", { ...RIGHT, "hub.challenge": "<script>alert(1)</script>" }],
    ["a challenge with a newline", { ...RIGHT, "hub.challenge": "1158201444\n" }],
    ["a list for a challenge", { ...RIGHT, "hub.challenge": ["1158201444"] }],
    ["a challenge without end", { ...RIGHT, "hub.challenge": "1".repeat(129) }],
    ["names nested instead of dotted", { hub: { mode: "subscribe", verify_token: TOKEN, challenge: "1" } }],
  ])("with %s is refused", (_name, query) => {
    expect(() => answerHandshake(query, TOKEN)).toThrow(REFUSED);
  });

  it("never echoes what a browser could take for markup", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (challenge) => {
        fc.pre(!/^[0-9A-Za-z_-]{1,128}$/.test(challenge));
        expect(() => answerHandshake({ ...RIGHT, "hub.challenge": challenge }, TOKEN)).toThrow(REFUSED);
      }),
      { numRuns },
    );
  });

  it("compares tokens in constant time, whatever their lengths", () => {
    vi.mocked(timingSafeEqual).mockClear();

    expect(() => answerHandshake({ ...RIGHT, "hub.verify_token": "x" }, TOKEN)).toThrow(REFUSED);

    expect(timingSafeEqual).toHaveBeenCalledOnce();
  });

  it("that is refused names the variable to check and not its value", () => {
    expect(() => answerHandshake({}, TOKEN)).toThrow(/WHATSAPP_VERIFY_TOKEN/);
    expect(() => answerHandshake({}, TOKEN)).not.toThrow(new RegExp(TOKEN));
  });
});
