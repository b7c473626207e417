/** What became of each webhook and each message, in plain words, as the host's database tells it. */
import type { Knex } from "knex";
import type { Played } from "./replay.ts";

export type Ending = {
  /** `ok`: as it should be. `aside`: kept, and nothing done. `bad`: something failed. */
  readonly how: "ok" | "aside" | "bad";
  /** `whatsapp_webhooks.webhook_type`, empty when it was not stored. */
  readonly what: string;
  readonly words: string;
};

type WebhookRow = {
  readonly id: string;
  readonly webhook_type: string;
  readonly processed: boolean;
  readonly error: string | null;
  readonly kinds: readonly string[];
  readonly states: readonly number[];
};

/** `whatsapp_events.state` */
const PARKED = 3;

/** By recording. */
export async function readEndings(knex: Knex, played: readonly Played[]): Promise<ReadonlyMap<Played, Ending>> {
  const { rows } = await knex.raw(
    `select w.id, w.webhook_type, w.processed, w.error,
       coalesce(array_agg(e.kind order by e.id) filter (where e.id is not null), '{}') as kinds,
       coalesce(array_agg(e.state order by e.id) filter (where e.id is not null), '{}') as states
     from whatsapp_webhooks w left join whatsapp_events e on e.webhook_id = w.id group by w.id`,
  );
  const byId = new Map((rows as readonly WebhookRow[]).map((row) => [row.id, row]));
  return new Map(played.map((one) => [one, endingOf(one, byId.get(one.webhookId ?? ""))]));
}

function endingOf({ httpStatus }: Played, row: WebhookRow | undefined): Ending {
  const what = row?.webhook_type ?? "";
  if (httpStatus === null) return { how: "bad", what, words: "not answered by the host" };
  if (httpStatus !== 200 || row === undefined)
    return { how: "bad", what, words: `refused with ${httpStatus}, so Meta would send it again for days` };
  const { error, processed, kinds, states } = row;
  if (error !== null) return { how: /^(?:unrouted|quarantined):/.test(error) ? "aside" : "bad", what, words: error };
  if (!processed) return { how: "bad", what, words: "stored: not applied yet" };
  if (kinds.length === 0) return { how: "aside", what, words: "stored: nothing new in it" };
  if (states.includes(PARKED)) return { how: "aside", what, words: "stored: waits for the message that it speaks of" };
  if (kinds.every((kind) => kind === "unsupported"))
    return { how: "aside", what, words: "stored: told to the host as not supported yet" };
  return { how: "ok", what, words: "applied" };
}

/** What the host's inbox shows, by message id. */
export async function readContents(knex: Knex): Promise<ReadonlyMap<string, string>> {
  const { rows } = await knex.raw("select external_id, content from messages where external_id is not null");
  return new Map((rows as { external_id: string; content: string }[]).map((row) => [row.external_id, row.content]));
}

/** Why a message has no answer, as far as the tables tell. */
export async function reasonFor(knex: Knex, messageId: string): Promise<string> {
  const { rows } = await knex.raw(
    `select t.state, t.last_error, o.state as part, o.error ->> 'message' as part_error
     from whatsapp_turns t left join whatsapp_sends s on s.turn_id = t.id left join whatsapp_outbox o on o.send_id = s.id
     where t.messages @> jsonb_build_array(jsonb_build_object('externalId', ?::text)) order by o.id limit 1`,
    [messageId],
  );
  const [turn] = rows as { state: number; last_error: string | null; part: string | null; part_error: string | null }[];
  if (turn === undefined) return "it never reached the host's AI";
  if (turn.part !== null) return `the answer is ${turn.part}${turn.part_error === null ? "" : `: ${turn.part_error}`}`;
  if (turn.last_error !== null) return `the host's AI failed: ${turn.last_error}`;
  return turn.state === 1 ? "the host's AI chose to say nothing" : "the host's AI has not answered yet";
}
