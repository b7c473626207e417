/** The sentences of connecting: one for every code that a URL or a route may carry, each saying what to do. */
import { describe, expect, it } from "vitest";
import { GENERAL_SENTENCE, SENTENCES } from "../../../ui/sentences.js";
import { fill, lookUp, mergeTexts, TEXTS } from "../../../ui/texts.js";

describe("the sentences", () => {
  it("name their codes as a URL does, and say something each", () => {
    for (const [code, sentence] of Object.entries(SENTENCES)) {
      expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
      expect([code, sentence]).toEqual([code, expect.stringMatching(/^[A-Z].{40,}\.$/)]);
    }
    expect(new Set(Object.values(SENTENCES)).size).toBe(Object.keys(SENTENCES).length);
  });

  it("begin as the guide's troubleshooting does", () => {
    expect(SENTENCES.invalid_state).toMatch(/^Invalid state parameter: .*10 minutes.*Press Connect WhatsApp again\.$/);
    expect(SENTENCES.invalid_redirect_uri).toMatch(/^Invalid redirect_uri: .*Valid OAuth Redirect URIs/);
    expect(SENTENCES.no_business_accounts).toMatch(/^No WhatsApp Business Accounts found: .*business\.facebook\.com/);
  });

  it("are found by their own names only", () => {
    expect(lookUp(TEXTS.errors, "access_denied")).toBe(SENTENCES.access_denied);
    for (const name of ["constructor", "__proto__", "toString", "nothing"])
      expect(lookUp(TEXTS.errors, name)).toBeUndefined();
    expect(TEXTS.errors.general).toBe(GENERAL_SENTENCE);
  });
});

describe("texts of a page's own", () => {
  it("take the place of single ones and leave the others", () => {
    const texts = mergeTexts({
      connect: "WhatsApp verbinden",
      errors: { access_denied: "Abgebrochen." },
      quality: { GREEN: "hoch" },
    });

    expect(texts).toMatchObject({
      connect: "WhatsApp verbinden",
      disconnect: "Disconnect",
      quality: { GREEN: "hoch", RED: "Quality: low" },
    });
    expect(texts.errors).toMatchObject({ access_denied: "Abgebrochen.", invalid_state: SENTENCES.invalid_state });
  });

  it("are filled with values, which are not read again", () => {
    expect(fill("{a} of {b} {c}", { a: 1, b: "{a}" })).toBe("1 of {a} {c}");
  });
});
