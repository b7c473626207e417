/** The integrations page's pure parts: where one is, what was filled in, and how long something took. */
import { describe, expect, it } from "vitest";
import { later, shortTime } from "../../../ui/page/format.js";
import { hrefOf, readPlace } from "../../../ui/page/place.js";
import { componentsOf, draftOf, EMPTY, formatOf, problemsOf, variablesOf } from "../../../ui/page/template-draft.js";
import { rejection, wordFor } from "../../../ui/page/words.js";
import { TEMPLATES } from "../../support/page-samples.ts";

describe("a place on the page", () => {
  it("is read as it was written", () => {
    const query = { q: "a&b=c #ü", state: "failed" };

    expect(readPlace(hrefOf("webhooks", { id: "in:1/2", action: "edit", query }))).toEqual({
      view: "webhooks",
      id: "in:1/2",
      action: "edit",
      query,
    });
    expect(hrefOf("messages", { query: { q: null, state: "" } })).toBe("#/messages");
  });

  it.each(["", "#", "#_=_", "#/constructor", "#/%E0%A4%A", "#/__proto__/x"])("is the overview for %j", (hash) => {
    expect(readPlace(hash)).toEqual({ view: "overview", id: null, action: null, query: {} });
  });
});

describe("a template's draft", () => {
  it.each(TEMPLATES.templates.filter(({ name }) => name !== "spring_buns").map((one) => [one.name, one] as const))(
    "of %s becomes the same components again",
    (_name, template) => {
      expect(componentsOf(draftOf(template as never))).toEqual(template.components);
    },
  );

  it("keeps what the form has no fields for, in its place before the buttons", () => {
    const offer = { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Soon over" } };
    const components = [
      { type: "BODY", text: "Buns" },
      offer,
      { type: "BUTTONS", buttons: [{ type: "COPY_CODE", example: "BUN5" }] },
    ];

    expect(componentsOf(draftOf({ ...TEMPLATES.templates[0], components } as never))).toEqual(components);
  });

  it("numbers its examples as Meta numbers variables, however they stand in the text", () => {
    const draft = { ...EMPTY, body: "For {{2}}, {{1}} and {{2}} again.", examples: { 1: "one", 2: "two" } };

    expect([variablesOf(draft.body), formatOf(draft)]).toEqual([["2", "1"], "POSITIONAL"]);
    expect(componentsOf(draft)).toEqual([{ type: "BODY", text: draft.body, example: { body_text: [["one", "two"]] } }]);
  });

  it("says what Meta would refuse, by the field", () => {
    const good = { ...EMPTY, name: "order_late", language: "pt_BR", body: "Hi {{name}}!", examples: { name: "Ada" } };
    const button = { type: "URL" as const, text: "Look", url: "https://x.test/{{1}}", example: "", phoneNumber: "" };

    expect(problemsOf(good)).toEqual({});
    expect(Object.keys(problemsOf({ ...good, name: "Order late", language: "English" }))).toEqual(["name", "language"]);
    expect(Object.keys(problemsOf({ ...good, body: "Hi {{name}}", examples: {} }))).toEqual(["body", "example:name"]);
    expect(Object.keys(problemsOf({ ...good, header: "TEXT", headerText: "{{1}}" }))).toEqual(["headerExample"]);
    expect(Object.keys(problemsOf({ ...good, header: "IMAGE" }))).toEqual(["headerMediaId"]);
    expect(Object.keys(problemsOf({ ...good, buttons: [button] }))).toEqual(["button:0"]);
  });
});

describe("words and times", () => {
  it("know nothing that nobody has said", () => {
    expect(wordFor({}, "constructor")).toEqual({ label: "Constructor", tone: "quiet" });
    expect([rejection("NONE"), rejection(null), rejection("toString")]).toEqual(["", "", "toString"]);
  });

  it("say how much later something was", () => {
    const at = (ms: number) => new Date(1_790_000_000_000 + ms).toISOString();

    expect([300, 12_000, 180_000, 7_200_000, -5].map((ms) => later(at(0), at(ms)))).toEqual([
      "+0.3 s",
      "+12 s",
      "+3 min",
      "+2 h",
      "",
    ]);
  });

  it("name the day only of what is not today's", () => {
    const now = new Date(2026, 10, 27, 12, 0);

    expect(shortTime(new Date(2026, 10, 27, 9, 5), now)).not.toMatch(/27|Nov/);
    expect(shortTime(new Date(2026, 10, 26, 9, 5), now)).toMatch(/26/);
    expect(shortTime(new Date(2025, 10, 26, 9, 5), now)).toMatch(/2025/);
  });
});
