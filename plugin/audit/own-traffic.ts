/** Stored traffic as one tenant's: deliveries without what came in them for others. */
import type { Audit, AuditOwner, Recordings, StoredDelivery, StoredTraffic } from "../ports.ts";
import { readPayload } from "../webhook/read-payload.ts";
import { ownPart } from "./own-part.ts";

/** @returns the same traffic, cut to the tenant's; a delivery of which nothing is left is skipped. */
export async function ownTraffic(
  traffic: StoredTraffic,
  owner: AuditOwner,
  stored: Pick<Recordings, "ownPlaces"> & Pick<Audit, "storedAsOwn">,
): Promise<StoredTraffic> {
  const places = await stored.ownPlaces(
    owner,
    traffic.deliveries.map(({ webhookId }) => webhookId),
  );
  const deliveries: StoredDelivery[] = [];
  for (const delivery of traffic.deliveries) {
    const read = readPayload({ bytes: delivery.body });
    if (read.kind !== "json") continue;
    const { payload, shared } = await ownPart(read.value, places.get(delivery.webhookId) ?? [], owner, stored);
    if (!shared) deliveries.push(delivery);
    else if (payload.entry.length > 0) deliveries.push({ ...delivery, body: Buffer.from(JSON.stringify(payload)) });
  }
  return { ...traffic, deliveries, skipped: traffic.skipped + traffic.deliveries.length - deliveries.length };
}
