/** What the silence about a lost answer proves: nothing, until webhooks have come for a while. */
import { expect, it } from "vitest";
import { decideBefore } from "../../../plugin/pipeline/decide-next.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { DEFAULT_RETRY } from "../../../plugin/pipeline/retry-schedule.ts";
import { applyAll, BEN, claimed, delivery, message, startEngine } from "./support.ts";

const RECONCILE_MS = 120_000;
const POLICY = { reconcileMs: RECONCILE_MS, retry: DEFAULT_RETRY, pair: META_LIMITS.pair, random: () => 1 };

it("after an outage the first webhook is no reason to send again what may have arrived, one of a minute ago is", async () => {
  const { store, rows } = await startEngine({ leaseMs: 60_000, reconcileMs: RECONCILE_MS });
  await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
  await applyAll(store);
  const [{ id } = { id: "" }] = await rows<{ id: string }>("select id from conversations");
  await store.outbox.enqueue(
    id,
    planSend({ what: { response: "hi" }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" }),
  );
  const lanes = await claimed(store, "out");
  const [part] = await store.outbox.head(lanes);
  if (!part) throw new Error("a part waits");
  await store.outbox.begin([{ part, token: "token" }]);
  const decide = async () => {
    const [now] = await store.outbox.head(lanes);
    return now && decideBefore(now, POLICY).kind;
  };

  // The database was away for five minutes; its statuses were refused, and Meta brings them again when it likes.
  await rows("update whatsapp_send_attempts set started_at = now() - interval '5 minutes'");
  await rows("update whatsapp_events set created_at = now() - interval '10 minutes'");
  await store.inbox.record([delivery(message({ id: "wamid.2", phone: BEN }))]);
  expect(await decide()).toBe("settle");

  await rows("update whatsapp_events set created_at = now() - interval '61 seconds' where external_id = 'wamid.2'");
  expect(await decide()).toBe("post");
});
