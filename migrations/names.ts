/** Where tables live: every name we write is qualified, so a host's search_path never decides. */
import type { Knex } from "knex";

/** All that a migration may use, so that `--plan` can write down what it would run. */
export type Sql = Pick<Knex, "raw">;

export type Schemas = {
  /** Holds our tables and functions. Created when missing. */
  readonly schema: string;
  /** Holds the host's `customer_configs`, `conversations` and `messages`. */
  readonly hostSchema: string;
};

/** `quoteName("public", "whatsapp_lanes")` → `"public"."whatsapp_lanes"`. */
export function quoteName(...parts: readonly string[]): string {
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}
