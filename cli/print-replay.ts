/** What `replay` says of its result: to a person, to a script, and in a file for a browser. */
import { writeFile } from "node:fs/promises";
import type { Manifest } from "../qa/fixtures.ts";
import { differs, type ReplayResult } from "../qa/replay-result.ts";
import { describeReplay } from "../qa/report-text.ts";
import { paintFor } from "./print.ts";

export async function printReplay(
  result: ReplayResult,
  about: {
    /** What was replayed. */
    readonly title: string;
    /** How: what was typed. */
    readonly options: string;
    readonly templates: Manifest["templates"] | undefined;
    /** A file for the HTML. */
    readonly report: string | undefined;
    readonly seed: number | undefined;
    readonly onlyDifferences: boolean;
    readonly isUpdated: boolean;
    readonly json: boolean;
  },
): Promise<void> {
  const { title, options, templates, report, seed, onlyDifferences, isUpdated, json } = about;
  const subtitle = `Replayed at ${new Date().toISOString()}${options}`;
  if (report !== undefined) {
    const { reportHtml } = await import("../qa/report-html.ts");
    await writeFile(report, reportHtml(result, { title, subtitle, templates }));
  }
  if (json) {
    console.log(JSON.stringify({ ...toJson(result), seed: seed ?? null, report: report ?? null }));
    return;
  }
  const paint = paintFor(process.stdout);
  const colours = {
    good: (text: string) => paint("green", text),
    bad: (text: string) => paint("red", text),
    dim: (text: string) => paint("dim", text),
    bold: (text: string) => paint("bold", text),
  };
  console.log(describeReplay(result, colours, !onlyDifferences));
  if (seed !== undefined) console.log(`Shuffled. The same order again: --shuffle ${seed}`);
  if (report !== undefined) console.log(`Report: ${report}`);
  if (isUpdated) console.log("What was sent is the promise from now on.");
}

function toJson({ ok, differences, counts, refused, conversations }: ReplayResult): object {
  const rows = conversations.flatMap(({ steps }) =>
    steps.flatMap(({ fixture, rows }) => rows.filter(differs).map(({ kind, changes }) => ({ fixture, kind, changes }))),
  );
  return { ok, differences, counts, refused, rows };
}
