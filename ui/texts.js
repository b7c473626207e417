/** What the element says, in English; a page replaces any of it by the element's `texts` property. */
import { GENERAL_SENTENCE, SENTENCES } from "./sentences.js";

export const TEXTS = Object.freeze({
  title: "WhatsApp",
  intro:
    "Connect your WhatsApp Business number to receive and answer WhatsApp messages here. Meta's dialog takes about two minutes.",
  connect: "Connect WhatsApp",
  connectAnother: "Connect another number",
  reconnect: "Reconnect",
  disconnect: "Disconnect",
  askDisconnect: "Disconnect {number}? Messages to it are no longer received or answered here.",
  keep: "Keep connected",
  tryAgain: "Try again",
  startAgain: "Start again",
  loading: "Loading the WhatsApp connection…",
  leaving: "Taking you to Meta…",
  inPopup: "Go on in Meta's window. It may be behind this one.",
  working: "Working…",
  connected: "WhatsApp is connected.",
  disconnected: "{number} is disconnected.",
  popupBlocked: "The browser did not open Meta's window, so this page goes to Meta instead.",
  sdkMissing: "Meta's login could not be loaded here, so this page goes to Meta instead.",
  slow: "This takes longer than usual. You may leave this page and come back.",
  unnamed: "No verified name",
  stateConnected: "Connected",
  stateReauth: "Reconnect needed",
  /** By Meta's rating. */
  quality: Object.freeze({
    GREEN: "Quality: high",
    YELLOW: "Quality: medium",
    RED: "Quality: low",
    UNKNOWN: "Quality: not rated yet",
  }),
  progress: "Step {step} of {steps}: {name}",
  /** By the step of an onboarding. */
  steps: Object.freeze({
    exchange: "Sign in with Meta",
    inspect: "Check the permissions",
    accounts: "Find your WhatsApp accounts",
    choice: "Choose the numbers",
    subscribe: "Switch on messages",
    register: "Register the number",
    connect: "Connect the number",
    templates: "Read your templates",
    profile: "Read your business profile",
    sync: "Fetch contacts and history",
  }),
  stepDone: "done",
  stepNow: "now",
  stepFailed: "failed",
  stepLater: "later",
  choose: "Which numbers should be connected?",
  chooseOne: "Choose at least one number.",
  chosenConnect: "Connect these",
  onPhone: "also used in the WhatsApp Business app",
  heldHere: "connected already",
  heldElsewhere: "used by another account on this platform",
  pins: "Two-step verification",
  pinsWhy:
    "The PIN was set in WhatsApp or in WhatsApp Manager. Whoever has lost it can switch two-step verification off there.",
  pin: "Six-digit PIN of {number}",
  pinRefused:
    "Meta did not accept this PIN. It allows only a few tries: if in doubt, switch two-step verification off.",
  pinWrong: "A PIN has six digits.",
  goOn: "Continue",
  takeover: "Move the number here?",
  takeoverWhy:
    "Another account on this platform uses this number. If you move it here, messages to it are no longer answered there.",
  takeoverYes: "Move it here",
  chooseOthers: "Choose other numbers",
  failed: "The connection did not succeed",
  /** By code, in lower case; `general` is for one that is not known. */
  errors: Object.freeze({
    ...SENTENCES,
    general: GENERAL_SENTENCE,
    unreachable: "This platform did not answer. Check your internet connection and try again.",
  }),
});

/**
 * @typedef {{ readonly [Key in keyof typeof TEXTS]: (typeof TEXTS)[Key] extends string ? string : Readonly<Record<string, string>> }} Texts
 * @typedef {{ readonly [Key in keyof Texts]?: Texts[Key] extends string ? string : Readonly<Record<string, string>> }} TextsInput
 */

/**
 * @param {TextsInput} own
 * @returns {Texts}
 */
export function mergeTexts(own) {
  const groups = { quality: TEXTS.quality, steps: TEXTS.steps, errors: TEXTS.errors };
  const merged = Object.entries(groups).map(([key, group]) => [
    key,
    { ...group, ...own[/** @type {"errors"} */ (key)] },
  ]);
  return { ...TEXTS, ...own, ...Object.fromEntries(merged) };
}

/**
 * @param {string} text
 * @param {Readonly<Record<string, unknown>>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * @param {Readonly<Record<string, string>>} group
 * @param {string} key
 */
export function lookUp(group, key) {
  return Object.hasOwn(group, key) ? group[key] : undefined;
}
