/** A template that somebody chose → one that Meta takes, or every reason why it would not. Pure; never throws. */
import type { Degradation, TemplateChoice } from "../contract.ts";
import { checkMessage } from "../messages/check-message.ts";
import { type Findings, type Problem, placeIn } from "../messages/problem.ts";
import type { KnownTemplate } from "../ports.ts";
import { checkTemplate, findTemplate, type PlacedChoice, reportUnknown } from "./check-template.ts";
import { fitValues } from "./fit-values.ts";

export type PreparedTemplate =
  | { readonly kind: "ready"; readonly choice: TemplateChoice; readonly degraded: readonly Degradation[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/**
 * Repairs the values of a template and checks it against what Meta has approved.
 *
 * Repaired, and told in `degraded`: line breaks, tabs and wide gaps in a value; an empty value, which becomes a dash; values
 * that make the filled-in text too long, which are shortened, the longest first, but neither money nor dates.
 *
 * Refused: a name or language that the account does not have (the languages that exist are named), a template that is not
 * approved, and parameters of another number, name, form or kind than the template's header, body, buttons and cards.
 * @param choice whatever the host gave, checked by nobody so far.
 * @param known the account's templates, at least all with this name; null when Meta was not asked yet, and then only what is
 *   right or wrong of every template is checked.
 * @param options `path`: where the choice stands in what the host gave; paths of problems and changes begin with it.
 *   `part`: the part of the send that it becomes, for `degraded`.
 */
export function prepareTemplate(
  choice: PlacedChoice,
  known: readonly KnownTemplate[] | null,
  { path = "template", part = null }: { readonly path?: string; readonly part?: number | null } = {},
): PreparedTemplate {
  const findings: Findings = { problems: [], advice: [] };
  const place = placeIn(findings, path);
  try {
    const template = known === null ? null : findTemplate(choice, known);
    const { choice: fitted, changes } = fitValues(choice, template);
    const problems = checkMessage({ ...fitted, kind: "template" }).map((problem) => within(path, problem));
    // What is no template at all cannot be held against one.
    if (problems.length > 0) return { kind: "refused", problems };
    if (template !== null) checkTemplate(fitted, template, place);
    else if (known !== null) reportUnknown(fitted, known, place);
    if (findings.problems.length > 0) return { kind: "refused", problems: findings.problems };
    return {
      kind: "ready",
      choice: fitted,
      degraded: changes.map(({ what, ...change }) => ({ part, what: `${path}.${what}`, ...change })),
    };
  } catch {
    place.report("cannot be read", "Give plain data: no getters or proxies that throw.");
    return { kind: "refused", problems: findings.problems };
  }
}

function within(path: string, problem: Problem): Problem {
  return { ...problem, path: problem.path === "" ? path : `${path}.${problem.path}` };
}
