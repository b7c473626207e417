/** What a host wants said → a send that Meta should take, checked before anything is stored; templates as approved. */
import type { AmbiguityPolicy, Degradation, MessageClass, OutboundMessage, TemplateMessage } from "../contract.ts";
import { ChannelError, type ErrorCode } from "../errors.ts";
import type { OwnMedia } from "../media/own-media.ts";
import { checkMessage } from "../messages/check-message.ts";
import { type Problem, sayProblems } from "../messages/problem.ts";
import type { PlannedSend, SendingAccount } from "../ports.ts";
import type { TemplatesNamed } from "../templates/account-templates.ts";
import { prepareTemplate } from "../templates/prepare-template.ts";
import { classOf } from "./ambiguity-policy.ts";
import { planSend, type Said, type SendWishes, say } from "./plan-send.ts";

/**
 * @param account asked only where a template or a file of the tenant's own is to be sent.
 * @throws ChannelError MESSAGE_INVALID, TEMPLATE_INVALID: every field that is wrong, and what to do. MEDIA_NOT_FOUND,
 * MEDIA_TYPE_UNSUPPORTED, and what keeping bytes throws.
 */
export type PrepareSend = (wishes: SendWishes, account: () => Promise<Speaker>) => Promise<PlannedSend>;

/** The account, and in which conversation it speaks. */
export type Speaker = SendingAccount & { readonly conversationId: string };

export function createPrepareSend(
  templatesNamed: TemplatesNamed,
  ambiguity: AmbiguityPolicy,
  ownMedia: OwnMedia,
): PrepareSend {
  return async function prepareSend(wishes, account) {
    const said = say({ ...wishes, what: await ownMedia.keep(wishes.what, account) });
    for (const message of said.messages)
      if (message.kind !== "template") refuse("MESSAGE_INVALID", pathOf(wishes, message), checkMessage(message));
    await ownMedia.require([...said.messages, said.fallback], account);
    return hasTemplate(said) ? withTemplates(wishes, said, await account()) : planSend(wishes, said, { ambiguity });
  };

  async function withTemplates(wishes: SendWishes, said: Said, account: SendingAccount): Promise<PlannedSend> {
    const classes = new Map<TemplateMessage, MessageClass>();
    const degraded: Degradation[] = [...said.degraded];
    const fallbackDegraded: Degradation[] = [];

    async function fitted(
      template: TemplateMessage,
      part: number,
      path: string,
      changes: Degradation[],
    ): Promise<TemplateMessage> {
      if (!isNamed(template)) refuse("MESSAGE_INVALID", path, checkMessage(template));
      const known = await templatesNamed(account, template.name, template.language);
      const prepared = prepareTemplate(template, known, { path, part });
      if (prepared.kind === "refused") throw invalid("TEMPLATE_INVALID", prepared.problems.map(asGiven));
      changes.push(...prepared.degraded);
      if (known === null)
        changes.push({ part, what: path, from: "template", to: "template that could not be checked" });
      const message: TemplateMessage = { ...template, ...prepared.choice };
      const category = known?.find(({ language }) => language === message.language)?.category ?? null;
      classes.set(message, classOf(category, message.endpoint));
      return message;
    }

    const messages: OutboundMessage[] = [];
    for (const [part, message] of said.messages.entries())
      messages.push(
        message.kind === "template" ? await fitted(message, part, pathOf(wishes, message), degraded) : message,
      );
    const fallback = said.fallback === null ? null : await fitted(said.fallback, 0, "onWindowClosed", fallbackDegraded);
    const ready = { messages, fallback, degraded, fallbackDegraded, choices: said.choices };
    return planSend(wishes, ready, { ambiguity, classOfTemplate: (one) => classes.get(one) ?? "template" });
  }
}

export function hasTemplate({ messages, fallback }: Pick<Said, "messages" | "fallback">): boolean {
  return fallback !== null || messages.some(({ kind }) => kind === "template");
}

/** A template is looked up by these: what else is wrong with it is said when it was found. */
function isNamed({ name, language }: TemplateMessage): boolean {
  return typeof name === "string" && typeof language === "string";
}

/** Where the host finds what we complain of. */
function pathOf({ what }: SendWishes, { kind }: OutboundMessage): string {
  if ("response" in what) return kind === "template" ? "response.template" : "response";
  return "template" in what ? "template" : "message";
}

/** What takes an answer's place is given with its name under `template`. */
function asGiven(problem: Problem): Problem {
  return problem.path === "onWindowClosed.name" ? { ...problem, path: "onWindowClosed.template" } : problem;
}

function refuse(code: ErrorCode, at: string, problems: readonly Problem[]): void {
  if (problems.length > 0)
    throw invalid(
      code,
      problems.map((problem) => ({ ...problem, path: joined(at, problem.path) })),
    );
}

function invalid(code: ErrorCode, problems: readonly Problem[]): ChannelError {
  const retry = code === "TEMPLATE_INVALID" ? "fix" : "never";
  return new ChannelError(code, sayProblems(problems), { retry, problems });
}

function joined(at: string, path: string): string {
  if (path === "") return at;
  return path.startsWith("[") ? `${at}${path}` : `${at}.${path}`;
}
