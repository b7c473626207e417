/** Whether Meta lets a number send, by its registration, its status and its health. */
import type { GraphErrorSpec } from "../graph-error.ts";
import type { AccountBook } from "./account-book.ts";

/** Statuses of a number that is not, or no longer, with the Cloud API. */
const AWAY: readonly unknown[] = ["PENDING", "UNVERIFIED", "DISCONNECTED", "DELETED", "MIGRATED"];
const PAYMENT = 141_006;

/**
 * Why this number cannot send what it is asked to; null when it can. Meta says that a number must be `CONNECTED`, and not
 * which code the others get: these are the ones that its error table describes them by.
 */
export function refusalToSend(
  book: AccountBook,
  phoneNumberId: string,
  { isTemplate }: { readonly isTemplate: boolean },
): GraphErrorSpec | null {
  const number = book.number(phoneNumberId);
  const status = number?.about.status ?? "CONNECTED";
  if (!number?.isRegistered || isAway(status)) return { code: 133010 };
  if (status === "RATE_LIMITED") return { code: 131048 };
  if (status !== "CONNECTED") return { code: 131031, details: `The phone number is ${status}` };
  const blocked = [number.about.health, book.account(number.about.wabaId)?.about.health].filter(
    (health) => health?.canSendMessage === "BLOCKED",
  );
  // Without a payment method answers leave, and what is paid for does not.
  const isUnpaid = (health: (typeof blocked)[number]) =>
    health?.errors?.some(({ error_code }) => error_code === PAYMENT);
  if (!blocked.every(isUnpaid)) return { code: 131031, details: "health_status: can_send_message is BLOCKED" };
  return blocked.length > 0 && isTemplate ? { code: 131042 } : null;
}

/** Registering it brings such a number back; it does not lift a ban. */
export function isAway(status: string | undefined): boolean {
  return AWAY.includes(status);
}
