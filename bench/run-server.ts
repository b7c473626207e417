/** Starts a server under measurement and tells its port. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerMode } from "./server.ts";

export type MeasuredServer = {
  readonly port: number;
  /** Of its process, after a full collection. */
  memory(): Promise<NodeJS.MemoryUsage>;
  stop(): Promise<void>;
};

/** @param mode `peer` is the server of `bench/peer`; all others are ours. */
export async function runServer(mode: ServerMode | "peer", ...args: readonly string[]): Promise<MeasuredServer> {
  const [file, given] = mode === "peer" ? ["peer/server.js", args] : ["server.ts", [mode, ...args]];
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), given, {
    // On two cores V8's parallel collector waits for helper threads that the load and the database keep from running.
    execArgv: ["--single-threaded-gc", "--expose-gc", ...(mode === "peer" ? [] : ["--import", "tsx"])],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the ${mode} server ended with ${code}`))),
  ])) as [{ port: number }];
  return {
    port: message.port,
    async memory() {
      const answer = once(child, "message");
      child.send("memory");
      const [usage] = (await answer) as [NodeJS.MemoryUsage];
      return usage;
    },
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
