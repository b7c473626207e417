/** Dead letters for whoever runs the host: what lies aside, why, and how it is put back. */
import { ChannelError } from "./errors.ts";
import { ProcessEnded } from "./pipeline/crash-suspects.ts";
import type { DeadLetterFilter, DeadLetterPlace, DeadLetterStage, DeadLetters, Logger } from "./ports.ts";
import { isInstant, isStorable, isStorableTime } from "./storable.ts";
import { readTenant, readUuid } from "./uuid.ts";

/** Without what people said, and without their numbers. */
export type DeadLetter = {
  /** For `redrive`: `in:17`. */
  readonly id: string;
  /** `in`: an event that could not be applied; `turn`: one that `reply` did not answer; `notify`: one that `onEvent` did not take. */
  readonly stage: DeadLetterStage;
  readonly kind: string;
  readonly conversationId: string | null;
  /** When it came, ISO 8601. */
  readonly at: string;
  /** Null where only their last is known. */
  readonly attempts: number | null;
  readonly error: string;
  readonly explanation: string;
};

/** Which dead letters are meant; all of them when nothing is given. */
export type DeadLetterQuery = Partial<Omit<DeadLetterFilter, "customerConfigId">> & {
  /** The tenant; of every tenant when left out. */
  readonly customerConfigId?: string | undefined;
};

/** What was moved aside after its last try: to be looked at, and put back. */
export type DeadLetterService = {
  /** Newest first; `next` is the `after` of the next page, null at the end. At most 100 a page. */
  list(
    query?: DeadLetterQuery & { readonly limit?: number | undefined; readonly after?: string | undefined },
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly next: string | null }>;
  /**
   * Puts back the oldest that match, at most 1,000 a call: each where it stood in its conversation, before what came after it
   * and still waits. What came after it and was worked already stays. Safe to repeat. The log has a line of it, with who (`by`).
   * @throws ChannelError REQUEST_INVALID.
   */
  redrive(
    query?: DeadLetterQuery & {
      readonly ids?: readonly string[] | undefined;
      readonly limit?: number | undefined;
      /** Who does it, for the log: an id, as the host knows its people. Null by default. */
      readonly by?: string | null | undefined;
    },
  ): Promise<{
    readonly redriven: number /** How many match and still lie aside: call again. */;
    readonly left: number;
  }>;
};

const PAGE = 100;
const MOST = 1_000;

const WHY: Readonly<Record<DeadLetterStage, string>> = {
  in: "Every try to apply it failed; a code of five characters is Postgres' own, mostly of a rule or trigger on the host's tables.",
  turn: "Your reply() failed, or took too long, on every try: nobody answered these messages.",
  notify: "Your onEvent() failed on every try: it has not heard of this.",
};

const PROCESS_ENDED =
  "The process ended during every attempt, and nobody came back to say why: your log, or whoever starts it again, knows what ended it.";

export type DeadLetterDeps = { readonly log: Pick<Logger, "info">; readonly onRedriven: () => void };

export function createDeadLetterService(store: DeadLetters, { log, onRedriven }: DeadLetterDeps): DeadLetterService {
  return {
    async list({ limit = PAGE, after, ...query } = {}) {
      const size = within(limit, PAGE);
      const rows = await store.list(checked(query), { limit: size, after: after === undefined ? null : cursor(after) });
      const last = rows.length === size ? rows.at(-1) : undefined;
      return {
        letters: rows.map(({ lastError, ...row }) => {
          const [error = "unknown", ...rest] = (lastError ?? "unknown").split(": ");
          const why = error === ProcessEnded.name ? PROCESS_ENDED : WHY[row.stage];
          return { ...row, error, explanation: [why, rest.join(": ")].filter(Boolean).join(" ") };
        }),
        next: last === undefined ? null : `${last.at}/${last.id}`,
      };
    },

    async redrive({ ids, limit = MOST, by = null, ...query } = {}) {
      const filter = checked(query);
      if (ids?.some((id) => !isStorable(id)) === true) throw invalid("an id holds a NUL character.");
      const result = await store.redrive(filter, {
        ids: ids?.map((id) => id.toLowerCase()) ?? null,
        limit: within(limit, MOST),
      });
      log.info({ by, ...sayable(filter), ids: ids?.length ?? null, limit, ...result }, "dead letters were put back");
      if (result.redriven > 0) onRedriven();
      return result;
    },
  };
}

function checked({ customerConfigId, conversationId, ...filter }: DeadLetterQuery): DeadLetterFilter {
  const tenant = customerConfigId === undefined ? null : readTenant(customerConfigId);
  const conversation = conversationId === undefined ? undefined : readUuid(conversationId);
  if (conversation === null) throw invalid("conversationId is a uuid.");
  if (filter.stage !== undefined && !Object.hasOwn(WHY, filter.stage)) throw invalid("stage is in, turn or notify.");
  for (const date of [filter.from, filter.until])
    if (date !== undefined && !isStorableTime(date)) throw invalid("from and until are dates, in the years 1 to 9999.");
  if (filter.error !== undefined && !isStorable(filter.error)) throw invalid("error holds a NUL character.");
  return { ...filter, customerConfigId: tenant, conversationId: conversation };
}

/** What was typed as an error may be anything: only what looks like a class and a code is repeated. */
function sayable({ error, ...filter }: DeadLetterFilter): object {
  return {
    ...filter,
    ...(error === undefined ? {} : { error: /^[\w$.]{1,60}( [\w$.]{1,60})?$/.test(error) ? error : "other" }),
  };
}

function within(limit: number, most: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    throw invalid(`limit is a whole number from 1 to ${most}.`);
  return limit;
}

function cursor(after: string): DeadLetterPlace {
  const [at = "", letter = ""] = after.split("/");
  const [, stage, id] =
    /^(in|notify):([1-9]\d{0,17})$/.exec(letter) ??
    /^(turn):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(letter) ??
    [];
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(at) && isInstant(at) && isStorableTime(new Date(at));
  if (!isTime || stage === undefined || id === undefined || after !== `${at}/${letter}`)
    throw invalid("after is the next of the page before.");
  return { at, stage: stage as DeadLetterStage, id };
}

function invalid(message: string): ChannelError {
  return new ChannelError("REQUEST_INVALID", message);
}
