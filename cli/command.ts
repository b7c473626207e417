/** What every command is, and what a caller gets who has used one wrongly. */

/** 0 done, 1 failed, 2 used wrongly. */
export type ExitCode = 0 | 1 | 2;

/** What it needs of the package it imports when it is about to work: help and mistakes are told at once. */
export type Command = {
  run(args: readonly string[]): Promise<ExitCode>;
};

/** Makes an error of what is wrong with the arguments: one sentence that says what to do. */
export type Wrong = (message: string) => Error;

/** The caller's mistake: one line, a pointer to the help, exit code 2. */
export function usageError(message: string, help: string): Error {
  return Object.assign(new Error(message), { code: "USAGE", help });
}

/** The mistakes of one command's caller, who is sent to its help. */
export function wrongFor(command: string): Wrong {
  return (message) => usageError(message, `${command} --help`);
}

/** For `catch`: what the package refuses as a request is the caller's mistake. */
export function asUsage(wrong: Wrong): (error: Error & { readonly code?: string }) => never {
  return (error) => {
    throw error.code === "REQUEST_INVALID" ? wrong(error.message) : error;
  };
}

/** For `catch`: whatever is wrong with a file or folder that the caller has named is theirs to mend. */
export function asMistake(wrong: Wrong): (error: Error) => never {
  return (error) => {
    throw wrong(error.message);
  };
}

/** For commands that take options only. @throws when there are any. */
export function noArguments(positionals: readonly string[], wrong: Wrong): void {
  if (positionals.length > 0) throw wrong(`"${positionals.join(" ")}" is one argument too many.`);
}
