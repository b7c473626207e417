/** Every pair in fixtures/graph-api: a message of ours, and what is posted to Meta, or why nothing is. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { OutboundMessage, TemplateButton, TemplateParams } from "../../plugin/contract.ts";
import { adviseOn, checkMessage } from "../../plugin/messages/check-message.ts";
import { encodeMessage } from "../../plugin/messages/encode-message.ts";

const FOLDER = new URL("../../fixtures/graph-api/", import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));

function casesWith(half: string): readonly string[] {
  return files.filter((file) => file.endsWith(`.${half}.json`)).map((file) => file.replace(`.${half}.json`, ""));
}

const messages = casesWith("message");
const sent = casesWith("body");
const refused = casesWith("problems");
const advised = casesWith("advice");

function read(name: string, half: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.${half}.json`, FOLDER), "utf8"));
}

describe("a message that can be sent", () => {
  it.each(sent)("%s is posted as promised", (name) => {
    const message = read(name, "message");

    expect(checkMessage(message)).toEqual([]);
    expect(encodeMessage(message as OutboundMessage)).toEqual(read(name, "body"));
    expect(adviseOn(message)).toEqual(advised.includes(name) ? read(name, "advice") : []);
  });
});

describe("a message that cannot be sent", () => {
  it.each(refused)("%s is refused, with its field and what to do", (name) => {
    const problems = checkMessage(read(name, "message"));

    expect(problems).toEqual(read(name, "problems"));
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe("the recorded messages", () => {
  it("have both halves", () => {
    expect([...sent, ...refused].sort()).toEqual([...messages].sort());
    expect(advised.filter((name) => !sent.includes(name))).toEqual([]);
    expect(files.length).toBe(messages.length * 2 + advised.length);
  });

  // A new member of the union does not compile until it is here.
  it("hold every kind of message", () => {
    const kinds: Readonly<Record<OutboundMessage["kind"], true>> = {
      audio: true,
      buttons: true,
      call: true,
      "call-permission-request": true,
      carousel: true,
      catalog: true,
      "contact-info-request": true,
      contacts: true,
      document: true,
      flow: true,
      image: true,
      link: true,
      list: true,
      location: true,
      "location-request": true,
      product: true,
      "product-carousel": true,
      "product-list": true,
      raw: true,
      reaction: true,
      sticker: true,
      template: true,
      text: true,
      video: true,
    };
    const found = sent.map((name) => (read(name, "message") as OutboundMessage).kind);

    expect([...new Set(found)].sort()).toEqual(Object.keys(kinds));
  });

  it("hold every part of a template and every kind of its buttons", () => {
    const parts: Readonly<Record<keyof TemplateParams, true>> = {
      body: true,
      buttons: true,
      cards: true,
      code: true,
      header: true,
      limitedTimeOffer: true,
    };
    const buttons: Readonly<Record<TemplateButton["kind"], true>> = {
      call: true,
      catalog: true,
      "copy-code": true,
      flow: true,
      "order-details": true,
      products: true,
      "quick-reply": true,
      url: true,
    };
    const params = sent
      .map((name) => read(name, "message") as OutboundMessage)
      .flatMap((message) => (message.kind === "template" ? [message.params ?? {}] : []));

    expect([...new Set(params.flatMap(Object.keys))].sort()).toEqual(Object.keys(parts));
    const kinds = params.flatMap((one) => (one.buttons ?? []).map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual(Object.keys(buttons));
  });

  it("hold every component and every type of parameter that a template is sent with", () => {
    const bodies = sent.map((name) => read(name, "body") as { readonly template?: unknown });
    const found = bodies.flatMap(({ template }) => (template === undefined ? [] : typesIn(template)));

    expect([...new Set(found)].sort()).toEqual([
      "action",
      "body",
      "button",
      "carousel",
      "coupon_code",
      "currency",
      "date_time",
      "document",
      "header",
      "image",
      "limited_time_offer",
      "location",
      "payload",
      "product",
      "text",
      "ttl_minutes",
      "video",
    ]);
  });
});

/** The value of every member called `type`, at any depth. */
function typesIn(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  // What an order consists of is the host's.
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === "order_details") return [];
    return name === "type" ? [member] : typesIn(member);
  });
}
