/** What a replay came to, for a terminal: conversation by conversation, what differs and where. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { differingWords, type Piece, shortened } from "./differing-words.ts";
import { objectOf, objectsIn, textOf } from "./lossless-json.ts";
import { differs, type ReplayedConversation, type ReplayedRow, type ReplayResult } from "./replay-result.ts";

/** `good`, `bad` and `dim` are colours of whoever prints it. */
export type Colours = Readonly<Record<"good" | "bad" | "dim" | "bold", (text: string) => string>>;

const PLAIN: Colours = { good: String, bad: String, dim: String, bold: String };
/** More of a text tells a reader nothing new. */
const MOST = 300;
/** So much of what is the same stands beside what differs. */
const AROUND = 60;

/** Every conversation with a difference, or all of them. */
export function describeReplay(result: ReplayResult, colours: Colours = PLAIN, all = true): string {
  const { counts, differences, refused } = result;
  const shown = result.conversations.filter(({ steps }) => all || steps.some(({ rows }) => rows.some(differs)));
  const blocks = shown.map((conversation) => describeConversation(conversation, colours, all));
  const lines = refused.map(({ fixture, status }) =>
    colours.bad(
      `✗ ${harmless(fixture)} was ${status === null ? "not answered" : `answered ${status}`}${whyOf(status)}`,
    ),
  );
  const said = `${counted(counts.deliveries, "delivery", "deliveries")}, ${counts.sent} sent, ${counts.promised} promised`;
  const verdict = result.ok
    ? colours.good(counts.promised === 0 ? `Nothing was promised: ${said}.` : `No difference: ${said}.`)
    : colours.bad(
        `${[
          ...(differences > 0 ? [counted(differences, "difference", "differences")] : []),
          ...(refused.length > 0 ? [`${refused.length} not acknowledged`] : []),
        ].join(" and ")}: ${said}.`,
      );
  return [...blocks, ...(lines.length > 0 ? [lines.join("\n")] : []), verdict].join("\n\n");
}

/** Only what differs, without colours. */
export function describeDifferences(result: ReplayResult): string {
  return describeReplay(result, PLAIN, false);
}

/** What it usually is. */
function whyOf(status: number | null): string {
  if (status === null) return ": is the host running at that address?";
  if (status === 401) return ": its signature was refused; the secret must be the host's";
  return status === 404 ? ": is the router mounted at that address?" : "";
}

function describeConversation({ name, to, steps }: ReplayedConversation, colours: Colours, all: boolean): string {
  const shown = steps.filter(({ rows }) => all || rows.some(differs));
  const blocks = shown.flatMap(({ fixture, written, rows }) => [
    ...written.map((message) => `  ${harmless(cut(shownMessage(message)))}  ${colours.dim(harmless(fixture))}`),
    ...rows.flatMap((row) => describeRow(row, colours)),
  ]);
  return [
    `${colours.bold(harmless(name ?? to))} ${colours.dim(name === null ? "" : harmless(to))}`.trimEnd(),
    ...blocks,
  ].join("\n");
}

function describeRow(row: ReplayedRow, { good, bad, dim }: Colours): readonly string[] {
  const one = row.promised === null ? "" : harmless(cut(shownMessage(row.promised.message)));
  const other = row.got === null ? "" : harmless(cut(shownMessage(row.got.message)));
  switch (row.kind) {
    case "same":
      return [good(`    ✓ ${other}`)];
    case "unpromised":
      return [dim(`    · ${other}`)];
    case "missing":
      return [bad(`    ✗ missing: ${one}`)];
    case "extra":
      return [bad(`    ✗ not promised: ${other}`)];
    case "changed":
      return row.changes.flatMap(({ path, promised, got }) => {
        if (path === "type")
          return [
            bad(`    ✗ changed: type`),
            `        - ${bad(`${promised}`)}: ${one}`,
            `        + ${good(`${got}`)}: ${other}`,
          ];
        const [was, is] = differingWords(promised ?? "(nothing)", got ?? "(nothing)");
        const said = (pieces: readonly Piece[], colour: (text: string) => string) =>
          shortened(pieces, AROUND)
            .map(({ text, isSame }) => (isSame ? harmless(text) : colour(harmless(text))))
            .join("");
        return [bad(`    ✗ changed: ${harmless(path)}`), `        - ${said(was, bad)}`, `        + ${said(is, good)}`];
      });
  }
}

/** What a person reads of it, in one line: its words, and in brackets what can be pressed. */
export function shownMessage(message: WireObject): string {
  const type = textOf(message.type) ?? "message";
  const part = objectOf(message[type]);
  const action = objectOf(part.action);
  const reply = objectOf(part.button_reply ?? part.list_reply);
  const words = [part.body, objectOf(part.body).text, part.caption, part.emoji, part.name, part.text, reply.title]
    .map(textOf)
    .find((text) => text !== null);
  const buttons = [
    ...objectsIn(action.buttons).map((button) => objectOf(button.reply ?? button.quick_reply).title),
    ...objectsIn(action.sections).flatMap(({ rows }) => objectsIn(rows).map(({ title }) => title)),
    objectOf(action.parameters).display_text,
  ].flatMap((title) => textOf(title) ?? []);
  const kind = type === "text" || (type === "interactive" && words !== undefined) ? "" : `[${type}] `;
  return `${kind}${words ?? ""} ${buttons.map((title) => `[${title}]`).join(" ")}`.trim() || `[${type}]`;
}

function cut(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

/** One line, and no escape sequence of a stranger's. */
function harmless(text: string): string {
  return text.replace(/\n/g, " ⏎ ").replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
