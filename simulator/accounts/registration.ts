/** Registering a number with the Cloud API, and the PIN that protects it. */
import { type GraphAnswer, refuse } from "../graph-error.ts";
import { SUCCESS } from "../node.ts";
import type { NumberRecord } from "./account-book.ts";
import { isAway } from "./may-send.ts";

const MOST_WRONG_PINS = 5;
const MOST_REGISTRATIONS = 10;
const REGISTRATION_WINDOW_MS = 72 * 60 * 60 * 1000;

export function register(number: NumberRecord, pin: string | null, now: Date): GraphAnswer {
  const invalid = refusePin(pin) ?? refuseBusinessApp(number) ?? takeAttempt(number, now);
  if (invalid) return invalid;
  if (!(number.about.isVerified ?? true)) return refuse({ code: 133006 });
  if (number.wrongPins >= MOST_WRONG_PINS)
    return refuse({ code: 133008, details: "Too many PIN guesses. Wait before you try again." });
  if (number.pin !== null && number.pin !== pin) {
    number.wrongPins += 1;
    return refuse({ code: 133005, details: "The two-step verification PIN does not match the one that is set." });
  }
  number.isRegistered = true;
  if (isAway(number.about.status)) number.about = { ...number.about, status: "CONNECTED" };
  number.pin = pin;
  number.wrongPins = 0;
  return SUCCESS;
}

export function deregister(number: NumberRecord, now: Date): GraphAnswer {
  const invalid = refuseBusinessApp(number) ?? takeAttempt(number, now);
  if (invalid) return invalid;
  if (!number.isRegistered) return refuse({ code: 133010 });
  number.isRegistered = false;
  return SUCCESS;
}

export function setPin(number: NumberRecord, pin: string): GraphAnswer {
  const invalid = refusePin(pin);
  if (invalid) return invalid;
  if (!number.isRegistered) return refuse({ code: 133010 });
  number.pin = pin;
  number.wrongPins = 0;
  return SUCCESS;
}

function refusePin(pin: string | null): GraphAnswer | null {
  if (pin === null) return refuse({ code: 100, message: "(#100) The parameter pin is required." });
  return /^\d{6}$/.test(pin) ? null : refuse({ code: 100, message: "(#100) Param pin must be 6 digits." });
}

// Meta says only that it must not be done; the code is the nearest documented one.
function refuseBusinessApp({ about }: NumberRecord): GraphAnswer | null {
  return about.isOnBusinessApp
    ? refuse({
        code: 100,
        message:
          "(#100) This number is in use with the WhatsApp Business app and cannot be registered or deregistered.",
      })
    : null;
}

function takeAttempt({ registrations }: NumberRecord, now: Date): GraphAnswer | null {
  const since = now.getTime() - REGISTRATION_WINDOW_MS;
  if (registrations.filter((at) => at > since).length >= MOST_REGISTRATIONS) return refuse({ code: 133016 });
  registrations.push(now.getTime());
  return null;
}
