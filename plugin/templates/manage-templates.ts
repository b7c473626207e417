/** A tenant's templates: listed, and created, edited, deleted and read again at Meta. */
import { ChannelError } from "../errors.ts";
import { isFields } from "../messages/check-value.ts";
import { type Problem, sayProblems } from "../messages/problem.ts";
import type {
  GraphApi,
  Logger,
  SecretBox,
  SendingAccount,
  StoredTemplate,
  TemplateAccount,
  TemplateFilter,
  TemplatePlace,
  TemplateSync,
  Templates,
} from "../ports.ts";
import { isStorable } from "../storable.ts";
import { readTenant, readUuid } from "../uuid.ts";
import { checkDraft } from "./check-draft.ts";
import { hasToken, type ReadAccount, tokenOf } from "./read-account.ts";
import type { UploadSample } from "./upload-sample.ts";

/** A template in one language. */
export type ManagedTemplate = {
  /** Ours, for `edit` and `remove`. */
  readonly id: string;
  /** Meta's id of the WhatsApp Business Account. */
  readonly wabaId: string;
  /** Meta's; null until it has answered. */
  readonly metaId: string | null;
  readonly name: string;
  readonly language: string;
  readonly category: string | null;
  /**
   * Meta's `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, …: only approved ones can be sent. Two are ours: `UNCONFIRMED` while nobody knows
   * what Meta did, because its answer was lost (it is asked again within minutes), and `NOT_SENT` when Meta has never had it.
   */
  readonly status: string;
  /** In Meta's word; null when it is not rejected. */
  readonly rejectionReason: string | null;
  /** `GREEN`, `YELLOW`, `RED`, `UNKNOWN`. */
  readonly qualityScore: string | null;
  readonly parameterFormat: "NAMED" | "POSITIONAL";
  /** In Meta's own spelling. */
  readonly components: readonly unknown[];
  /** When the templates of its account were last read from Meta. */
  readonly syncedAt: Date | null;
  readonly editable: boolean;
  /** Why it cannot be edited now. */
  readonly why?: string;
};

/** What a tenant asks Meta to approve. */
export type TemplateToCreate = {
  readonly customerConfigId: string;
  /** May be left out where the tenant has one account. */
  readonly wabaId?: string | undefined;
  readonly name: string;
  readonly language: string;
  readonly category: string;
  readonly components: readonly unknown[];
  /** Default `POSITIONAL`. */
  readonly parameterFormat?: "NAMED" | "POSITIONAL" | undefined;
  /** The sample of a picture, video or document in the header: the id of a file from `/media/upload`. */
  readonly headerMediaId?: string | undefined;
};

/** What takes the place of a template's content: Meta reviews it again. */
export type TemplateToEdit = Pick<TemplateToCreate, "customerConfigId" | "components" | "headerMediaId"> & {
  readonly id: string;
  /** Not of an approved one. */
  readonly category?: string | undefined;
};

/** Which template of which tenant. */
export type OneTemplate = { readonly customerConfigId: string; readonly id: string };

