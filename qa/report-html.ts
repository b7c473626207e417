/** A replay as one HTML file: what each person wrote, what was promised, what was sent, as a phone shows it, with the differences marked. */
import { drawMessages, PHONE_CSS, type WireObject } from "@omniops/whatsapp/simulator";
import { differingWords, type Piece, shortened } from "./differing-words.ts";
import type { Manifest } from "./fixtures.ts";
import { differs, type ReplayedConversation, type ReplayedRow, type ReplayResult } from "./replay-result.ts";
import { REPORT_CSS } from "./report-css.ts";

/** What stands on top of the report. */
export type HtmlOptions = {
  /** What was replayed: a folder, usually. */
  readonly title: string;
  /** When, and anything else worth a line below it. */
  readonly subtitle: string;
  /** The recording's, so that a template is shown in its words. */
  readonly templates?: Manifest["templates"] | undefined;
};

type Draw = (messages: readonly WireObject[]) => string;

/** It needs nothing from anywhere else, runs no script, and nothing in a message can become markup. */
export function reportHtml(result: ReplayResult, { title, subtitle, templates = [] }: HtmlOptions): string {
  const listed = templates as unknown as NonNullable<Parameters<typeof drawMessages>[1]>["templates"];
  const draw: Draw = (messages) => drawMessages(messages, { templates: listed ?? [] });
  const { counts, differences, refused, ok } = result;
  const facts = [
    [counts.deliveries, "deliveries"],
    [counts.promised, "promised"],
    [counts.sent, "sent"],
    [counts.same, "the same"],
    [differences, "different"],
    [refused.length, "not acknowledged"],
  ] as const;
  const verdict = !ok ? "Different" : counts.promised === 0 ? "Nothing was promised" : "The same";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escaped(verdict)}: ${escaped(title)}</title>
<style>${PHONE_CSS}
${REPORT_CSS}</style>
<header class="top ${ok ? "good" : "bad"}">
  <p class="verdict">${ok ? "✓" : "✗"} ${escaped(verdict)}</p>
  <h1>${escaped(title)}</h1>
  <p class="subtitle">${escaped(subtitle)}</p>
  <dl>${facts.map(([count, what]) => `<div><dt>${what}</dt><dd>${count}</dd></div>`).join("")}</dl>
  ${indexHtml(result)}
</header>
<main>
${refused.length === 0 ? "" : `<section class="refused"><h2>Not acknowledged</h2><ul>${refused.map(({ fixture, status }) => `<li><code>${escaped(fixture)}</code> ${status === null ? "was not answered" : `was answered ${status}`}</li>`).join("")}</ul></section>`}
${result.conversations.map((conversation, at) => conversationHtml(conversation, at, draw)).join("\n")}
</main>
</html>
`;
}

/** The way to each difference, and out of what is the same. */
function indexHtml({ conversations, differences }: ReplayResult): string {
  if (differences === 0) return "";
  const items = conversations.flatMap(({ name, to, steps }, at) =>
    rowsOf(steps).flatMap(({ row, number, fixture }) =>
      row !== null && differs(row)
        ? [
            `<li><a href="#${idOf(at, number)}">${escaped(name ?? to)}, ${escaped(whatOf(row))}</a> <small>${escaped(fixture)}</small></li>`,
          ]
        : [],
    ),
  );
  return `<nav class="index" aria-label="Differences"><strong>What differs</strong><ol>${items.join("")}</ol></nav>
  <label class="filter"><input type="checkbox" id="only"> Show only what differs</label>`;
}

function whatOf({ kind, changes }: ReplayedRow): string {
  return kind === "changed" ? `changed: ${changes.map(({ path }) => path).join(", ")}` : WORDS[kind];
}

type NumberedRow = {
  readonly fixture: string;
  readonly written: readonly WireObject[];
  readonly row: ReplayedRow | null;
  readonly number: number;
};

/** A line for each message, and one for what was answered with nothing. */
function rowsOf(steps: ReplayedConversation["steps"]): readonly NumberedRow[] {
  return steps
    .flatMap(({ fixture, written, rows: [first = null, ...rest] }) => [
      { fixture, written, row: first },
      ...rest.map((row) => ({ fixture, written: [], row })),
    ])
    .map((line, number) => ({ ...line, number }));
}

function idOf(conversation: number, row: number): string {
  return `difference-${conversation + 1}-${row + 1}`;
}

function conversationHtml({ name, to, steps }: ReplayedConversation, at: number, draw: Draw): string {
  const isBad = steps.some(({ rows }) => rows.some(differs));
  return `<section class="conversation${isBad ? " different" : ""}">
<h2>${escaped(name ?? to)} <small>${name === null ? "" : escaped(to)}</small> <span class="badge ${isBad ? "bad" : "good"}">${isBad ? "different" : "as promised"}</span></h2>
<div class="table" role="table" aria-label="What was written, promised and sent">
<div class="row head" role="row"><div role="columnheader">The person wrote</div><div role="columnheader">Promised</div><div role="columnheader">Sent</div></div>
${rowsOf(steps)
  .map((line) => rowHtml(line, at, draw))
  .join("\n")}
</div>
</section>`;
}

const WORDS: Readonly<Record<ReplayedRow["kind"], string>> = {
  same: "the same",
  changed: "changed",
  missing: "missing",
  extra: "not promised",
  unpromised: "nothing was promised",
};

function rowHtml({ fixture, written, row, number }: NumberedRow, conversation: number, draw: Draw): string {
  const wrote = written.length === 0 ? "" : `<p class="fixture">${escaped(fixture)}</p>${draw(written)}`;
  if (row === null)
    return `<div class="row quiet" role="row"><div role="cell">${wrote}</div><div role="cell"></div><div role="cell"></div></div>`;
  const { kind, promised, got } = row;
  const nothing = '<p class="nothing">nothing</p>';
  const isBad = differs(row);
  return `<div class="row ${kind}" role="row"${isBad ? ` id="${idOf(conversation, number)}"` : ""}>
${isBad ? `<div class="what" role="cell"><p class="mark">${WORDS[kind]}</p>${changesHtml(row)}</div>` : ""}<div role="cell">${wrote}</div>
<div role="cell" data-of="Promised">${promised ? draw([promised.message]) : kind === "extra" ? nothing : ""}</div>
<div role="cell" data-of="Sent">${got ? draw([got.message]) : kind === "missing" ? nothing : ""}${isBad ? "" : `<p class="mark">${WORDS[kind]}</p>`}</div>
</div>`;
}

function changesHtml({ changes }: ReplayedRow): string {
  if (changes.length === 0) return "";
  const items = changes.map(({ path, promised, got }) => {
    const [one, other] = differingWords(promised ?? "", got ?? "");
    return `<li><code>${escaped(path)}</code><pre class="was">${promised === undefined ? "<i>nothing</i>" : marked(one)}</pre><pre class="is">${got === undefined ? "<i>nothing</i>" : marked(other)}</pre></li>`;
  });
  return `<ul class="changes">${items.join("")}</ul>`;
}

/** So much of what is the same is shown beside what differs. */
const AROUND = 80;

function marked(pieces: readonly Piece[]): string {
  return shortened(pieces, AROUND)
    .map(({ text, isSame }) => (isSame ? escaped(text) : `<mark>${escaped(text)}</mark>`))
    .join("");
}

/** For text and for attributes in double quotes. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
