/** What went wrong, in words for a terminal: one line that says what to do, a code for scripts, and no password. */
import { expect, it } from "vitest";
import { usageError } from "../../../cli/command.ts";
import { explain } from "../../../cli/explain.ts";

const failure = (code: string, message = "x") => Object.assign(new Error(message), { code });

it.each([
  ["ECONNREFUSED", "Nothing answers at the database's address."],
  ["ENOTFOUND", "The database's host name is unknown."],
  ["EAI_AGAIN", "could not be looked up"],
  ["ETIMEDOUT", "did not answer in time"],
  ["28P01", "refuses the user name or the password"],
  ["28000", "refuses the connection: no pg_hba.conf entry."],
  ["3D000", "Create the database first: no pg_hba.conf entry."],
  ["3F000", "Is --host-schema right? no pg_hba.conf entry."],
  ["42501", "lacks a right: no pg_hba.conf entry."],
  ["55P03", "A long transaction holds one of the host's tables."],
  ["2BP01", "Something of the host stands on what would go, so nothing was changed: no pg_hba.conf entry"],
])("%s is said in words, also when it is the cause of ours", (code, words) => {
  const cause = failure(code, "no pg_hba.conf entry");
  const ours = Object.assign(new Error("The database cannot be reached.", { cause }), { code: "STORE_UNAVAILABLE" });

  for (const error of [cause, ours])
    expect(explain(error)).toEqual({ exitCode: 1, code, message: expect.stringContaining(words) });
});

it("a time-out of pg's or knex's has no code of theirs", () => {
  for (const message of ["timeout expired", "Knex: Timeout acquiring a connection. The pool is full."])
    expect(explain(new Error(message))).toMatchObject({ code: "ETIMEDOUT" });
});

it("whatever else has its own message, and is a failure", () => {
  expect(explain(failure("X", "no"))).toEqual({ exitCode: 1, code: "X", message: "no" });
  expect(explain("no")).toEqual({ exitCode: 1, code: "FAILED", message: "no" });
  const cause = failure("57P01", "terminated");
  const ours = Object.assign(new Error("The database cannot be reached.", { cause }), { code: "STORE_UNAVAILABLE" });
  expect(explain(ours)).toMatchObject({ code: "STORE_UNAVAILABLE", message: "The database cannot be reached." });
});

it("a mistake leads to the help of the command that was typed, and shows no password", () => {
  expect(explain(usageError("Is postgres://me:p@ss@h/x right?", "<command> --help"), "doctor")).toEqual({
    exitCode: 2,
    code: "USAGE",
    message: "Is postgres://me:***@h/x right? See: whatsapp-channel doctor --help",
  });
});
