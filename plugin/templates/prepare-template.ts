/** A template as a host chose it → as Meta takes it, or why it does not. Pure. */
import type { Degradation, TemplateMessage } from "../contract.ts";
import type { KnownTemplate } from "../ports.ts";
import { checkMessage } from "../transformer/check-message.ts";
import type { Problem } from "../transformer/problem.ts";
import { checkTemplate } from "./check-template.ts";
import { fitValues } from "./fit-values.ts";

export type PreparedTemplate = {
  readonly message: TemplateMessage;
  /** `MARKETING`, `UTILITY`, `AUTHENTICATION`; null when it is not known. */
  readonly category: string | null;
  readonly changes: readonly Omit<Degradation, "part">[];
  readonly problems: readonly Problem[];
};

export function prepareTemplate(chosen: TemplateMessage, known: readonly KnownTemplate[] | null): PreparedTemplate {
  const template = known?.find(({ language }) => language === chosen.language) ?? null;
  const { choice, changes } = fitValues(chosen, template as never);
  const message = { ...chosen, ...choice };
  const problems = [...checkMessage(message), ...(known === null ? [] : checkTemplate(message, known as never))];
  return { message, category: template?.category ?? null, changes, problems };
}
