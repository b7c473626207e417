/** What a replay came to, as a person reads it: in a terminal, in a browser, and where a test has failed. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { diffConversation, type Sent } from "../../../qa/diff.ts";
import { whatsappMatchers } from "../../../qa/matchers.ts";
import type { ReplayedRow, ReplayResult } from "../../../qa/replay-result.ts";
import { reportHtml } from "../../../qa/report-html.ts";
import { describeReplay } from "../../../qa/report-text.ts";

const sent = (body: string, more: WireObject = {}): Sent => ({
  endpoint: "messages",
  message: { type: "text", text: { body }, ...more },
  after: "0001-message",
});
const choices = (action: WireObject): Sent =>
  sent("", { type: "interactive", interactive: { body: { text: "Which?" }, action } });
const BUTTONS = choices({ buttons: [{ reply: { title: "Tea" } }, { reply: { title: "Cake" } }] });
const LIST = choices({ sections: [{ rows: [{ title: "Assam" }] }, { rows: [{ title: "Keemun" }] }] });
const rowsOf = (promised: readonly Sent[], got: readonly Sent[]) =>
  diffConversation(promised, got, { text: "keep", isInOrder: true });

function resultOf(rows: readonly ReplayedRow[], more: Partial<ReplayResult> = {}): ReplayResult {
  const differences = rows.filter(({ kind }) => kind !== "same" && kind !== "unpromised").length;
  const written = [{ type: "text", from: "440000000001", text: { body: "<script>alert(1)</script>" } }];
  return {
    conversations: [
      {
        from: "1",
        to: "440000000001",
        name: "<b>Iris</b>\u001b[31m",
        steps: [{ fixture: `0001-"'<i>`, written, rows }],
      },
    ],
    differences,
    refused: [],
    counts: { deliveries: 2, promised: 1, sent: 1, same: 0 },
    ok: differences === 0,
    sends: new Map(),
    ...more,
  };
}

const RESULT = resultOf(rowsOf([sent("*a*")], [sent('"><img src=x onerror=alert(1)>')]), {
  refused: [{ fixture: "0002-message", status: 401 }],
});
const told = (rows: readonly ReplayedRow[], more: Partial<ReplayResult> = {}) => describeReplay(resultOf(rows, more));

describe("in a terminal, a report", () => {
  it("says what differs and what was refused, and lets no message write to it", () => {
    const text = describeReplay(RESULT);

    expect(text).toContain("✗ 0002-message was answered 401: its signature was refused");
    expect(text).toContain('    ✗ changed: text.body\n        - *a*\n        + "><img src=x');
    expect(text).toMatch(/1 difference and 1 not acknowledged: 2 deliveries, 1 sent, 1 promised\.$/);
    expect(text).not.toContain("\u001b");
    expect(told(rowsOf([], [sent("a\u202eb\nc")]))).toContain("    ✗ not promised: a\ufffdb ⏎ c");
  });

  it("shows each message in one line: its words and what can be pressed", () => {
    expect(told(rowsOf([BUTTONS], []))).toContain("    ✗ missing: Which? [Tea] [Cake]\n");
    expect(told(rowsOf([], [LIST]))).toContain("    ✗ not promised: Which? [Assam] [Keemun]\n");
    expect(told(rowsOf([sent("hi")], [sent("hi")]))).toContain("    ✓ hi\n");
    expect(told([{ kind: "unpromised", promised: null, got: sent("x".repeat(400)), changes: [] }])).toContain(
      `    · ${"x".repeat(300)}…\n`,
    );
  });

  it("shows both messages where one is of another type", () => {
    expect(told(rowsOf([BUTTONS], [sent("Tea or cake?")]))).toContain(
      "    ✗ changed: type\n        - interactive: Which? [Tea] [Cake]\n        + text: Tea or cake?\n",
    );
  });

  it("says why a webhook was not acknowledged, as far as its status tells", () => {
    const why = (status: number | null) => told([], { refused: [{ fixture: "a", status }], ok: false });

    expect(why(null)).toContain("✗ a was not answered: is the host running at that address?");
    expect(why(404)).toContain("✗ a was answered 404: is the router mounted at that address?");
    expect(why(503)).toContain("✗ a was answered 503\n");
  });

  it("does not call the same what nothing was promised of", () => {
    const counts = { deliveries: 1, promised: 0, sent: 1, same: 0 };

    expect(told([], { counts })).toMatch(/Nothing was promised: 1 delivery, 1 sent, 0 promised\.$/);
    expect(told([])).toMatch(/No difference: 2 deliveries, 1 sent, 1 promised\.$/);
  });

  it("shows of many conversations only those that differ, if asked", () => {
    const [same] = resultOf(rowsOf([sent("hi")], [sent("hi")])).conversations;
    const both = { ...RESULT, conversations: [...RESULT.conversations, { ...same!, name: "Hugo" }] };

    expect(describeReplay(both)).toContain("Hugo");
    expect(describeReplay(both, undefined, false)).not.toContain("Hugo");
  });
});

describe("in a browser, a report", () => {
  const drawn = (
    rows: readonly ReplayedRow[],
    more: Partial<ReplayResult> = {},
    templates: readonly WireObject[] = [],
  ) => reportHtml(resultOf(rows, more), { title: "</title><script>", subtitle: "<i>", templates });

  it("needs nothing from anywhere, and nothing in a message becomes markup", () => {
    const html = reportHtml(RESULT, { title: "</title><script>", subtitle: "<i>" });

    expect(html).toMatch(/<div class="row changed" role="row" id="difference-1-1">/);
    expect(html).toContain(`<a href="#difference-1-1">&#60;b&#62;Iris`);
    expect(html).toContain('<p class="fixture">0001-&#34;&#39;&#60;i&#62;</p>');
    expect(html).not.toMatch(/<script|<img|<b>Iris|<i>(?!nothing)|onerror=alert\(1\)>[^&]*<\/p>/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain("prefers-color-scheme:dark");
  });

  it("has no markup where a message's member is named so", () => {
    const odd = (of: string) => sent("", { type: "text", "<b>x": of });

    expect(drawn(rowsOf([odd("1")], [odd("2")]))).toContain("<li><code>&#60;b&#62;x</code>");
  });

  it("says on which side there is nothing, and what was not acknowledged", () => {
    expect(drawn(rowsOf([sent("hi")], []))).toMatch(/<div role="cell" data-of="Sent"><p class="nothing">nothing</);
    expect(drawn(rowsOf([], [sent("hi")]))).toMatch(/<div role="cell" data-of="Promised"><p class="nothing">nothing</);
    const refused = [
      { fixture: "a<", status: 503 },
      { fixture: "b", status: null },
    ];
    const html = drawn([], { refused, ok: false });
    expect(html).toContain("<li><code>a&#60;</code> was answered 503</li><li><code>b</code> was not answered</li>");
    expect(html).toContain('<header class="top bad">');
  });

  it("offers to hide what is the same where something differs, and marks the words that do", () => {
    expect(drawn(rowsOf([sent("hi you")], [sent("hi me")]))).toMatch(
      /id="only".*<pre class="was">hi <mark>you<\/mark>/s,
    );
    expect(drawn(rowsOf([sent("hi")], [sent("hi")]))).not.toContain('id="only"');
  });

  it("shows a template in its words", () => {
    const template = { name: "hello", language: { code: "en" } };
    const known = {
      name: "hello",
      language: "en",
      status: "APPROVED",
      components: [{ type: "BODY", text: "Welcome!" }],
    };

    expect(drawn(rowsOf([], [sent("", { type: "template", template })]), {}, [known])).toContain("Welcome!");
  });
});

describe("the matchers", () => {
  it("pass on what is as promised, and say what is not", () => {
    expect(whatsappMatchers.toSendAsPromised({ ...RESULT, ok: true }).pass).toBe(true);
    const verdict = whatsappMatchers.toSendAsPromised(RESULT);
    expect(verdict.pass).toBe(false);
    expect(verdict.message()).toMatch(/^expected everything to be sent as promised\n[\s\S]*- \*a\*/);
    const same = whatsappMatchers.toSendAs({ to: "1", ...sent("a").message }, sent("a").message);
    expect(same.pass).toBe(true);
    const other = whatsappMatchers.toSendAs(sent("a").message, sent("b").message);
    expect([other.pass, other.message()]).toEqual([false, "text.body: promised b, got a"]);
  });

  it("say so where a test wants a difference and there is none", () => {
    expect(whatsappMatchers.toSendAsPromised({ ...RESULT, ok: true }).message()).toMatch(/^expected a difference/);
    expect(whatsappMatchers.toSendAs(sent("a").message, sent("a").message).message()).toBe("expected another message");
  });

  it("say what is wrong where there is nothing to compare", () => {
    const nothing = whatsappMatchers.toSendAs(undefined, { type: "text" });
    expect([nothing.pass, nothing.message()]).toEqual([false, 'message: promised {"type":"text"}, got nothing']);
    const unawaited = whatsappMatchers.toSendAsPromised(Promise.resolve(RESULT) as unknown as ReplayResult);
    expect([unawaited.pass, unawaited.message()]).toEqual([false, expect.stringContaining("await it first")]);
  });
});