/** A tenant's templates: listed, and created, edited, deleted and read again at Meta. */
export type TemplateService = {
  /**
   * By name and language, page by page.
   * @param filter `limit`: 1 to 200, default 50; `after`: the `next` of the page before.
   * @throws ChannelError REQUEST_INVALID.
   */
  list(filter: TemplateFilter & { readonly limit?: number | undefined; readonly after?: string | undefined }): Promise<{
    readonly templates: readonly ManagedTemplate[];
    readonly accounts: readonly TemplateAccount[];
    /** Null at the end. */
    readonly next: string | null;
  }>;
  /** @throws ChannelError TEMPLATE_UNKNOWN. */
  get(template: OneTemplate): Promise<ManagedTemplate>;
  /**
   * Gives Meta a template to review; what becomes of it is a `template` event, and in `list`. Where Meta's answer is lost it is `UNCONFIRMED`.
   * @throws ChannelError TEMPLATE_DRAFT_INVALID with its `problems`, TEMPLATE_LOCKED when there is one of this name and language, CONNECTION_MISSING,
   * REQUEST_INVALID, GRAPH_REJECTED with Meta's own words, GRAPH_UNREACHABLE, and for a sample what uploading it throws.
   */
  create(template: TemplateToCreate): Promise<ManagedTemplate>;
  /** All components take the place of those before. @throws as `create`, TEMPLATE_UNKNOWN, TEMPLATE_LOCKED. */
  edit(change: TemplateToEdit): Promise<ManagedTemplate>;
  /**
   * In this one language. Meta keeps the name of an approved one for 30 days.
   * @throws ChannelError TEMPLATE_UNKNOWN, TEMPLATE_LOCKED, CONNECTION_MISSING, GRAPH_REJECTED, GRAPH_UNREACHABLE; GRAPH_AMBIGUOUS when it may be deleted,
   * which shows itself within minutes.
   */
  remove(template: OneTemplate): Promise<void>;
  /** Reads the templates of the tenant's accounts from Meta. @throws ChannelError CONNECTION_MISSING, GRAPH_REJECTED, GRAPH_UNREACHABLE. */
  sync(which: { readonly customerConfigId: string; readonly wabaId?: string | undefined }): Promise<{
    readonly accounts: readonly (TemplateSync & { readonly wabaId: string })[];
  }>;
};

export type ManageTemplatesDeps = {
  readonly templates: Templates;
  readonly graphApi: Pick<GraphApi, "createTemplate" | "editTemplate" | "deleteTemplate">;
  readonly readAccount: ReadAccount;
  readonly secretBox: Pick<SecretBox, "open">;
  readonly uploadSample: UploadSample;
  readonly log: Pick<Logger, "info">;
};

const USUAL_PAGE = 50;
const LONGEST_PAGE = 200;

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management */
const EDITABLE: readonly string[] = ["APPROVED", "REJECTED", "PAUSED"];

