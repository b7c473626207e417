/** Whose page may be behind a request: by what the browser says, and by what a page of another site cannot have sent. */
import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { refuseOtherPages, requireSafeType } from "../../../plugin/http/own-requests.ts";

const APP = "https://app.shop.example";

function isRefused(headers: IncomingHttpHeaders, takes: "json" | "form" = "json", appUrl: string | null = APP) {
  try {
    refuseOtherPages({ method: "POST", headers: { host: "api.shop.example", ...headers } }, takes, appUrl);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: "NOT_AUTHENTICATED" });
    return true;
  }
}

describe("where a request comes from, by the browser's word", () => {
  it.each([
    ["our own page", { "sec-fetch-site": "same-origin" }],
    ["the person", { "sec-fetch-site": "none" }],
    ["the host's page at another address of the site", { "sec-fetch-site": "same-site", origin: APP }],
    ["a program", {}],
  ] as const)("is fine: %s", (_what, headers) => {
    expect([isRefused(headers), isRefused(headers, "form")]).toEqual([false, false]);
  });

  it.each([
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another site that the host calls its own", { "sec-fetch-site": "cross-site", origin: APP }],
    ["another page of the site", { "sec-fetch-site": "same-site", origin: "https://blog.shop.example" }],
    ["another page of the site that says nothing more", { "sec-fetch-site": "same-site" }],
    ["another page of the site, in a frame", { "sec-fetch-site": "same-site", origin: "null" }],
    ["a place that nobody knows", { "sec-fetch-site": "elsewhere" }],
  ] as const)("is refused: %s", (_what, headers) => {
    expect([isRefused(headers), isRefused(headers, "form")]).toEqual([true, true]);
  });

  it("takes nobody's word where the host has not said where its pages are", () => {
    expect(isRefused({ "sec-fetch-site": "same-site", origin: APP }, "json", null)).toBe(true);
    expect(isRefused({ "sec-fetch-site": "same-site" }, "json", null)).toBe(true);
  });

  it("takes a form from an old browser only where its page is ours or the host's", () => {
    expect(isRefused({ origin: "https://evil.example" }, "form")).toBe(true);
    expect(isRefused({ origin: "null" }, "form")).toBe(true);
    expect(isRefused({ origin: "https://api.shop.example" }, "form")).toBe(false);
    expect(isRefused({ origin: APP }, "form")).toBe(false);
    expect(isRefused({ origin: "https://evil.example" }, "json")).toBe(false);
  });

  it("is nobody's business where a request only reads", () => {
    const headers = { "sec-fetch-site": "cross-site" };
    for (const method of ["GET", "HEAD"])
      expect(() => refuseOtherPages({ method, headers }, "json", APP)).not.toThrow();
  });
});

describe("the type of a request that changes something", () => {
  const isSafe = (headers: IncomingHttpHeaders, method = "POST") => {
    try {
      requireSafeType({ method, headers }, "json");
      return true;
    } catch (error) {
      expect(error).toMatchObject({
        code: "REQUEST_INVALID",
        message: expect.stringContaining('"content-type: application/json"'),
      });
      return false;
    }
  };
  const full = { "content-length": "2" };
  const bearer = { authorization: "Bearer demo-key" };

  it.each([
    ["JSON", { ...full, "content-type": "application/json" }],
    ["JSON with its charset, in capitals", { ...full, "content-type": "Application/JSON; charset=utf-8" }],
    ["JSON without a body", { "content-type": "application/json" }],
    ["nothing, with a token", { ...bearer }],
    ["nothing, of our own page", { "sec-fetch-site": "same-origin", "content-length": "0" }],
  ] as const)("is fine: %s", (_what, headers) => {
    expect(isSafe(headers)).toBe(true);
  });

  it.each([
    ["text", { ...full, "content-type": "text/plain" }],
    ["text that mentions JSON", { ...full, "content-type": "text/plain; application/json" }],
    ["a form", { ...full, "content-type": "application/x-www-form-urlencoded" }],
    ["a form with files", { ...full, "content-type": "multipart/form-data; boundary=x" }],
    ["a type without a body", { "content-type": "text/plain" }],
    ["a body without a type", { ...full }],
    ["a body without a type or a length", { "transfer-encoding": "chunked" }],
    ["nothing at all", {}],
    ["nothing, with the password that a browser adds", { authorization: "Basic YTpi" }],
    ["text, with a token", { ...full, ...bearer, "content-type": "text/plain" }],
    ["a body without a type, with a token", { ...full, ...bearer }],
  ] as const)("is refused with what to send: %s", (_what, headers) => {
    expect(isSafe(headers)).toBe(false);
  });

  it("may be left out of a deletion without a body, for which a browser asks first", () => {
    expect([isSafe({}, "DELETE"), isSafe({ "content-type": "text/plain" }, "DELETE")]).toEqual([true, false]);
  });
});
