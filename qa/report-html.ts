/** A replay as one HTML file: what each person wrote, what was promised, what was sent, as a phone shows it, with the differences marked. */
import { drawMessages, PHONE_CSS, type WireObject } from "@omniops/whatsapp/simulator";
import type { Manifest } from "./fixtures.ts";
import type { ReplayedConversation, ReplayedRow, ReplayResult } from "./replay.ts";

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
${CSS}</style>
<header class="top ${ok ? "good" : "bad"}">
  <p class="verdict">${ok ? "✓" : "✗"} ${escaped(verdict)}</p>
  <h1>${escaped(title)}</h1>
  <p class="subtitle">${escaped(subtitle)}</p>
  <dl>${facts.map(([count, what]) => `<div><dt>${what}</dt><dd>${count}</dd></div>`).join("")}</dl>
</header>
<main>
${refused.length === 0 ? "" : `<section class="refused"><h2>Not acknowledged</h2><ul>${refused.map(({ fixture, status }) => `<li><code>${escaped(fixture)}</code> ${status === null ? "was not answered" : `was answered ${status}`}</li>`).join("")}</ul></section>`}
${result.conversations.map((conversation) => conversationHtml(conversation, draw)).join("\n")}
</main>
</html>
`;
}

function conversationHtml({ name, to, steps }: ReplayedConversation, draw: Draw): string {
  const isBad = steps.some(({ rows }) => rows.some(differs));
  const rows = steps.flatMap(({ fixture, written, rows: own }) => {
    const first = own[0];
    const lines =
      first === undefined ? [rowHtml(fixture, written, null, draw)] : [rowHtml(fixture, written, first, draw)];
    return [...lines, ...own.slice(1).map((row) => rowHtml("", [], row, draw))];
  });
  return `<section class="conversation">
<h2>${escaped(name ?? to)} <small>${name === null ? "" : escaped(to)}</small> <span class="badge ${isBad ? "bad" : "good"}">${isBad ? "different" : "as promised"}</span></h2>
<div class="table" role="table" aria-label="What was written, promised and sent">
<div class="row head" role="row"><div role="columnheader">The person wrote</div><div role="columnheader">Promised</div><div role="columnheader">Sent</div></div>
${rows.join("\n")}
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

function rowHtml(fixture: string, written: readonly WireObject[], row: ReplayedRow | null, draw: Draw): string {
  const about = fixture === "" ? "" : `<p class="fixture">${escaped(fixture)}</p>`;
  const wrote = written.length === 0 ? "" : draw(written);
  const kind = row?.kind ?? "unpromised";
  return `<div class="row ${row === null ? "" : kind}" role="row">
<div role="cell">${about}${wrote}</div>
<div role="cell">${row?.promised ? draw([row.promised.message]) : row?.kind === "extra" ? '<p class="nothing">nothing</p>' : ""}</div>
<div role="cell">${row?.got ? draw([row.got.message]) : row?.kind === "missing" ? '<p class="nothing">nothing</p>' : ""}${row === null ? "" : `<p class="mark">${WORDS[kind]}</p>`}${row === null ? "" : changesHtml(row)}</div>
</div>`;
}

function changesHtml({ changes }: ReplayedRow): string {
  if (changes.length === 0) return "";
  const items = changes.map(({ path, promised, got }) => {
    const [one, other] = marked(promised ?? "", got ?? "");
    return `<li><code>${escaped(path)}</code>
<pre class="was">${promised === undefined ? "<i>nothing</i>" : one}</pre>
<pre class="is">${got === undefined ? "<i>nothing</i>" : other}</pre></li>`;
  });
  return `<details open><summary>${changes.length === 1 ? "1 place" : `${changes.length} places`}</summary><ul class="changes">${items.join("")}</ul></details>`;
}

/** So much of what is the same is shown beside what differs. */
const AROUND = 80;