export function createTemplateService(deps: ManageTemplatesDeps): TemplateService {
  const { templates, graphApi, readAccount, secretBox, uploadSample, log } = deps;

  return {
    async list({ limit = USUAL_PAGE, after, ...filter }) {
      const customerConfigId = readTenant(filter.customerConfigId);
      if (!Number.isInteger(limit) || limit < 1 || limit > LONGEST_PAGE)
        throw new ChannelError("REQUEST_INVALID", `limit is a whole number from 1 to ${LONGEST_PAGE}.`);
      const place = after === undefined ? null : readPlace(after);
      const [found, accounts] = await Promise.all([
        templates.list(
          { ...filter, customerConfigId, status: filter.status?.toUpperCase() },
          { limit: limit + 1, after: place },
        ),
        templates.accounts(customerConfigId),
      ]);
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return { templates: page.map(toManaged), accounts, next: last === undefined ? null : writePlace(last) };
    },

    async get(which) {
      return toManaged(await requireTemplate(which));
    },

    async create({ customerConfigId: tenant, wabaId, headerMediaId, parameterFormat = "POSITIONAL", ...given }) {
      const customerConfigId = readTenant(tenant);
      const asked = { ...given, parameterFormat };
      requireFit({ ...asked, hasSample: headerMediaId !== undefined });
      const account = await accountOf(customerConfigId, wabaId);
      const draft = { ...asked, components: await withSample(asked.components, account, headerMediaId) };
      const announced = await templates.announce(account, draft);
      if (announced === null)
        throw new ChannelError(
          "TEMPLATE_LOCKED",
          "There is a template of this name in this language: edit that one, or take another name.",
          { retry: "fix" },
        );
      const { accessToken, wabaId: at } = account;
      const answer = await told(graphApi.createTemplate({ wabaId: at, accessToken, draft }), () =>
        templates.forget(announced),
      );
      const id = answer === null ? announced : await templates.settle(account, draft, answer.answer);
      log.info({ templateId: id, wabaId: at, isConfirmed: answer !== null }, "a template was created");
      return toManaged(await requireTemplate({ customerConfigId, id }));
    },

    async edit({ components: given, category, headerMediaId, ...which }) {
      const { customerConfigId, ...before } = await requireTemplate(which);
      const { id } = before;
      const { editable, why = "" } = editability(before);
      if (!editable || before.templateId === null) throw new ChannelError("TEMPLATE_LOCKED", why, { retry: "fix" });
      if (category !== undefined && category !== before.category && before.status === "APPROVED")
        throw new ChannelError(
          "TEMPLATE_LOCKED",
          "Meta does not change the category of an approved template: create another one.",
          { retry: "fix" },
        );
      requireFit({
        ...before,
        category: category ?? before.category,
        components: given,
        hasSample: headerMediaId !== undefined,
      });
      const account = await accountOf(customerConfigId, before.wabaId);
      const components = await withSample(given, account, headerMediaId);
      const changed = category === undefined || category === before.category ? null : category;
      if (!(await templates.doubt(before, { components, ...(changed !== null && { category: changed }) })))
        throw changedMeanwhile();
      const change = { templateId: before.templateId, accessToken: account.accessToken, components, category: changed };
      const isTold = (await told(graphApi.editTemplate(change), () => templates.restore(before))) !== null;
      if (isTold) await templates.confirm(id);
      log.info({ templateId: id, wabaId: before.wabaId, isConfirmed: isTold }, "a template was changed");
      return toManaged(await requireTemplate({ customerConfigId, id }));
    },

    async remove(which) {
      const { customerConfigId, ...before } = await requireTemplate(which);
      const { id, templateId, wabaId, name } = before;
      if (templateId === null && before.status === "UNCONFIRMED")
        throw new ChannelError("TEMPLATE_LOCKED", `${WHY.UNCONFIRMED} Then it can be deleted.`, { retry: "backoff" });
      if (templateId !== null && before.status !== "DELETED") {
        const { accessToken } = await accountOf(customerConfigId, wabaId);
        if (!(await templates.doubt(before, {}))) throw changedMeanwhile();
        const deletion = graphApi.deleteTemplate({ wabaId, accessToken, templateId, name });
        if ((await told(deletion, () => templates.restore(before))) === null)
          throw new ChannelError(
            "GRAPH_AMBIGUOUS",
            "Meta did not answer, so it is not known whether it is deleted. It is asked again within minutes.",
          );
      }
      await templates.forget(id);
      log.info({ templateId: id, wabaId }, "a template was deleted");
    },

    async sync({ wabaId, ...which }) {
      const customerConfigId = readTenant(which.customerConfigId);
      const own = (await templates.accounts(customerConfigId)).map((account) => account.wabaId);
      const wanted = wabaId === undefined ? own : own.filter((one) => one === wabaId);
      if (wanted.length === 0) throw noAccount();
      const accounts = [];
      for (const one of wanted)
        accounts.push({ wabaId: one, ...(await readAccount(await accountOf(customerConfigId, one))) });
      return { accounts };
    },
  };

  async function requireTemplate(which: OneTemplate): Promise<StoredTemplate & { readonly customerConfigId: string }> {
    const customerConfigId = readTenant(which.customerConfigId);
    const id = readUuid(which.id);
    const found = id === null ? null : await templates.find(customerConfigId, id);
    if (found === null)
      throw new ChannelError("TEMPLATE_UNKNOWN", "No template of this tenant's accounts has this id.");
    return { ...found, customerConfigId };
  }

  async function accountOf(
    customerConfigId: string,
    wabaId: string | undefined,
  ): Promise<SendingAccount & { readonly accessTokenEnc: string; readonly accessToken: string }> {
    if (wabaId === undefined && (await templates.accounts(customerConfigId)).length > 1)
      throw new ChannelError("REQUEST_INVALID", "wabaId: this tenant has several accounts; say which.");
    const account = await templates.accountOf(customerConfigId, wabaId ?? null);
    if (account === null || !hasToken(account)) throw noAccount();
    return { ...account, accessToken: tokenOf(account, secretBox) };
  }

  async function withSample(
    components: readonly unknown[],
    { customerConfigId, wabaId }: SendingAccount,
    mediaId: string | undefined,
  ): Promise<readonly unknown[]> {
    if (mediaId === undefined) return components;
    const { handle } = await uploadSample({ customerConfigId, mediaId, wabaId });
    return components.map((component) =>
      isMediaHeader(component) ? { ...component, example: { header_handle: [handle] } } : component,
    );
  }
}

