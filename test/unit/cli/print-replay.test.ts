/** What `replay` prints besides the conversations, and what a script gets. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { printReplay } from "../../../cli/print-replay.ts";
import { diffConversation } from "../../../qa/diff.ts";
import type { ReplayResult } from "../../../qa/replay-result.ts";

const sent = (body: string) => ({ endpoint: "messages", message: { type: "text", text: { body } }, after: "1" });
const rows = diffConversation([sent("a"), sent("b")], [sent("a"), sent("c")], { text: "exact", isInOrder: true });
const RESULT: ReplayResult = {
  conversations: [{ from: "1", to: "2", name: "Iris", steps: [{ fixture: "1", written: [], rows }] }],
  differences: 1,
  refused: [],
  counts: { deliveries: 1, promised: 2, sent: 2, same: 1 },
  ok: false,
  sends: new Map(),
};
const ABOUT = {
  title: "recordings/x",
  options: " --reply ./a.js",
  templates: undefined,
  report: undefined,
  seed: undefined,
  onlyDifferences: false,
  isUpdated: false,
  json: false,
};

async function print(about: Partial<Parameters<typeof printReplay>[1]>): Promise<string> {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  await printReplay(RESULT, { ...ABOUT, ...about });
  const out = printed.mock.calls.map(([line]) => String(line)).join("\n");
  printed.mockRestore();
  return out;
}

it("is the report alone, or that and how to have the same again", async () => {
  expect(await print({})).toMatch(/^Iris 2\n {4}✓ a\n[\s\S]*1 difference: 1 delivery, 2 sent, 2 promised\.$/);
  expect(await print({ onlyDifferences: true, seed: 42, isUpdated: true })).toMatch(
    /\nShuffled\. The same order again: --shuffle 42\nWhat was sent is the promise from now on\.$/,
  );
});

it("is one JSON value for a script, with what differs, the seed and the report", async () => {
  const folder = await mkdtemp(join(tmpdir(), "omniops-qa-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const report = join(folder, "report.html");

  const json = JSON.parse(await print({ json: true, seed: 42, report }));

  const { counts, differences, refused, ok } = RESULT;
  const changes = [{ path: "text.body", promised: "b", got: "c" }];
  expect(json).toEqual({
    ok,
    differences,
    counts,
    refused,
    rows: [{ fixture: "1", kind: "changed", changes }],
    seed: 42,
    report,
  });
  const html = await readFile(report, "utf8");
  expect(html).toContain("<h1>recordings/x</h1>");
  expect(html).toMatch(/<p class="subtitle">Replayed at 20\d\d-[^<]*Z --reply \.\/a\.js<\/p>/);
  expect(JSON.parse(await print({ json: true }))).toMatchObject({ seed: null, report: null });
});
