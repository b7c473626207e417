/** Creating, editing and deleting templates: what Meta takes, and the review that follows. */
import { objectsOf } from "./accepts.ts";
import type { Activity } from "./activity.ts";
import { type GraphAnswer, type GraphErrorSpec, refuse, unknownObject } from "./graph-error.ts";
import { type GraphCall, type GraphPlan, paramOf } from "./graph-plan.ts";
import { ok, pick, read, SUCCESS } from "./node.ts";
import type { Settings } from "./options.ts";
import { faultInReview, refuseDraft, soundsLikeMarketing } from "./template-definition-rules.ts";
import {
  type ListedTemplate,
  type SimulatedTemplate,
  type TemplateStore,
  type Templates,
  templateNode,
} from "./templates.ts";
import type { Timers } from "./timers.ts";
import type { WireObject } from "./wire.ts";

export type TemplateManagement = {
  /** `POST` and `DELETE /{waba-id}/message_templates`. */
  planAccount(wabaId: string, call: GraphCall): GraphPlan | GraphAnswer;
  /** `/{template-id}`; null: the id is no template's that this token may see. */
  planTemplate(call: GraphCall): GraphPlan | GraphAnswer | null;
};

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management */
const MOST_PER_HOUR = 100;
const MOST_VERIFIED = 6_000;
const MOST_UNVERIFIED = 250;
const RESERVED_MS = 30 * DAY_MS;
const EDITABLE = ["APPROVED", "REJECTED", "PAUSED"];
const FORMATS = ["NAMED", "POSITIONAL"] as const;
const CATEGORIES = ["UTILITY", "MARKETING", "AUTHENTICATION"] as const;
/** In seconds; -1 is 30 days. */
const TTL: Readonly<Record<(typeof CATEGORIES)[number], readonly [number, number]>> = {
  AUTHENTICATION: [30, 900],
  UTILITY: [30, 43_200],
  MARKETING: [43_200, 2_592_000],
};

