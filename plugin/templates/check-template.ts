/** Whether a template that somebody chose can be sent as they chose it, against what Meta has approved. Pure. */
import type { TemplateChoice, TemplateMessage, TemplateParams } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import type { Place } from "../messages/problem.ts";
import type { KnownTemplate } from "../ports.ts";
import { type ApprovedTemplate, readTemplate } from "./approved-template.ts";
import { checkPart } from "./check-part.ts";

/** Where the message goes decides which category Meta takes. */
export type PlacedChoice = TemplateChoice & Pick<TemplateMessage, "endpoint">;

/** @param choice one that `checkMessage` has passed. */
export function checkTemplate(choice: PlacedChoice, template: ApprovedTemplate, place: Place): void {
  if (isSendable(template, place)) checkChoice(choice, template, place);
}

/**
 * The one of that name in that language, approved before any other.
 * @param known those of the account: all of them, or all with this name.
 */
export function findTemplate(
  { name, language }: TemplateChoice,
  known: readonly KnownTemplate[],
): ApprovedTemplate | null {
  const found = known.filter((one) => one.name === name && one.language === language);
  const template = found.find(({ status }) => status === "APPROVED") ?? found[0];
  return template === undefined ? null : readTemplate(template);
}

/** Says what there is in its place. */
export function reportUnknown({ name }: TemplateChoice, known: readonly KnownTemplate[], place: Place): void {
  const languages = known
    .filter((one) => one.name === name)
    .map(({ language, status }) => (SENDABLE.has(status) ? language : `${language} (${status.toLowerCase()})`));
  if (languages.length === 0)
    place
      .member("name")
      .report("is no template of this account", "Use a name from WhatsApp Manager, and sync the templates.");
  else
    place
      .member("language")
      .report(
        `is none that this template has: it exists in ${[...new Set(languages)].sort().join(", ")}`,
        "Send it in one of these, or have this language approved.",
      );
}

const WAIT = "Wait until Meta has decided, or send another template.";
const MANAGER = "Put it right in WhatsApp Manager, or send another template.";
/** Beside Meta's own word for it, those of its webhooks that end a bar, or only threaten one. */
const SENDABLE: ReadonlySet<string> = new Set(["APPROVED", "REINSTATED", "UNARCHIVED", "UNLOCKED", "FLAGGED"]);
const STATES: ReadonlyMap<string, readonly [problem: string, fix: string]> = new Map([
  ["PENDING", ["is still in review", WAIT]],
  ["IN_APPEAL", ["was rejected, and the appeal is not decided", WAIT]],
  ["REJECTED", ["was rejected by Meta", MANAGER]],
  ["PAUSED", ["is paused for its low quality", "Wait until Meta ends the pause, or send another template."]],
  ["DISABLED", ["was disabled for its low quality", "Send another template: this one does not come back."]],
  ["LIMIT_EXCEEDED", ["is one more than the account may have", "Delete templates in WhatsApp Manager."]],
  ["LOCKED", ["is locked by Meta", MANAGER]],
  ["ARCHIVED", ["is archived", "Unarchive it in WhatsApp Manager, or send another template."]],
  ["PENDING_DELETION", ["is being deleted", "Send another template."]],
  ["DELETED", ["was deleted", "Send another template."]],
  ["UNCONFIRMED", ["was changed, and Meta has not said yet whether it takes that", WAIT]],
  ["NOT_SENT", ["never came to Meta", "Create it again, and wait for its approval."]],
]);

function isSendable({ status }: ApprovedTemplate, place: Place): boolean {
  if (SENDABLE.has(status)) return true;
  place.member("name").report(...(STATES.get(status) ?? ["is not approved", MANAGER]));
  return false;
}

function checkChoice({ params = {}, endpoint }: PlacedChoice, template: ApprovedTemplate, place: Place): void {
  if (endpoint === "marketing" && template.category !== "MARKETING")
    place.member("endpoint").report("is for marketing templates only", "Leave it out.");
  const at = place.member("params");
  if (checkCode(params, template, at))
    checkPart(params, template, at, {
      format: template.parameterFormat,
      bodyLimit: template.offer === null ? LIMITS.templateBody : LIMITS.templateOfferBody,
    });
  checkOffer(params, template, at);
  checkCards(params, template, at);
}

/** @returns whether there is more to check: a one-time code fills the whole template. */
function checkCode({ code, body, buttons }: TemplateParams, { category }: ApprovedTemplate, place: Place): boolean {
  const isAuthentication = category === "AUTHENTICATION";
  if (code !== undefined && !isAuthentication)
    place.member("code").report("is for authentication templates only", "Fill the variables of the body instead.");
  if (code === undefined && isAuthentication && (body === undefined || buttons === undefined)) {
    place.member("code").report("is missing", "Give the one-time code: it fills the body and its button.");
    return false;
  }
  return code === undefined;
}

function checkOffer({ limitedTimeOffer }: TemplateParams, { offer }: ApprovedTemplate, place: Place): void {
  const at = place.member("limitedTimeOffer");
  if (limitedTimeOffer !== undefined && offer === null) at.report("is for offers only", "Leave it out.");
  if (limitedTimeOffer === undefined && offer?.expires === true) at.report("is missing", "Say when the offer ends.");
}

function checkCards({ cards = [] }: TemplateParams, template: ApprovedTemplate, place: Place): void {
  const at = place.member("cards");
  const approved = template.cards ?? [];
  if (template.cards === null && cards.length > 0) at.report("are for carousels only", "Leave them out.");
  else if (cards.length !== approved.length)
    at.report(
      `are not as many as the template has: ${approved.length}`,
      "Give every card its values, in order.",
      approved.length,
    );
  else {
    const rules = { format: template.parameterFormat, bodyLimit: LIMITS.templateCardBody };
    for (const [index, card] of approved.entries()) checkPart(cards[index] ?? {}, card, at.item(index), rules);
  }
}
