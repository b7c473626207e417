/** Whether a message can be sent at all: every problem with it at once, before Meta is asked. Never throws. */
import type { OutboundMessage } from "../contract.ts";
import { checkCarousel } from "./check-carousel.ts";
import { checkContacts, checkLocation, checkMedia, checkReaction, checkText } from "./check-content.ts";
import { checkButtons, checkCall, checkFlow, checkLink, checkList, checkRequest } from "./check-interactive.ts";
import { checkCatalog, checkProduct, checkProductCarousel, checkProductList } from "./check-products.ts";
import { checkRaw } from "./check-raw.ts";
import { checkTemplateMessage } from "./check-template-choice.ts";
import { type Check, isFields } from "./check-value.ts";
import { type Findings, type Problem, placeIn } from "./problem.ts";

const KINDS: { readonly [Kind in OutboundMessage["kind"]]: Check } = {
  text: checkText,
  image: checkMedia("image"),
  video: checkMedia("video"),
  audio: checkMedia("audio"),
  document: checkMedia("document"),
  sticker: checkMedia("sticker"),
  location: checkLocation,
  contacts: checkContacts,
  reaction: checkReaction,
  buttons: checkButtons,
  list: checkList,
  link: checkLink,
  flow: checkFlow,
  "location-request": checkRequest,
  "contact-info-request": checkRequest,
  "call-permission-request": checkRequest,
  call: checkCall,
  product: checkProduct,
  "product-list": checkProductList,
  catalog: checkCatalog,
  carousel: checkCarousel,
  "product-carousel": checkProductCarousel,
  template: checkTemplateMessage,
  raw: checkRaw,
};

/** Every kind of message that can be sent. */
export const MESSAGE_KINDS: readonly string[] = Object.keys(KINDS);

/**
 * What is wrong with a message, whoever made it: hosts may write JavaScript.
 * @param message anything; a message of ours when nothing is wrong with it.
 * @returns no problems: it can be encoded. Otherwise each with its field, the limit it passed and what to do; at most 100.
 */
export function checkMessage(message: unknown): readonly Problem[] {
  return examine(message).problems;
}

/** What is right by some of Meta's pages and wrong by others: such a message is sent, and may be refused. */
export function adviseOn(message: unknown): readonly Problem[] {
  return examine(message).advice;
}

function examine(message: unknown): Findings {
  const findings: Findings = { problems: [], advice: [] };
  try {
    checkKind(message, placeIn(findings));
  } catch {
    placeIn(findings).report("cannot be read", "Give plain data: no getters or proxies that throw.");
  }
  return findings;
}

const checkKind: Check = (message, place) => {
  if (!isFields(message)) return place.report("is not an object", "Give an object with a kind.");
  const { kind, ...members } = message;
  const known = Object.entries(KINDS).find(([name]) => name === kind);
  if (known !== undefined) return known[1](members, place);
  const kinds = Object.keys(KINDS).join(", ");
  place.member("kind").report("is no kind of message", `Use one of: ${kinds}; raw for any other of Meta's.`);
};