export function createTemplateManagement(deps: {
  readonly settings: Settings;
  readonly store: TemplateStore;
  readonly updates: Pick<Templates, "change">;
  readonly timers: Timers;
  readonly activity: Activity;
  readonly isVerified: (wabaId: string) => boolean;
}): TemplateManagement {
  const { settings, store, updates, timers, activity, isVerified } = deps;
  const created = new Map<string, number[]>();
  const edited = new Map<string, number[]>();
  const reservedUntil = new Map<string, number>();
  const now = () => settings.now().getTime();

  function review(wabaId: string, { id }: ListedTemplate): void {
    if (settings.templateReviewMs === null) return;
    activity.begin();
    timers.after(settings.templateReviewMs, () => {
      const current = store.byId(id)?.template;
      if (current?.status === "PENDING") {
        const fault = faultInReview(current.components);
        const verdict = fault === null ? { status: "APPROVED" } : { status: "REJECTED", rejectionInfo: fault };
        updates.change({ name: current.name, language: current.language }, verdict, wabaId);
      }
      activity.end();
    });
  }

  function submit(wabaId: string, template: SimulatedTemplate): ListedTemplate {
    store.api.add({ ...template, status: "PENDING", rejectedReason: "NONE" }, wabaId);
    const listed = store.find(wabaId, template.name, template.language);
    if (!listed) throw new Error(`The simulator lost the template ${template.name}.`);
    review(wabaId, listed);
    return listed;
  }

  function refuseCreation(
    wabaId: string,
    { name, language }: { name: string; language: string },
  ): GraphErrorSpec | null {
    const key = `${wabaId}:${name}:${language}`;
    if (recent(created, wabaId, HOUR_MS).length >= MOST_PER_HOUR) return { code: 80008 };
    if (store.count(wabaId) >= (isVerified(wabaId) ? MOST_VERIFIED : MOST_UNVERIFIED))
      return invalid("Template limit reached", "This account has as many templates as it may have.", 2388019);
    if (store.find(wabaId, name, language))
      return invalid(
        "Content in this language already exists",
        `There is already ${language} content for this template. You can create a new template and try again.`,
        2388024,
      );
    return (reservedUntil.get(key) ?? 0) > now()
      ? invalid(
          "Message template language is being deleted",
          `New ${language} content can't be added while the existing ${language} content is being deleted. Try again in 4 weeks or use another name.`,
          2388023,
        )
      : null;
  }

  function create(wabaId: string, call: GraphCall): GraphAnswer {
    const name = paramOf(call, "name") ?? "";
    const language = paramOf(call, "language") ?? "";
    const asked = categoryOf(call);
    const draft = readDraft(call);
    const missing = [name === "" && "name", language === "" && "language"].find((field) => field !== false);
    if (missing) return refuse({ code: 100, message: `(#100) The parameter ${missing} is required.` });
    if (!/^[a-z0-9_]{1,512}$/.test(name))
      return refuse(invalid("Invalid name", "A name has lower-case letters, digits and underscores, at most 512."));
    if (!/^[a-z]{2,3}(_[A-Z]{2,3})?$/.test(language))
      return refuse({ code: 100, message: "(#100) Param language must be one of Meta's codes, such as en_US." });
    if (asked === undefined) return refuse(notOneOf("category", CATEGORIES));
    if (draft.parameterFormat === undefined) return refuse(notOneOf("parameter_format", FORMATS));
    if (draft.components === null)
      return refuse({ code: 100, message: "(#100) The parameter components is required." });
    const { components, parameterFormat, sendTtlSeconds } = draft;
    const refusal =
      refuseDraft({ category: asked, parameterFormat, components }) ??
      refuseTtl(asked, sendTtlSeconds) ??
      refuseCreation(wabaId, { name, language });
    if (refusal) return refuse(refusal);
    recent(created, wabaId, HOUR_MS).push(now());
    const category = asked === "UTILITY" && soundsLikeMarketing(components) ? "MARKETING" : asked;
    const { id, status } = submit(wabaId, {
      name,
      language,
      category,
      parameterFormat,
      components: listedForm(components, asked),
      sendTtlSeconds,
      qualityScore: "UNKNOWN",
      ...(category !== asked && { previousCategory: asked }),
    });
    return ok({ id, status, category });
  }

  function edit(wabaId: string, template: ListedTemplate, call: GraphCall): GraphAnswer {
    const isApproved = template.status === "APPROVED";
    const draft = readDraft(call);
    const isCategoryGiven = paramOf(call, "category") !== null;
    const category = isCategoryGiven ? categoryOf(call) : template.category;
    if (category === undefined) return refuse(notOneOf("category", CATEGORIES));
    const components = draft.components ?? template.components;
    const sendTtlSeconds = draft.sendTtlSeconds ?? template.sendTtlSeconds;
    if (!EDITABLE.includes(template.status))
      return refuse(
        invalid(
          "This template can't be edited",
          `A template that is ${template.status} can't be edited. Wait for its review.`,
        ),
      );
    if (call.body.name !== undefined || call.body.language !== undefined)
      return refuse(invalid("This template can't be edited", "A template's name and language never change."));
    if (draft.components === null && draft.sendTtlSeconds === null && !isCategoryGiven)
      return refuse({
        code: 100,
        message: "(#100) One of the parameters category, components and message_send_ttl_seconds is required.",
      });
    if (isApproved && category !== template.category)
      return refuse(invalid("This template can't be edited", "The category of an approved template can't be edited."));
    const times = recent(edited, template.id, 30 * DAY_MS);
    if (isApproved && (times.length >= 10 || times.some((at) => at > now() - DAY_MS)))
      return refuse(
        invalid(
          "This template can't be edited",
          "An approved template can be edited once in 24 hours and 10 times in 30 days.",
        ),
      );
    const refusal =
      (draft.components === null
        ? null
        : refuseDraft({ category, parameterFormat: template.parameterFormat, components })) ??
      refuseTtl(category, draft.sendTtlSeconds);
    if (refusal) return refuse(refusal);
    if (isApproved) times.push(now());
    const { id: _, ...before } = template;
    submit(wabaId, {
      ...before,
      category,
      components: draft.components === null ? components : listedForm(components, category),
      sendTtlSeconds,
    });
    return ok({ success: true, id: template.id, name: template.name, category });
  }

  function remove(wabaId: string, call: GraphCall): GraphAnswer {
    const name = paramOf(call, "name");
    const ids = idsOf(call);
    if (name === null && ids.length === 0)
      return refuse({ code: 100, message: "(#100) The parameter name is required." });
    const found =
      ids.length === 0 && name !== null
        ? store.of({ name }, wabaId).found
        : ids.flatMap((id) => {
            const known = store.byId(id);
            return known?.wabaId === wabaId && (name === null || known.template.name === name) ? [known.template] : [];
          });
    if (ids.length > 100) return refuse({ code: 100, message: "(#100) Param hsm_ids has more than 100 ids." });
    if (found.length === 0 || found.length < ids.length)
      return refuse(invalid("Message Template Not Found", "There is no such message template.", 2593002));
    if (found.some(({ status }) => status === "DISABLED"))
      return refuse(invalid("This template can't be deleted", "A template that is disabled can't be deleted."));
    for (const template of found) {
      if (template.status === "APPROVED")
        reservedUntil.set(`${wabaId}:${template.name}:${template.language}`, now() + RESERVED_MS);
      store.api.remove({ name: template.name, language: template.language }, wabaId);
    }
    return SUCCESS;
  }

  function unpause(wabaId: string, { name, language, status }: ListedTemplate): GraphAnswer {
    if (status !== "PAUSED") return ok({ success: false, reason: "The template is not paused" });
    updates.change({ name, language }, { status: "APPROVED" }, wabaId);
    return SUCCESS;
  }

  /** What happened within this time, oldest first; the list itself, to push to. */
  function recent(log: Map<string, number[]>, key: string, withinMs: number): number[] {
    const times = (log.get(key) ?? []).filter((at) => at > now() - withinMs);
    log.set(key, times);
    return times;
  }

  return {
    planAccount(wabaId, call) {
      if (call.method === "POST") return read("message_templates", () => create(wabaId, call), [wabaId]);
      if (call.method === "DELETE") return read("message_templates", () => remove(wabaId, call), [wabaId]);
      return unknownObject(call.method, call.objectId);
    },
    planTemplate(call) {
      const known = store.byId(call.objectId);
      if (known === undefined || !call.access.wabaIds.has(known.wabaId)) return null;
      if (!call.access.scopes.has("whatsapp_business_management")) return refuse({ code: 200 });
      const { wabaId, template } = known;
      const planned = (run: () => GraphAnswer) => read("template", run, [template.id]);
      switch (`${call.method} ${call.edge ?? ""}`) {
        case "GET ": {
          const node = templateNode(template);
          return planned(() => pick(node, call, "WhatsAppMessageTemplate", Object.keys(node)));
        }
        case "POST ":
          return planned(() => edit(wabaId, template, call));
        case "POST unpause":
          return planned(() => unpause(wabaId, template));
        default:
          return unknownObject(call.method, call.objectId);
      }
    },
  };
}

