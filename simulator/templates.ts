/** The message templates of the simulated accounts: kept, found, and listed page by page. */

import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { WireObject } from "./wire.ts";

/** A message template in one language, as its account has it. */
export type SimulatedTemplate = {
  readonly name: string;
  readonly language: string;
  /** Default `UTILITY`. */
  readonly category?: "MARKETING" | "UTILITY" | "AUTHENTICATION";
  /** Default `APPROVED`; every other status is refused when it is sent. */
  readonly status?: string;
  /** Default `POSITIONAL`. */
  readonly parameterFormat?: "NAMED" | "POSITIONAL";
  /** In Meta's spelling, as `GET /{waba-id}/message_templates` lists them. */
  readonly components: readonly WireObject[];
  /** `GREEN` (the default), `YELLOW`, `RED` or `UNKNOWN`. */
  readonly qualityScore?: string;
  /** Why it was rejected, in Meta's word. Default `NONE`. */
  readonly rejectedReason?: string;
  /** `message_send_ttl_seconds`; null: none was asked for. */
  readonly sendTtlSeconds?: number | null;
  /** The category that it had before Meta filed it elsewhere. */
  readonly previousCategory?: string | null;
};

/** What Meta decides about a template later; each is told by its own webhook. */
export type TemplateChanges = {
  readonly status?: string;
  /** With `REJECTED`: Meta's word, and what it says to the business. */
  readonly rejectedReason?: string;
  readonly rejectionInfo?: { readonly reason: string; readonly recommendation: string };
  readonly qualityScore?: string;
  readonly category?: NonNullable<SimulatedTemplate["category"]>;
};

type TemplateName = { readonly name: string; readonly language?: string };

/** The templates of an account; without `wabaId` those of the first number's. */
export type Templates = {
  /** Adds one, or takes the place of the one with its name and language: with another status, that one is paused, say. */
  add(template: SimulatedTemplate, wabaId?: string): void;
  /** One language, or all of them; what is not there needs no removing. */
  remove(template: TemplateName, wabaId?: string): void;
  /** Meta reviews it, pauses it, finds its quality wanting, files it elsewhere: changed, and told by webhooks. */
  change(template: TemplateName, changes: TemplateChanges, wabaId?: string): void;
  list(wabaId?: string): readonly SimulatedTemplate[];
};

/** One with its id and nothing left open. */
export type ListedTemplate = Required<SimulatedTemplate> & { readonly id: string };

/** The inside of {@link Templates}. */
export type TemplateStore = {
  readonly api: Omit<Templates, "change">;
  byId(id: string): { readonly wabaId: string; readonly template: ListedTemplate } | undefined;
  /** Throws for an account that does not exist. */
  of(template: TemplateName, wabaId?: string): { readonly wabaId: string; readonly found: readonly ListedTemplate[] };
  count(wabaId: string): number;
  find(wabaId: string, name: string, language: string): ListedTemplate | undefined;
  page(wabaId: string, query: URLSearchParams): TemplatePage | GraphAnswer;
};

export type TemplatePage = {
  readonly items: readonly WireObject[];
  /** Null for a page with nothing in it. */
  readonly cursors: { readonly before: string; readonly after: string } | null;
  readonly isLast: boolean;
};

const DEFAULT_PAGE = 25;
const FIRST_ID = 1_387_000_000_000_000;

