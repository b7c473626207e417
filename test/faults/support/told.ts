/** What is put down for the host to hear: each outcome of a part once, and never one that is lower than what was told before. */
import { expect } from "vitest";
import type { Evidence } from "./checker.ts";

const CLIMBING = ["expired", "unknown", "accepted", "sent", "failed", "delivered", "read", "played"];

/** Keeps a copy, because what was heard is deleted. */
export async function writeDownWhatIsTold(rows: Evidence["rows"]): Promise<void> {
  await rows("create table told (n bigint generated always as identity, event jsonb not null)");
  await rows(
    `create function write_down() returns trigger language plpgsql as $$
       begin insert into told (event) values (new.event); return new; end $$`,
  );
  await rows(
    "create trigger write_down after insert on whatsapp_host_events for each row execute function write_down()",
  );
}

/** Once everything is quiet. */
export async function checkTold(rows: Evidence["rows"]): Promise<void> {
  const parts = await rows<{ id: string; state: string; told: string[] | null }>(
    `select o.id, o.state, (
       select array_agg(t.event ->> 'state' order by t.n) from told t
       where t.event ->> 'kind' = 'status' and t.event ->> 'sendId' = o.send_id::text and (t.event ->> 'part')::int = o.part_index) as told
     from whatsapp_outbox o`,
  );
  for (const { id, state, told } of parts) {
    const steps = (told ?? []).map((step) => CLIMBING.indexOf(step));
    expect(told?.at(-1), `the last that was told of part ${id}`).toBe(state);
    expect(
      steps.every((step, i) => i === 0 || step > (steps[i - 1] as number)),
      `told of part ${id}: ${told}`,
    ).toBe(true);
  }
}
