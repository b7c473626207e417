/** An AI response from outside: one schema for what comes over HTTP, and for what a host's `reply` returns and its `send` is given. */
import { z } from "zod";
import type { AiResponse } from "./contract.ts";
import { ChannelError } from "./errors.ts";

const choice = z.strictObject({ id: z.string(), title: z.string(), description: z.string().optional() });
const media = z.strictObject({
  kind: z.enum(["image", "video", "audio", "document", "sticker"]),
  url: z.string().optional(),
  mediaId: z.guid().optional(),
  caption: z.string().optional(),
  filename: z.string().optional(),
  voice: z.boolean().optional(),
});
/** What is in it is checked where every message is, whoever made it. */
export const TEMPLATE_PARAMS = z.looseObject({});
/** A template by name. */
export const TEMPLATE_CHOICE = z.strictObject({
  name: z.string(),
  language: z.string(),
  params: TEMPLATE_PARAMS.optional(),
});

/** As JSON: files are named, never held. */
export const AI_RESPONSE = z.strictObject({
  text: z.string().optional(),
  choices: z.array(choice).optional(),
  cards: z
    .array(
      z.strictObject({
        title: z.string(),
        text: z.string().optional(),
        imageUrl: z.string().optional(),
        url: z.string().optional(),
        urlLabel: z.string().optional(),
        choices: z.array(choice).optional(),
      }),
    )
    .optional(),
  media: z
    .array(
      media.refine(({ url, mediaId }) => (url === undefined) !== (mediaId === undefined), {
        path: ["url"],
        error: "give either a url or a mediaId",
      }),
    )
    .optional(),
  location: z
    .strictObject({
      latitude: z.number(),
      longitude: z.number(),
      name: z.string().optional(),
      address: z.string().optional(),
    })
    .optional(),
  template: TEMPLATE_CHOICE.optional(),
  reaction: z.strictObject({ emoji: z.string().nullable(), messageId: z.string().optional() }).optional(),
  replyTo: z.boolean().optional(),
  handoff: z.boolean().optional(),
});

/** In the process a file may be its bytes. */
const IN_PROCESS = AI_RESPONSE.extend({
  media: z
    .array(
      media
        .extend({ bytes: z.instanceof(Uint8Array).optional(), mime: z.string().optional() })
        .refine(({ url, mediaId, bytes }) => [url, mediaId, bytes].filter((one) => one !== undefined).length === 1, {
          path: ["url"],
          error: "give one of a url, a mediaId, and bytes with their mime",
        }),
    )
    .optional(),
});

const MEMBERS = Object.keys(AI_RESPONSE.shape);
const NAME = /^\w{1,40}$/;
/** More than these nobody reads at once. */
const MOST_SAID = 5;

/**
 * Of what `reply` returned or `send` was given: a response of another shape would otherwise say nothing, or less, and nobody would know why.
 * @param from where it came from.
 * @throws ChannelError MESSAGE_INVALID naming each place that is wrong, and no value.
 */
export function requireAiResponse(
  answer: unknown,
  from: "The answer of reply" | "response" = "The answer of reply",
): asserts answer is AiResponse {
  const problems = problemsOf(answer);
  if (problems.length === 0) return;
  const shown = problems.slice(0, MOST_SAID).join("; ");
  const more = problems.length > MOST_SAID ? `; and ${problems.length - MOST_SAID} more` : "";
  throw new ChannelError(
    "MESSAGE_INVALID",
    `${from}: ${shown}${more}. An AI response has ${MEMBERS.join(", ")}; a text alone is a string${from === "response" ? "" : ", null is silence"}.`,
  );
}

function problemsOf(answer: unknown): readonly string[] {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer))
    return [`it is ${Array.isArray(answer) ? "an array" : `a ${typeof answer}`}, no AI response`];
  // A map, a generator that is not async: they have no members of their own and would pass for silence.
  if (!isPlain(answer) && !MEMBERS.some((name) => name in answer)) return ["it is no plain object"];
  const { error } = IN_PROCESS.safeParse(answer);
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${placeOf([...issue.path, shownName(key)])} is no member of ${ownerOf(issue)}`)
      : [`${placeOf(issue.path)}: ${issue.message}`],
  );
}

/** A member's name as an error may show it: one that does not look like a name may be text that somebody wrote. */
export function shownName(name: string): string {
  return NAME.test(name) ? name : "?";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function ownerOf({ path }: z.core.$ZodIssue): string {
  return path.length === 0 ? "an AI response" : placeOf(path);
}

function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .slice(1);
}