export function createTemplates({
  numbers,
  accounts,
  templates,
}: {
  readonly numbers: readonly SimulatedNumber[];
  readonly accounts: readonly { readonly wabaId: string }[];
  readonly templates: readonly SimulatedTemplate[];
}): TemplateStore {
  const byAccount = new Map<string, ListedTemplate[]>();
  let count = 0;
  let changes = 0;

  function accountOf(wabaId = numbers[0]?.wabaId ?? ""): ListedTemplate[] {
    const account = byAccount.get(wabaId);
    if (!account) throw new Error(`The simulator has no account ${wabaId}.`);
    return account;
  }

  function add(template: SimulatedTemplate, wabaId?: string): void {
    const account = accountOf(wabaId);
    const at = account.findIndex(({ name, language }) => name === template.name && language === template.language);
    count += 1;
    changes += 1;
    const listed: ListedTemplate = {
      category: "UTILITY",
      status: "APPROVED",
      parameterFormat: "POSITIONAL",
      qualityScore: "GREEN",
      rejectedReason: "NONE",
      sendTtlSeconds: null,
      previousCategory: null,
      ...template,
      id: account[at]?.id ?? String(FIRST_ID + count),
    };
    account.splice(at === -1 ? account.length : at, at === -1 ? 0 : 1, listed);
  }

  for (const { wabaId } of [...numbers, ...accounts]) byAccount.set(wabaId, []);
  for (const wabaId of byAccount.keys()) for (const template of templates) add(template, wabaId);

  return {
    api: {
      add,
      remove({ name, language }, wabaId) {
        const account = accountOf(wabaId);
        const left = account.filter(
          (one) => one.name !== name || (language !== undefined && one.language !== language),
        );
        account.splice(0, account.length, ...left);
        changes += 1;
      },
      list: (wabaId) => accountOf(wabaId).map(({ id: _, ...template }) => template),
    },
    byId(id) {
      for (const [wabaId, account] of byAccount) {
        const template = account.find((one) => one.id === id);
        if (template) return { wabaId, template };
      }
      return undefined;
    },
    of({ name, language }, wabaId = numbers[0]?.wabaId ?? "") {
      const isMeant = (one: ListedTemplate) =>
        one.name === name && (language === undefined || one.language === language);
      return { wabaId, found: accountOf(wabaId).filter(isMeant) };
    },
    count: (wabaId) => accountOf(wabaId).length,
    find: (wabaId, name, language) =>
      byAccount.get(wabaId)?.find((template) => template.name === name && template.language === language),
    page(wabaId, query) {
      // A cursor of Graph's outlives no change of the list.
      const cursorAt = (index: number) => Buffer.from(`${changes}:${index}`).toString("base64url");
      const [version, index = "0"] = decode(query.get("after"))?.split(":") ?? [String(changes)];
      if (version !== String(changes) || !/^\d+$/.test(index))
        return refuse({ code: 131059, details: "The cursor is not valid any more. Begin with the first page." });
      const limit = Number(query.get("limit") ?? DEFAULT_PAGE);
      if (!Number.isInteger(limit) || limit < 1)
        return refuse({ code: 100, message: "(#100) Param limit must be a positive integer." });
      const found = accountOf(wabaId).filter((template) => isAskedFor(template, query));
      const start = Number(index);
      const items = found.slice(start, start + limit);
      const end = start + items.length;
      const cursors = items.length === 0 ? null : { before: cursorAt(start), after: cursorAt(end) };
      return { items: items.map(templateNode), cursors, isLast: end >= found.length };
    },
  };
}

function decode(cursor: string | null): string | null {
  return cursor === null ? null : Buffer.from(cursor, "base64url").toString("utf8");
}

function isAskedFor(template: ListedTemplate, query: URLSearchParams): boolean {
  const { name, language, status, category, qualityScore } = template;
  const words = query.get("name_or_content")?.toLowerCase();
  return (
    Object.entries({ name, language, status, category, quality_score: qualityScore }).every(([filter, value]) =>
      [null, value].includes(query.get(filter)),
    ) &&
    (words === undefined || textsOf(template).some((text) => text.toLowerCase().includes(words)))
  );
}

/** What `name_or_content` is looked for in: the name, and what a person may read. */
function textsOf({ name, components }: ListedTemplate): readonly string[] {
  return [name, ...components.flatMap(({ text }) => (typeof text === "string" ? [text] : []))];
}

/** Every field that Meta documents, so that asking for it does not fail; what is undefined is not listed. */
export function templateNode(template: ListedTemplate): WireObject {
  const { id, name, language, status, category, parameterFormat, components } = template;
  return {
    id,
    name,
    language,
    status,
    category,
    sub_category: undefined,
    previous_category: template.previousCategory ?? undefined,
    correct_category: undefined,
    parameter_format: parameterFormat,
    components,
    quality_score: { score: template.qualityScore, date: 1_790_000_000 },
    rejected_reason: template.rejectedReason,
    message_send_ttl_seconds: template.sendTtlSeconds ?? undefined,
    library_template_name: undefined,
  };
}
