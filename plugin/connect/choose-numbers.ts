/** Which of the granted numbers are to be connected: what the popup has named, the only one, those that wait, or a question. */

import type { ConnectionState } from "../contract.ts";
import { type ChannelError, connectError } from "../errors.ts";
import type { HeldNumber, OfferedNumber, OnboardingProgress } from "../ports.ts";

/**
 * @param asked phone number ids that the person has chosen from a list; empty when nobody was asked yet.
 * @returns ids of numbers among those offered; null when somebody must choose.
 * @throws ChannelError ACCOUNT_NOT_GRANTED for whatever is not among them.
 */
export function chooseNumbers(
  offered: readonly OfferedNumber[],
  hints: OnboardingProgress["hints"],
  asked: readonly string[],
  held: readonly HeldNumber[],
  customerConfigId: string,
): readonly string[] | null {
  const ids = offered.map(({ phoneNumberId }) => phoneNumberId);
  const named = asked.length > 0 ? asked : hints.phoneNumberId === null ? [] : [hints.phoneNumberId];
  if (!named.every((id) => ids.includes(id))) throw notGranted();
  const inAccount = hints.wabaId === null ? offered : offered.filter(({ wabaId }) => wabaId === hints.wabaId);
  if (inAccount.length === 0) throw notGranted();
  if (named.length > 0) {
    if (asked.length === 0 && !inAccount.some(({ phoneNumberId }) => phoneNumberId === named[0])) throw notGranted();
    return [...new Set(named)];
  }
  if (inAccount.length === 1) return inAccount.map(({ phoneNumberId }) => phoneNumberId);
  const mine = new Map(
    held.filter((one) => one.customerConfigId === customerConfigId).map((one) => [one.phoneNumberId, one.state]),
  );
  const inState = (state: ConnectionState | undefined) =>
    inAccount.map(({ phoneNumberId }) => phoneNumberId).filter((id) => mine.get(id) === state);
  // They came to bring these back, so there is nothing to ask.
  const waiting = inState("reauth_required");
  if (waiting.length > 0) return waiting;
  // They came for another one, and there is one.
  const added = inState(undefined);
  return added.length === 1 ? added : null;
}

function notGranted(): ChannelError {
  return connectError("ACCOUNT_NOT_GRANTED");
}
