/** Turns whatever went wrong into words for a terminal: what it was, what to do, no stack, no password. */
import type { ExitCode } from "./command.ts";

type Failure = Error & {
  readonly code?: string;
  readonly help?: string;
  readonly address?: string;
  readonly port?: number;
};

export type Explanation = { readonly exitCode: ExitCode; readonly code: string; readonly message: string };

/** By Node's, Postgres' and Knex's own codes. */
const WORDS: Readonly<Record<string, (failure: Failure) => string>> = {
  ECONNREFUSED: () => "Nothing answers at the database's address. Is it running, and are host and port right?",
  ENOTFOUND: () => "The database's host name is unknown. Is it spelled right?",
  EAI_AGAIN: () => "The database's host name could not be looked up. Is the network up?",
  ETIMEDOUT: () => "The database did not answer in time. Are host and port right, and does a firewall let you through?",
  "28P01": () => "The database refuses the user name or the password.",
  "28000": ({ message }) => `The database refuses the connection: ${message}.`,
  "3D000": ({ message }) => `Create the database first: ${message}.`,
  "3F000": ({ message }) => `Is --host-schema right? ${message}.`,
  "42501": ({ message }) => `The database user lacks a right: ${message}.`,
  "55P03": () => "A long transaction holds one of the host's tables. Nothing was changed; try again when it has ended.",
  "2BP01": ({ message }) => `Something of the host stands on what would go, so nothing was changed: ${message}`,
  MigrationLocked: () => "The ledger's lock is set. If no migration is running: whatsapp-channel migrate unlock",
};

/** @param command the one that was typed: what is wrong for all of them is explained in its help. */
export function explain(error: unknown, command = ""): Explanation {
  const failure = failureOf(error);
  if (failure.code === "USAGE") {
    const message = `${failure.message} See: whatsapp-channel ${failure.help?.replace("<command>", command)}`;
    return { exitCode: 2, code: "USAGE", message: withoutPassword(message) };
  }
  const code = codeOf(failure);
  return { exitCode: 1, code, message: withoutPassword(WORDS[code]?.(failure) ?? failure.message) };
}

/** Behind our own error for any database that cannot be used stands the one that says why. */
function failureOf(error: unknown): Failure {
  const failure: Failure = error instanceof Error ? error : new Error(String(error));
  const { code, cause } = failure;
  return code === "STORE_UNAVAILABLE" && cause instanceof Error && codeOf(cause) in WORDS ? cause : failure;
}

function codeOf(failure: Failure): string {
  // pg and knex give their own time-outs no code.
  if (/timeout expired|Timeout acquiring a connection/.test(failure.message)) return "ETIMEDOUT";
  if (failure.name === "MigrationLocked") return failure.name;
  return failure.code ?? "FAILED";
}

/** Up to the last `@`: a password may hold one that nobody escaped. */
function withoutPassword(message: string): string {
  return message.replaceAll(/(\/\/[^:/\s]*):\S*@/g, "$1:***@");
}
