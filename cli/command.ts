/** What every command is: a help text, and a function from arguments to an exit code. */

/** 0 done, 1 failed, 2 used wrongly. */
export type ExitCode = 0 | 1 | 2;

export type Command = {
  /** One line for the list of commands. */
  readonly summary: string;
  run(args: readonly string[]): Promise<ExitCode>;
};

/** The caller's mistake: one line, a pointer to the help, exit code 2. */
export function usageError(message: string, help: string): Error {
  return Object.assign(new Error(message), { code: "USAGE", help });
}
