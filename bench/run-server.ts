/** Starts a server under measurement and tells its port. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerMode } from "./server.ts";

export type MeasuredServer = {
  readonly port: number;
  /** Of its process, after a full collection. */
  memory(): Promise<NodeJS.MemoryUsage>;
  /** The most resident memory since it was asked last, in bytes, looked at every 5 ms. */
  peak(): Promise<number>;
  stop(): Promise<void>;
};

/** @param mode `peer` is the server of `bench/peer`; all others are ours. */
export async function runServer(mode: ServerMode | "peer", ...args: readonly string[]): Promise<MeasuredServer> {
  const measuresMemory = mode === "returns" || mode === "files";
  const [file, given] = mode === "peer" ? ["peer/server.js", args] : ["server.ts", [mode, ...args]];
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), given, {
    // On two cores V8's parallel collector waits for helper threads that the load and the database keep from running. Where memory is
    // measured and not time, those threads give it back as they do in service.
    execArgv: [
      ...(measuresMemory ? [] : ["--single-threaded-gc"]),
      "--expose-gc",
      ...(mode === "peer" ? [] : ["--import", "tsx"]),
    ],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the ${mode} server ended with ${code}`))),
  ])) as [{ port: number }];
  async function ask<T>(what: "memory" | "peak"): Promise<T> {
    const answer = once(child, "message");
    child.send(what);
    const [said] = (await answer) as [T];
    return said;
  }
  return {
    port: message.port,
    memory: () => ask<NodeJS.MemoryUsage>("memory"),
    peak: () => ask<number>("peak"),
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
