/** The conversations as a person would read them: who wrote what, what was answered, how soon, and whether it was read. */
import type { Conversation, Ticks, TranscriptEntry } from "@omniops/whatsapp/simulator";
import { fill, harmless, type Paint, wrap } from "./terminal.ts";

export type ConversationView = {
  readonly paint: Paint;
  readonly width: number;
  /** What a business number is called. */
  readonly businessOf: (phoneNumberId: string) => { readonly name: string; readonly displayPhoneNumber: string };
  /** What the host's inbox shows, by message id. */
  readonly contents: ReadonlyMap<string, string>;
  /** About what a person wrote: the recording it came in, when that was posted, and what is to be said beside it. */
  readonly sourceOf: (messageId: string) => Source | undefined;
};

export type Source = { readonly recording: string; readonly postedAt: Date; readonly remark: string };

/** More lines than this tell a reader nothing new. */
const MOST_LINES = 14;
/** Room for the ticks and the time, and the spaces between. */
const NOTE_WIDTH = 32;

export function showConversation(conversation: Conversation, view: ConversationView): string {
  const { paint, businessOf } = view;
  const { person, phoneNumberId } = conversation;
  const business = businessOf(phoneNumberId);
  const names = { inbound: harmless(person.name), outbound: business.name };
  const column = Math.max(names.inbound.length, names.outbound.length);
  const address = harmless(person.phoneNumber ?? person.userId ?? "");
  const who = address === names.inbound ? paint.bold(address) : `${paint.bold(names.inbound)} ${paint.dim(address)}`;
  const title = `${who} and ${paint.bold(business.name)} ${paint.dim(business.displayPhoneNumber)}`;
  const entries = conversation.entries.map((entry, at) => {
    const name = names[entry.direction].padEnd(column);
    const source = view.sourceOf(conversation.entries[at - 1]?.wamid ?? "");
    const afterMs =
      entry.direction === "outbound" && source !== undefined ? entry.at.getTime() - source.postedAt.getTime() : null;
    const lines = linesOf(entry, view, Math.max(view.width - column - NOTE_WIDTH, 30));
    return `  ${entry.direction === "inbound" ? name : paint.green(name)}  ${lines.join(`\n${" ".repeat(column + 4)}`)}${noteOn(entry, view, afterMs)}`;
  });
  return [title, ...entries].join("\n").replaceAll(/ +$/gm, "");
}

/** Its last line is filled up, so that the notes beside short messages stand in one column. */
function linesOf(entry: TranscriptEntry, { paint, contents }: ConversationView, width: number): readonly string[] {
  const lines = wrap(harmless(textOf(entry, contents)), width);
  const left = lines.length > MOST_LINES ? lines.length - MOST_LINES + 4 : 0;
  const shown = lines.slice(0, lines.length - left);
  if (left > 0) return [...shown, paint.dim(`… and ${left} lines more  `)];
  return [...shown.slice(0, -1), fill(shown.at(-1) ?? "", width + 2)];
}

/** The simulator shows what the person saw; the host has words for a button or a place. */
function textOf({ type, text, wamid, replyTo }: TranscriptEntry, contents: ReadonlyMap<string, string>): string {
  const said = text === `[${type}]` ? (contents.get(wamid) ?? text) : text;
  const typed = type === "text" || said.startsWith(`[${type}]`) ? said : `[${type}] ${said}`;
  return replyTo === null ? typed : `↩ ${typed}`;
}

const TICKS: Readonly<Record<Ticks, string>> = {
  accepted: "… accepted",
  sent: "✓ sent",
  delivered: "✓✓ delivered",
  read: "✓✓ read",
  played: "✓✓ played",
  failed: "✗ not delivered",
};

function noteOn(entry: TranscriptEntry, { paint, sourceOf }: ConversationView, afterMs: number | null): string {
  if (entry.direction === "inbound") {
    const source = sourceOf(entry.wamid);
    return paint.dim([source?.recording, source?.remark].filter(Boolean).join(", "));
  }
  const after = afterMs === null ? "" : paint.dim(` after ${afterMs} ms`);
  if (entry.status === "failed")
    return paint.red(`${TICKS.failed}: ${entry.error?.title ?? "no reason given"} (${entry.error?.code ?? "?"})`);
  const tint = entry.status === "read" || entry.status === "played" ? paint.blue : paint.dim;
  return `${tint(TICKS[entry.status])}${after}`;
}
