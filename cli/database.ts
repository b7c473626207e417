/** A knex on the database that the caller names, for one command. */
import type { Knex } from "knex";
import { usageError } from "./command.ts";
import type { Values } from "./options.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** @param connections how many at most: one does for everything but a host of its own. */
export async function withDatabase<T>(values: Values, run: (knex: Knex) => Promise<T>, connections = 1): Promise<T> {
  const connectionString = checked(values["database-url"] ?? process.env.DATABASE_URL);
  const { default: createKnex } = await peer(() => import("knex"), "knex");
  await peer(() => import("pg"), "pg");
  const knex = createKnex({
    client: "pg",
    connection: { connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, application_name: "whatsapp-channel" },
    pool: { min: 0, max: connections },
    // Knex prints what it also throws, whole migrations included; we say it once, in one line.
    log: { warn: () => {}, error: () => {} },
  });
  return run(knex).finally(() => knex.destroy());
}

/** Never repeats the value: it holds a password. */
function checked(url: string | undefined): string {
  if (url === undefined || url === "")
    throw usageError("Say which database: set DATABASE_URL or give --database-url.", "<command> --help");
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw usageError(
      "The database URL must start with postgres://, and hold user:password@host:port/database.",
      "<command> --help",
    );
  return url;
}

/** The host brings these packages, so that there is one copy of each. */
async function peer<T>(load: () => Promise<T>, name: string): Promise<T> {
  return load().catch((cause: { readonly code?: string; readonly message: string }) => {
    // A release that lacks a file of its own, as knex 3.0.0 does: Node's message is many lines.
    if (cause.code === "MODULE_NOT_FOUND")
      throw Object.assign(
        new Error(`The package ${name} cannot be loaded: ${cause.message.split("\n", 1)[0]}.`, { cause }),
        {
          code: "PEER_BROKEN",
        },
      );
    if (cause.code !== "ERR_MODULE_NOT_FOUND" || !cause.message.includes(`'${name}'`)) throw cause;
    throw Object.assign(new Error(`The package ${name} is not installed. Run: npm install ${name}`, { cause }), {
      code: "PEER_MISSING",
    });
  });
}
