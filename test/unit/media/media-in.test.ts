/** Which members of a message are media: those that Meta's schema has, and nothing of the host's own. */
import { describe, expect, it } from "vitest";
import type { OutboundMessage } from "../../../plugin/contract.ts";
import { mediaIn } from "../../../plugin/media/media-in.ts";
import { encodeMessage } from "../../../plugin/messages/encode-message.ts";

const url = "https://files.example/a.jpg";
const header = { media: "image", url } as const;
const buttons = [{ id: "a", title: "A" }];
const card = { header, buttons };
/** What a host may call its own things. */
const data = { image: { link: url }, header: { document: { id: "7d9f6c1e-3c1b-4c57-9b59-2f1f0a2f8a11" } } };

const template = (params: object) => ({ kind: "template", name: "a", language: "en", params }) as OutboundMessage;
const countOf = (message: OutboundMessage) => mediaIn(encodeMessage(message)).length;

describe("media are found", () => {
  it.each<[string, OutboundMessage, number]>([
    ["as the message", { kind: "image", url }, 1],
    ["in a header", { kind: "buttons", text: "a", header, buttons }, 1],
    ["on cards", { kind: "carousel", text: "a", cards: [card, card] }, 2],
    ["in a template's header", template({ header, body: ["b"] }), 1],
    ["on a template's cards", template({ cards: [{ header }, { header, body: ["b"] }] }), 2],
  ])("%s", (_where, message, count) => {
    expect(countOf(message)).toBe(count);
  });
});

describe("media are not looked for", () => {
  it.each<[string, OutboundMessage]>([
    ["in the data of a Flow", { kind: "flow", text: "a", flow: { id: "1" }, label: "b", screen: "C", data }],
    ["in the data of a template's Flow", template({ buttons: [{ kind: "flow", index: 0, data }] })],
    ["in the details of an order", template({ buttons: [{ kind: "order-details", index: 0, orderDetails: data }] })],
  ])("%s", (_where, message) => {
    expect(countOf(message)).toBe(0);
  });
});
