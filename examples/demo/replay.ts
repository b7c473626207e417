/** Posts each recording to the host's real route, one after the other, and waits for what comes of it. */

import { setTimeout as after } from "node:timers/promises";
import type { Fixture } from "@omniops/whatsapp/testing";
import { type Payload, readPayload, retime } from "@omniops/whatsapp/testing";
import type { Knex } from "knex";
import type { Stage } from "./stage.ts";

/** One recording after it was posted. */
export type Played = {
  readonly recording: Fixture;
  /** As it was posted, at its new time. */
  readonly payload: Payload;
  readonly postedAt: Date;
  /** Null when the host did not answer. */
  readonly httpStatus: number | null;
  /** Its row in `whatsapp_webhooks`; null when the host did not store it. */
  readonly webhookId: string | null;
};

const ACKNOWLEDGED_WITHIN_MS = 5_000;
/** Far more than an answer takes; what is not there by then hangs in a retry. */
const SETTLED_WITHIN_MS = 5_000;

export async function replay(
  { meta, host }: Stage,
  recordings: readonly Fixture[],
  signal: AbortSignal,
): Promise<readonly Played[]> {
  const played: Played[] = [];
  let patienceMs = SETTLED_WITHIN_MS;
  for (const recording of recordings) {
    if (signal.aborted) break;
    const bytes = retime(recording.bytes, new Date());
    meta.deliver(bytes);
    const delivery = meta.deliveries.at(-1);
    await meta.waitFor(() => delivery?.attempts.length !== 0, ACKNOWLEDGED_WITHIN_MS).catch(() => undefined);
    const first = delivery?.attempts[0];
    const { rows } = await host.knex.raw("select max(id) as id from whatsapp_webhooks where body = ?", [
      Buffer.from(bytes),
    ]);
    const payload = readPayload(bytes);
    played.push({
      recording,
      payload,
      postedAt: first?.at ?? new Date(),
      httpStatus: first?.status ?? null,
      webhookId: rows[0]?.id ?? null,
    });
    // An answer comes before the next message; what nobody wrote may be applied meanwhile.
    if (payload.messages.length === 0) continue;
    // One that hangs would make every later wait as long: after it, nobody waits any more.
    if (!(await settled(host.knex, patienceMs))) patienceMs = 0;
  }
  await Promise.all([ticked(meta), settled(host.knex, patienceMs)]);
  return played;
}

/** Whether every message was applied, answered and sent; files may wait for Meta. The database tells nobody when that happens, so it is asked. */
async function settled(knex: Knex, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { rows } = await knex.raw(
      "select 1 from whatsapp_lanes where pending <> 0 and stage not in ('notify', 'media') limit 1",
    );
    if (rows.length === 0) return true;
    if (Date.now() >= deadline) return false;
    await after(10);
  }
}

/** Every answer has been read, or will not be. */
async function ticked(meta: Stage["meta"]): Promise<void> {
  const isDone = () =>
    meta
      .conversations()
      .flatMap(({ entries }) => entries)
      .every(({ direction, status }) => direction === "inbound" || status === "read" || status === "failed");
  await meta.waitFor(isDone, SETTLED_WITHIN_MS).catch(() => undefined);
}