/** What lies between the same beginning and the same end is marked. */
function marked(one: string, other: string): readonly [string, string] {
  const [a, b] = [[...one], [...other]];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const show = (letters: readonly string[]) => {
    const middle = letters.slice(start, letters.length - end).join("");
    const before = letters.slice(0, start).join("");
    const after = letters.slice(letters.length - end).join("");
    const mark = middle === "" ? "" : `<mark>${escaped(middle)}</mark>`;
    return `${escaped(before.length > AROUND ? `…${before.slice(-AROUND)}` : before)}${mark}${escaped(after.length > AROUND ? `${after.slice(0, AROUND)}…` : after)}`;
  };
  return [show(a), show(b)];
}

function differs({ kind }: ReplayedRow): boolean {
  return kind !== "same" && kind !== "unpromised";
}

/** For text and for attributes in double quotes. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const CSS = `:root{--page:#f6f7f8;--card:#fff;--ink:#15202b;--soft:#5b6b78;--line:#dfe4e8;--good:#0b7a4b;--good-wash:#e7f6ee;--bad:#b3261e;--bad-wash:#fdecea;--chat:#efeae2}
@media (prefers-color-scheme:dark){:root{--page:#0e1418;--card:#172027;--ink:#e6edf3;--soft:#9fb0bd;--line:#2a3741;--good:#5fd19a;--good-wash:#12291f;--bad:#ff9a90;--bad-wash:#33191a;--chat:#0b141a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
.top{padding:24px max(24px,calc(50vw - 620px));background:var(--card);border-bottom:1px solid var(--line);border-top:6px solid var(--good)}
.top.bad{border-top-color:var(--bad)}
.verdict{margin:0;font-weight:700;color:var(--good)}
.bad .verdict{color:var(--bad)}
h1{margin:4px 0;font-size:22px;overflow-wrap:anywhere}
.subtitle{margin:0;color:var(--soft)}
dl{display:flex;flex-wrap:wrap;gap:12px 32px;margin:16px 0 0}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
main{padding:8px max(24px,calc(50vw - 620px)) 48px}
h2{font-size:17px;margin:28px 0 10px;overflow-wrap:anywhere}
h2 small{color:var(--soft);font-weight:400}
.badge{font-size:12px;font-weight:600;padding:2px 8px;border-radius:99px;background:var(--good-wash);color:var(--good)}
.badge.bad{background:var(--bad-wash);color:var(--bad)}
.table{border:1px solid var(--line);border-radius:10px;overflow:hidden;background:var(--card)}
.row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));border-top:1px solid var(--line)}
.row:first-child{border-top:0}
.row.head{font-size:13px;color:var(--soft);font-weight:600}
.row>div{padding:10px 12px;min-width:0}
.row>div+div{border-left:1px solid var(--line)}
.row.changed,.row.missing,.row.extra{background:var(--bad-wash);box-shadow:inset 4px 0 var(--bad)}
.wa-chat{border-radius:8px;background-color:var(--chat)}
.fixture{margin:0 0 6px;font:12px ui-monospace,monospace;color:var(--soft);overflow-wrap:anywhere}
.mark{margin:6px 0 0;font-size:13px;color:var(--soft)}
.changed .mark,.missing .mark,.extra .mark{color:var(--bad);font-weight:600}
.nothing{margin:0;color:var(--soft);font-style:italic}
summary{cursor:pointer;font-size:13px;margin-top:4px}
.changes{list-style:none;margin:6px 0 0;padding:0}
code{font:12px ui-monospace,monospace;overflow-wrap:anywhere}
pre{margin:3px 0;padding:4px 8px;border-radius:6px;font:12px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line)}
pre.was::before{content:"− ";color:var(--bad)}
pre.is::before{content:"+ ";color:var(--good)}
mark{background:var(--bad-wash);color:var(--bad);border-radius:3px;outline:1px solid var(--bad)}
.is mark{background:var(--good-wash);color:var(--good);outline-color:var(--good)}
.refused{margin-top:24px;padding:4px 16px;border:1px solid var(--bad);border-radius:10px;background:var(--bad-wash)}
@media (max-width:760px){.row{grid-template-columns:1fr}.row.head{display:none}.row>div+div{border-left:0;border-top:1px dashed var(--line)}}`;
