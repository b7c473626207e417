/** A delivery may hold changes of several tenants: what one of them may see of it. */
import type { Audit, AuditOwner, EventPlace } from "../ports.ts";
import { type ReadChange, readChanges } from "../webhook/parse-webhook.ts";

export type OwnPart = {
  readonly payload: { readonly object: unknown; readonly entry: readonly unknown[] };
  /** Something was left out. Otherwise the payload is the delivery's own. */
  readonly shared: boolean;
};

/**
 * An event is the tenant's when it is stored as theirs, whichever delivery brought it; one that is not stored, when it came to a
 * number (named by its id, or as people dial it; where it names none, to an account) of which this delivery has stored an event
 * for them. A number moves, so one that is stored as somebody else's is theirs, wherever it came to. A change is shown when all
 * of it is the tenant's; what is nobody's, or says nothing, is not.
 * @param places of the tenant's events that this delivery has stored.
 */
export async function ownPart(
  payload: unknown,
  places: readonly EventPlace[],
  owner: AuditOwner,
  { storedAsOwn }: Pick<Audit, "storedAsOwn">,
): Promise<OwnPart> {
  const changes = readChanges(payload);
  const own = new Set(places.map(placeOf));
  const isStoredAsOwn = await storedAsOwn(
    owner,
    changes.flatMap(({ events }) => events.map(({ dedupeKey }) => dedupeKey)),
  );
  const isOwn = ({ events }: ReadChange) =>
    events.length > 0 && events.every((event) => isStoredAsOwn.get(event.dedupeKey) ?? own.has(placeOf(event)));
  if (changes.every(isOwn)) return { payload: payload as OwnPart["payload"], shared: false };
  const entry = changes.filter(isOwn).map((change) => change.entry);
  return { payload: { object: (payload as { readonly object?: unknown }).object, entry }, shared: true };
}

type Place = Pick<EventPlace, "phoneNumberId" | "wabaId"> & { readonly displayPhoneNumber?: string | null };

function placeOf({ phoneNumberId, wabaId, displayPhoneNumber }: Place): string {
  return phoneNumberId ?? `account ${wabaId} ${displayPhoneNumber ?? ""}`;
}
