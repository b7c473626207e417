/** The query of a tenant's request, checked by a schema. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { invalid } from "./json-body.ts";

/** @throws ChannelError REQUEST_INVALID naming every parameter that is wrong. */
export function readQuery<Schema extends z.ZodType>(request: IncomingMessage, schema: Schema): z.infer<Schema> {
  const { searchParams } = new URL(request.url ?? "/", "http://localhost");
  const parsed = schema.safeParse(Object.fromEntries(searchParams));
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

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
