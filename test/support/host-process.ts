/** The example host as a process of its own, to be killed, stopped and started again on the same port. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { freePort } from "../../examples/host/free-port.ts";
import { spawnNode } from "./node-process.ts";

export type HostProcess = {
  readonly url: string;
  /** Everything it has printed, over all its lives. */
  readonly output: () => string;
  /** Resolves when its health route answers 200. */
  start(): Promise<void>;
  /** Without waiting for anything. */
  signal(signal: NodeJS.Signals): void;
  /** @returns the exit code, null when a signal ended it. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
};

/** @param program of the example host. */
export async function createHostProcess(program: string, env: Readonly<Record<string, string>>): Promise<HostProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let output = "";

  return {
    url,
    output: () => output,
    async start() {
      const process_ = spawnNode([program], {
        env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", PORT: String(port), ...env },
      });
      child = process_;
      for (const stream of [process_.stdout, process_.stderr])
        stream?.on("data", (chunk: Buffer) => {
          output += chunk.toString();
        });
      for (;;) {
        if (process_.exitCode !== null) throw new Error(`the host ended with ${process_.exitCode}:\n${output}`);
        const healthy = await fetch(`${url}/api/whatsapp/health`).then(
          (answer) => answer.ok,
          () => false,
        );
        if (healthy) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    signal(signal) {
      child?.kill(signal);
    },
    async end(signal) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
      const gone = once(child, "exit");
      child.kill(signal);
      const [code] = await gone;
      return code;
    },
  };
}