/**
 * What Meta answered; null where nobody knows what it did, which the upkeep then finds out.
 * @param undo when it is certain that Meta did nothing. What ends otherwise is left in doubt, and found out as well.
 */
async function told<T>(asked: Promise<T>, undo: () => Promise<void>): Promise<{ readonly answer: T } | null> {
  try {
    return { answer: await asked };
  } catch (error) {
    const code = error instanceof ChannelError ? error.code : null;
    if (code === "GRAPH_AMBIGUOUS") return null;
    if (code === "GRAPH_REJECTED" || code === "GRAPH_UNREACHABLE") await undo();
    throw error;
  }
}

function isMediaHeader(component: unknown): component is Readonly<Record<string, unknown>> {
  if (!isFields(component)) return false;
  const [type, format] = [component.type, component.format].map((word) => String(word).toUpperCase());
  return type === "HEADER" && ["IMAGE", "VIDEO", "DOCUMENT"].includes(format ?? "");
}

function requireFit(draft: Parameters<typeof checkDraft>[0]): void {
  const problems = checkDraft(draft);
  const hasNoUse = draft.hasSample && !(Array.isArray(draft.components) && draft.components.some(isMediaHeader));
  const all = hasNoUse ? [...problems, SAMPLE_WITHOUT_USE] : problems;
  if (all.length > 0) throw new ChannelError("TEMPLATE_DRAFT_INVALID", sayProblems(all), { problems: all });
}

const SAMPLE_WITHOUT_USE: Problem = {
  path: "headerMediaId",
  problem: "is for a header of the format IMAGE, VIDEO or DOCUMENT",
  limit: null,
  fix: "Leave it out.",
};

/** A name, a language and an account hold no dot. */
function writePlace({ name, language, wabaId }: TemplatePlace): string {
  return `${name}.${language}.${wabaId}`;
}

function readPlace(after: string): TemplatePlace {
  const [, name, language, wabaId] =
    (isStorable(after) && /^([^.]{1,512})\.([^.]{1,20})\.(\d{1,20})$/.exec(after)) || [];
  if (name === undefined || language === undefined || wabaId === undefined)
    throw new ChannelError("REQUEST_INVALID", "after is the next of the page before.");
  return { name, language, wabaId };
}

function changedMeanwhile(): ChannelError {
  return new ChannelError("TEMPLATE_LOCKED", "Somebody else is changing this template: read it again.", {
    retry: "backoff",
  });
}

function noAccount(): ChannelError {
  return new ChannelError("CONNECTION_MISSING", "No number of this tenant is connected in that account.");
}

function toManaged(template: StoredTemplate): ManagedTemplate {
  const {
    id,
    wabaId,
    templateId,
    name,
    language,
    category,
    status,
    rejectedReason,
    qualityScore,
    parameterFormat,
    components,
    syncedAt,
  } = template;
  return {
    id,
    wabaId,
    metaId: templateId,
    name,
    language,
    category,
    status,
    rejectionReason: rejectedReason === "NONE" ? null : rejectedReason,
    qualityScore,
    parameterFormat,
    components,
    syncedAt,
    ...editability(template),
  };
}

function editability({ status, templateId }: StoredTemplate): { readonly editable: boolean; readonly why?: string } {
  if (EDITABLE.includes(status) && templateId !== null) return { editable: true };
  return {
    editable: false,
    why: WHY[status] ?? `Meta lets templates be changed that are approved, rejected or paused; this one is ${status}.`,
  };
}

const WHY: Readonly<Record<string, string>> = {
  PENDING: "Meta is reviewing it: wait for its decision, which takes up to a day.",
  IN_APPEAL: "Meta is looking at it again: wait for its decision.",
  DISABLED: "Meta has disabled it for good: create another one.",
  PENDING_DELETION: "It is being deleted.",
  DELETED: "It is deleted.",
  UNCONFIRMED: "Meta's answer was lost: it is asked again within minutes what it has.",
  NOT_SENT: "Meta has never had it: create it again.",
};
