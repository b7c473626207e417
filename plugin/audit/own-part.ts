/** A delivery may hold changes of several tenants: what one of them may see of it. */
import type { AuditEvent } from "../ports.ts";
import { type ReadChange, readChanges } from "../webhook/parse-webhook.ts";

/**
 * A change is the tenant's when it came to a number (named by its id, or as people dial it; where it names none, to an account) of which
 * this delivery has stored an event for them, or when all of it was stored for them before. What is nobody's, or says nothing, is not shown.
 * @param ownKeys which of these changes are stored as the tenant's.
 */
export async function ownPart(
  payload: unknown,
  ownEvents: readonly Pick<AuditEvent, keyof Place>[],
  ownKeys: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<{ readonly payload: unknown; readonly shared: boolean }> {
  const changes = readChanges(payload);
  const own = new Set(ownEvents.map(placeOf));
  const isStoredHere = ({ events }: ReadChange) =>
    events.length > 0 && events.every((event) => own.has(placeOf(event)));
  const others = changes.filter((change) => !isStoredHere(change));
  const known = others.length === 0 ? new Set() : await ownKeys(others.flatMap(({ events }) => events.map(keyOf)));
  const isOwn = (change: ReadChange) =>
    isStoredHere(change) || (change.events.length > 0 && change.events.every((event) => known.has(keyOf(event))));
  if (changes.every(isOwn)) return { payload, shared: false };
  const entry = changes.filter(isOwn).map((change) => change.entry);
  return { payload: { object: (payload as { readonly object?: unknown }).object, entry }, shared: true };
}

type Place = Pick<AuditEvent, "phoneNumberId" | "wabaId"> & { readonly displayPhoneNumber?: string | null };

function placeOf({ phoneNumberId, wabaId, displayPhoneNumber }: Place): string {
  return phoneNumberId ?? `account ${wabaId} ${displayPhoneNumber ?? ""}`;
}

function keyOf({ dedupeKey }: ReadChange["events"][number]): string {
  return dedupeKey;
}
