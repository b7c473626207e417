/** A tenant's templates: listed, and created, edited, deleted and read again at Meta. */
import { ChannelError } from "../errors.ts";
import { isFields } from "../messages/check-value.ts";
import { sayProblems } from "../messages/problem.ts";
import type {
  GraphApi,
  Logger,
  SecretBox,
  SendingAccount,
  StoredTemplate,
  TemplateAccount,
  TemplateFilter,
  TemplateSync,
  Templates,
} from "../ports.ts";
import { isUuid } from "../uuid.ts";
import { checkDraft } from "./check-draft.ts";
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
  /** `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, …: only approved ones can be sent. */
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

export type TemplateToEdit = Pick<TemplateToCreate, "customerConfigId" | "components" | "headerMediaId"> & {
  readonly id: string;
  /** Not of an approved one. */
  readonly category?: string | undefined;
};

export type TemplateService = {
  list(
    filter: TemplateFilter,
  ): Promise<{ readonly templates: readonly ManagedTemplate[]; readonly accounts: readonly TemplateAccount[] }>;
  /**
   * Gives Meta a template to review; what becomes of it is a `template` event, and in `list`.
   * @throws ChannelError TEMPLATE_DRAFT_INVALID, TEMPLATE_LOCKED when there is one of this name and language, CONNECTION_MISSING, REQUEST_INVALID,
   * GRAPH_REJECTED with Meta's own words, GRAPH_UNREACHABLE, and for a sample what uploading it throws.
   */
  create(template: TemplateToCreate): Promise<ManagedTemplate>;
  /** All components take the place of those before. @throws as `create`, TEMPLATE_UNKNOWN, TEMPLATE_LOCKED. */
  edit(change: TemplateToEdit): Promise<ManagedTemplate>;
  /** In this one language. Meta keeps the name of an approved one for 30 days. @throws ChannelError TEMPLATE_UNKNOWN, CONNECTION_MISSING, GRAPH_REJECTED, GRAPH_UNREACHABLE. */
  remove(template: { readonly customerConfigId: string; readonly id: string }): Promise<void>;
  /** Reads the templates of the tenant's accounts from Meta. @throws ChannelError CONNECTION_MISSING, GRAPH_REJECTED, GRAPH_UNREACHABLE. */
  sync(which: { readonly customerConfigId: string; readonly wabaId?: string | undefined }): Promise<{
    readonly accounts: readonly (TemplateSync & { readonly wabaId: string })[];
  }>;
};

export type ManageTemplatesDeps = {
  readonly templates: Templates;
  readonly graphApi: Pick<GraphApi, "createTemplate" | "editTemplate" | "deleteTemplate" | "templatesOf">;
  readonly secretBox: Pick<SecretBox, "open">;
  readonly uploadSample: UploadSample;
  readonly log: Pick<Logger, "info">;
};

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management */
const EDITABLE: readonly string[] = ["APPROVED", "REJECTED", "PAUSED"];

export function createTemplateService(deps: ManageTemplatesDeps): TemplateService {
  const { templates, graphApi, secretBox, uploadSample, log } = deps;

  return {
    async list(filter) {
      requireTenant(filter.customerConfigId);
      const [found, accounts] = await Promise.all([
        templates.list({ ...filter, status: filter.status?.toUpperCase() }),
        templates.accounts(filter.customerConfigId),
      ]);
      return { templates: found.map(toManaged), accounts };
    },

    async create({ customerConfigId, wabaId, headerMediaId, parameterFormat = "POSITIONAL", ...given }) {
      requireTenant(customerConfigId);
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
      try {
        const { accessToken } = account;
        const answer = await graphApi.createTemplate({ wabaId: account.wabaId, accessToken, draft });
        const id = await templates.settle(account, draft, answer);
        log.info({ templateId: id, wabaId: account.wabaId }, "a template was created");
        return toManaged(await requireTemplate(customerConfigId, id));
      } catch (error) {
        await templates.forget(announced);
        throw error;
      }
    },

    async edit({ customerConfigId, id, components: given, category, headerMediaId }) {
      const before = await requireTemplate(customerConfigId, id);
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
      await templates.resubmit(id, { components, category: changed });
      try {
        await graphApi.editTemplate({
          templateId: before.templateId,
          accessToken: account.accessToken,
          components,
          category: changed,
        });
      } catch (error) {
        await templates.restore(before);
        throw error;
      }
      log.info({ templateId: id, wabaId: before.wabaId }, "a template was changed");
      return toManaged(await requireTemplate(customerConfigId, id));
    },

    async remove({ customerConfigId, id }) {
      const { templateId, wabaId, name } = await requireTemplate(customerConfigId, id);
      const { accessToken } = await accountOf(customerConfigId, wabaId);
      if (templateId !== null) await graphApi.deleteTemplate({ wabaId, accessToken, templateId, name });
      await templates.forget(id);
      log.info({ templateId: id, wabaId }, "a template was deleted");
    },

    async sync({ customerConfigId, wabaId }) {
      requireTenant(customerConfigId);
      const own = (await templates.accounts(customerConfigId)).map((account) => account.wabaId);
      const wanted = wabaId === undefined ? own : own.filter((one) => one === wabaId);
      if (wanted.length === 0) throw noAccount();
      const accounts = [];
      for (const one of wanted) {
        const account = await accountOf(customerConfigId, one);
        const listed = await graphApi.templatesOf({ wabaId: one, accessToken: account.accessToken });
        accounts.push({ wabaId: one, ...(await templates.replace(account, listed)) });
      }
      return { accounts };
    },
  };

  async function requireTemplate(customerConfigId: string, id: string): Promise<StoredTemplate> {
    requireTenant(customerConfigId);
    const found = isUuid(id) ? await templates.find(customerConfigId, id) : null;
    if (found === null)
      throw new ChannelError("TEMPLATE_UNKNOWN", "No template of this tenant's accounts has this id.");
    return found;
  }

  async function accountOf(
    customerConfigId: string,
    wabaId: string | undefined,
  ): Promise<SendingAccount & { readonly accessToken: string }> {
    if (wabaId === undefined && (await templates.accounts(customerConfigId)).length > 1)
      throw new ChannelError("REQUEST_INVALID", "wabaId: this tenant has several accounts; say which.");
    const account = await templates.accountOf(customerConfigId, wabaId ?? null);
    if (account === null || account.accessTokenEnc === null) throw noAccount();
    const context = { customerConfigId, rowId: account.connectionId, field: "access_token" };
    return { ...account, accessToken: secretBox.open(account.accessTokenEnc, context) };
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

function isMediaHeader(component: unknown): component is Readonly<Record<string, unknown>> {
  if (!isFields(component)) return false;
  const [type, format] = [component.type, component.format].map((word) => String(word).toUpperCase());
  return type === "HEADER" && ["IMAGE", "VIDEO", "DOCUMENT"].includes(format ?? "");
}

function requireFit(draft: Parameters<typeof checkDraft>[0]): void {
  const problems = checkDraft(draft);
  if (problems.length > 0) throw new ChannelError("TEMPLATE_DRAFT_INVALID", sayProblems(problems));
  if (draft.hasSample && !(draft.components as readonly unknown[]).some(isMediaHeader))
    throw new ChannelError(
      "TEMPLATE_DRAFT_INVALID",
      "headerMediaId is for a header of the format IMAGE, VIDEO or DOCUMENT. Leave it out.",
    );
}

function requireTenant(customerConfigId: string): void {
  if (!isUuid(customerConfigId)) throw new ChannelError("REQUEST_INVALID", "customerConfigId is a uuid.");
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
};
