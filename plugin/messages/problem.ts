/** What is wrong with a message before it is sent, and the place where it was found. */

import type { Problem } from "../errors.ts";

export type { Problem };

/** A place in a message: it knows its path and takes what is found there. */
export type Place = {
  readonly path: string;
  member(name: string): Place;
  item(index: number): Place;
  /** It will not be sent like this. */
  report(problem: string, fix: string, limit?: number): void;
  /** It is sent, and may be refused. */
  advise(problem: string, fix: string, limit?: number): void;
};

export type Findings = { readonly problems: Problem[]; readonly advice: Problem[] };

/** Nobody reads more, and a hostile list would have millions. */
const MOST_FINDINGS = 100;
/** A name that a path may show: others may be text that somebody wrote. */
const NAME = /^[A-Za-z0-9_]{1,64}$/;

export function placeIn(findings: Findings, path = ""): Place {
  const into = (list: Problem[]) => (problem: string, fix: string, limit?: number) => {
    if (list.length < MOST_FINDINGS) list.push({ path, problem, limit: limit ?? null, fix });
  };
  return {
    path,
    member: (name) => {
      const shown = NAME.test(name) ? name : "?";
      return placeIn(findings, path === "" ? shown : `${path}.${shown}`);
    },
    item: (index) => placeIn(findings, `${path}[${index}]`),
    report: into(findings.problems),
    advise: into(findings.advice),
  };
}

/** More than these nobody reads at once. */
const MOST_SAID = 5;

/** Each with its path, as one text. */
export function sayProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, MOST_SAID).map(({ path, problem, fix }) => `${path} ${problem}. ${fix}`);
  const more = problems.length - shown.length;
  return `${shown.join(" ")}${more > 0 ? ` And ${more} more.` : ""}`;
}
