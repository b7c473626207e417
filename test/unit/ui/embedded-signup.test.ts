/** Whose messages the popup flow believes. */
import { describe, expect, it } from "vitest";
import { isMeta } from "../../../ui/embedded-signup.js";

describe("an origin", () => {
  it.each(["https://facebook.com", "https://www.facebook.com", "https://web.facebook.com", "http://127.0.0.1:4800"])(
    "%s is Meta's",
    (origin) => expect(isMeta(origin, "http://127.0.0.1:4800")).toBe(true),
  );

  it.each([
    "https://evilfacebook.com",
    "https://facebook.com.evil.example",
    "https://facebook.com.",
    "http://www.facebook.com",
    "https://www.facebook.com:8443",
    "https://user@facebook.com",
    "https://facebook.com/",
    "http://127.0.0.1:4801",
    "null",
    "",
  ])("%s is not", (origin) => expect(isMeta(origin, "http://127.0.0.1:4800")).toBe(false));
});