type Draft = {
  /** Null: not given. */
  readonly components: readonly WireObject[] | null;
  /** Undefined: neither of Meta's two. */
  readonly parameterFormat: (typeof FORMATS)[number] | undefined;
  readonly sendTtlSeconds: number | null;
};

function readDraft(call: GraphCall): Draft {
  const given = fromForm(call.body.components);
  const ttl = paramOf(call, "message_send_ttl_seconds");
  return {
    components: Array.isArray(given) && given.length > 0 ? objectsOf(given) : null,
    parameterFormat: FORMATS.find((one) => one === (paramOf(call, "parameter_format") ?? "POSITIONAL").toUpperCase()),
    sendTtlSeconds: ttl === null ? null : Number(ttl),
  };
}

function categoryOf(call: GraphCall): (typeof CATEGORIES)[number] | undefined {
  return CATEGORIES.find((one) => one === paramOf(call, "category")?.toUpperCase());
}

function notOneOf(name: string, allowed: readonly string[]): GraphErrorSpec {
  return { code: 100, message: `(#100) Param ${name} must be one of {${allowed.join(", ")}}.` };
}

// A form carries its objects as JSON.
function fromForm(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

function idsOf(call: GraphCall): readonly string[] {
  const one = paramOf(call, "hsm_id");
  const many = call.body.hsm_ids ?? fromForm(call.query.get("hsm_ids")) ?? [];
  return [...(one === null ? [] : [one]), ...(Array.isArray(many) ? many.map(String) : [])];
}

function refuseTtl(category: (typeof CATEGORIES)[number], seconds: number | null): GraphErrorSpec | null {
  const [least, most] = TTL[category];
  // Minus one is thirty days, which for marketing is a number like others.
  const mayBeMinusOne = category !== "MARKETING";
  const isInRange = Number.isInteger(seconds) && Number(seconds) >= least && Number(seconds) <= most;
  if (seconds === null || isInRange || (mayBeMinusOne && seconds === -1)) return null;
  const either = mayBeMinusOne ? "-1 or " : "";
  return { code: 100, message: `(#100) Param message_send_ttl_seconds must be ${either}${least} to ${most}.` };
}

/** As the list shows it: an uploaded header as an address of Meta's, and Meta's own words in an authentication template. */
function listedForm(components: readonly WireObject[], category: string): readonly WireObject[] {
  return components.map((component): WireObject => {
    const type = String(component.type).toUpperCase();
    if (type === "HEADER" && component.format !== "TEXT" && component.format !== "LOCATION")
      return { ...component, example: { header_handle: ["https://scontent.whatsapp.net/v/t61/invented.jpg"] } };
    if (type === "CAROUSEL")
      return {
        ...component,
        cards: objectsOf(component.cards).map((card) => ({
          ...card,
          components: listedForm(objectsOf(card.components), category),
        })),
      };
    if (category !== "AUTHENTICATION") return component;
    if (type === "BODY")
      return {
        ...component,
        text: `*{{1}}* is your verification code.${component.add_security_recommendation === true ? " For your security, do not share this code." : ""}`,
      };
    return type === "FOOTER" && component.code_expiration_minutes !== undefined
      ? { ...component, text: `This code expires in ${component.code_expiration_minutes} minutes.` }
      : component;
  });
}

function invalid(userTitle: string, userMessage: string, subcode?: number): GraphErrorSpec {
  return { code: 100, message: "Invalid parameter", userTitle, userMessage, ...(subcode !== undefined && { subcode }) };
}
