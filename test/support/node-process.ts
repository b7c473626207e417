/** Every Node process that a test starts: it ends at a rejection that nobody handles, and what it prints is searched for secrets. */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { expect } from "vitest";
import { leaksInOutput, secretsIn } from "./canaries.ts";
import { afterEveryFile } from "./clear-away.ts";

const STRICT = ["--unhandled-rejections=strict"];

export type Run = { readonly code: number; readonly out: string; readonly err: string };
export type NodeOptions = Pick<SpawnOptions, "cwd" | "env" | "timeout"> & {
  /** For one that shows conversations because that is what it is for. Tokens and codes it must not show either. */
  readonly showsPeople?: boolean;
};

const leaks: string[] = [];
afterEveryFile(() => {
  expect(leaks.splice(0), "secrets and people in what a process has printed").toEqual([]);
});

/** Runs to its end. @returns its exit code and all that it has printed. */
export function runNode(args: readonly string[], { showsPeople, ...options }: NodeOptions = {}): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...STRICT, ...args], { encoding: "utf8", ...options }, (error, out, err) => {
      search(args, `${out}${err}`, showsPeople);
      // One that was ended, by its time limit too, has no code, and has not succeeded.
      resolve({ code: error === null ? 0 : Number(error.code ?? Number.NaN), out, err });
    });
  });
}

/** With both streams as pipes, and IPC where asked for. */
export function spawnNode(
  args: readonly string[],
  { showsPeople, withIpc = false, ...options }: NodeOptions & { readonly withIpc?: boolean } = {},
) {
  const stdio: SpawnOptions["stdio"] = withIpc ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"];
  const child: ChildProcess = spawn(process.execPath, [...STRICT, ...args], { ...options, stdio });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("a process without output");
  let output = "";
  for (const stream of [stdout, stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  child.once("close", () => search(args, output, showsPeople));
  return Object.assign(child, { stdout, stderr, stdin: null });
}

function search(args: readonly string[], output: string, showsPeople = false): void {
  const found = showsPeople ? secretsIn(output, {}) : leaksInOutput(output);
  if (found.length > 0) leaks.push(`${args.at(-1)}: ${found.join(" and ")}`);
}
