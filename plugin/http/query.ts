/** The query of a tenant's request, checked by a schema. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { ChannelError } from "../errors.ts";
import { isInstant, isStorable, isStorableTime } from "../storable.ts";
import { invalid } from "./json-body.ts";

/** @throws ChannelError REQUEST_INVALID naming every parameter that is wrong. */
export function readQuery<Schema extends z.ZodType>(request: IncomingMessage, schema: Schema): z.infer<Schema> {
  const { searchParams } = new URL(request.url ?? "/", "http://localhost");
  for (const [name, value] of searchParams)
    if (!isStorable(value)) throw new ChannelError("REQUEST_INVALID", `${harmlessName(name)}: holds a NUL character`);
  const parsed = schema.safeParse(Object.fromEntries(searchParams));
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/** It may be anything, and a message says nothing that somebody else has put into it. */
function harmlessName(name: string): string {
  return /^\w{1,40}$/.test(name) ? name : "a parameter";
}

/** A day, or a time with its zone: what else JavaScript takes for one, nobody has meant. */
export const TIME = z
  .string()
  .refine(isInstant, "give a time such as 2026-11-27T08:00:00Z")
  .meta({ format: "date-time" })
  .pipe(z.coerce.date())
  .refine(isStorableTime, "give a year from 1 to 9999");

/** Lists are newest first. `before`: the `next` of the page before. */
export const PAGE = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.string().max(200).optional(),
};

/** What is looked for, as it was typed. Nothing is no wish. */
export const SEARCH = z
  .string()
  .max(200)
  .transform((text) => text.trim() || undefined)
  .optional();
