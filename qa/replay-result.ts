/** What a replay came to: what each person wrote, what was promised for it and what was sent, side by side. Pure. */
import type { AcceptedMessage, WireObject } from "@omniops/whatsapp/simulator";
import { type Comparison, withoutEnvelope } from "./comparable.ts";
import { diffConversation, type Row, type Sent } from "./diff.ts";
import type { Fixture, PromisedSend } from "./fixtures.ts";
import { objectOf, objectsIn, parsed, textOf } from "./lossless-json.ts";
import type { Post } from "./plan-posts.ts";
import type { Rewriter } from "./rewrite.ts";
import { messageIdsIn, valuesIn } from "./webhook-values.ts";

/** What one person wrote, and what was promised and sent for it. */
export type ReplayedConversation = {
  /** The business number, as recorded. */
  readonly from: string;
  /** The person, as recorded: digits or a user id. */
  readonly to: string;
  readonly name: string | null;
  readonly steps: readonly {
    readonly fixture: string;
    /** What the person wrote, in Meta's shape. */
    readonly written: readonly WireObject[];
    readonly rows: readonly ReplayedRow[];
  }[];
};

/** `unpromised`: sent after a fixture that promises nothing, and therefore no difference. */
export type ReplayedRow = Row | (Omit<Row, "kind"> & { readonly kind: "unpromised" });

/** What was sent beside what was promised, conversation by conversation. */
export type ReplayResult = {
  readonly conversations: readonly ReplayedConversation[];
  /** How many rows are changed, missing or extra. */
  readonly differences: number;
  /** Fixtures that the router did not acknowledge, with its status; null when it did not answer. */
  readonly refused: readonly { readonly fixture: string; readonly status: number | null }[];
  readonly counts: {
    readonly deliveries: number;
    readonly promised: number;
    readonly sent: number;
    readonly same: number;
  };
  /** No difference, and everything was acknowledged. */
  readonly ok: boolean;
  /** What the fixtures would have to promise for that, by their names. */
  readonly sends: ReadonlyMap<string, readonly PromisedSend[]>;
};

/** Whether it is one of the result's differences. */
export function differs({ kind }: ReplayedRow): boolean {
  return kind !== "same" && kind !== "unpromised";
}

/** One that was sent in this run. */
export type Caught = { readonly message: AcceptedMessage; readonly after: Fixture | null };

type Part = {
  readonly from: string;
  readonly to: string;
  readonly promised: Sent[];
  readonly got: Sent[];
  readonly unpromised: Sent[];
};

/** Compares what was caught with what the fixtures promise, conversation by conversation. */
export function resultOf(run: {
  readonly fixtures: readonly Fixture[];
  readonly posts: readonly Post[];
  readonly caught: readonly Caught[];
  readonly rewriter: Rewriter;
  readonly canonical: (address: string) => string;
  readonly refused: ReplayResult["refused"];
  readonly text: Comparison;
  readonly isInOrder: boolean;
  readonly names: readonly string[];
}): ReplayResult {
  const { fixtures, posts, caught, rewriter, canonical } = run;
  const parts = new Map<string, Part>();
  const partOf = (from: string, address: string) => {
    const to = canonical(address);
    const known = parts.get(`${from} ${to}`);
    if (known !== undefined) return known;
    const part = { from, to, promised: [], got: [], unpromised: [] };
    parts.set(`${from} ${to}`, part);
    return part;
  };
  const sends = new Map<string, PromisedSend[]>(fixtures.map(({ name }) => [name, []]));
  const { written, names } = writtenIn(fixtures, partOf);
  for (const { name, sends: promised } of fixtures)
    for (const { from, to, endpoint, message } of promised ?? [])
      partOf(from, to).promised.push({ endpoint, message, after: name });
  for (const { message, after } of caught) {
    const from = String(rewriter.restore(message.phoneNumberId));
    const part = partOf(from, message.recipient);
    const name = after?.name ?? "";
    const body = withoutEnvelope(objectOf(rewriter.restore(message.body)));
    const sent = { endpoint: message.endpoint, message: body, after: name };
    // Out of order it may as well be what an earlier one promises: then that is found out first.
    (after?.sends === null && run.isInOrder ? part.unpromised : part.got).push(sent);
    sends.get(name)?.push({
      from,
      to: part.to,
      endpoint: message.endpoint,
      message: body,
      id: String(rewriter.restore(message.wamid)),
      answers: after === null ? [] : messageIdsIn(parsed(after.bytes)),
    });
  }
  const silent = new Set(fixtures.flatMap(({ name, sends: promised }) => (promised === null ? [name] : [])));
  const order = [...new Set(posts.flatMap((post) => post.fixtures.map(({ name }) => name)))];
  const conversations = [...parts.values()].map((part): ReplayedConversation => {
    const rows: readonly ReplayedRow[] = [
      ...diffConversation(part.promised, part.got, run).map((row) =>
        row.kind === "extra" && silent.has(row.got?.after ?? "") ? { ...row, kind: "unpromised" as const } : row,
      ),
      ...part.unpromised.map((got) => ({ kind: "unpromised" as const, promised: null, got, changes: [] })),
    ];
    const steps = order.map((fixture) => ({
      fixture,
      written: written.get(part)?.get(fixture) ?? [],
      rows: rows.filter(({ promised, got }) => (promised ?? got)?.after === fixture),
    }));
    return {
      from: part.from,
      to: part.to,
      name: names.get(part.to) ?? null,
      steps: steps.filter((step) => step.written.length + step.rows.length > 0),
    };
  });
  const rows = conversations.flatMap(({ steps }) => steps.flatMap((step) => step.rows));
  const same = rows.filter(({ kind }) => kind === "same").length;
  const differences = rows.filter(differs).length;
  return {
    conversations: conversations.filter(({ steps }) => steps.length > 0),
    differences,
    refused: run.refused,
    counts: {
      deliveries: posts.length,
      promised: fixtures.reduce((sum, fixture) => sum + (fixture.sends?.length ?? 0), 0),
      sent: caught.length,
      same,
    },
    ok: differences === 0 && run.refused.length === 0,
    sends,
  };
}

/** What people wrote, by conversation and fixture, and what they are called. */
function writtenIn(fixtures: readonly Fixture[], partOf: (from: string, to: string) => Part) {
  const written = new Map<Part, Map<string, WireObject[]>>();
  const names = new Map<string, string>();
  for (const { name: fixture, bytes } of fixtures)
    for (const { metadata, messages, contacts } of valuesIn(parsed(bytes))) {
      const number = textOf(objectOf(metadata).phone_number_id);
      for (const { wa_id, user_id, profile } of objectsIn(contacts)) {
        const called = textOf(objectOf(profile).name);
        for (const address of [wa_id, user_id]) if (called !== null) names.set(String(address), called);
      }
      for (const message of objectsIn(messages)) {
        const address = textOf(message.from) ?? textOf(message.from_user_id);
        if (number === null || address === null || message.group_id !== undefined) continue;
        const part = partOf(number, address);
        const byFixture = written.get(part) ?? new Map<string, WireObject[]>();
        byFixture.set(fixture, [...(byFixture.get(fixture) ?? []), message]);
        written.set(part, byFixture);
      }
    }
  return { written, names };
}
