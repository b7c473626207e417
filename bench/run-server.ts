/** Starts a server under measurement and tells its port. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerMode } from "./server.ts";

export async function runServer(
  mode: ServerMode,
  ...args: readonly string[]
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const child = fork(fileURLToPath(new URL("server.ts", import.meta.url)), [mode, ...args], {
    // On two cores V8's parallel collector waits for helper threads that the load and the database keep from running.
    execArgv: ["--single-threaded-gc", "--import", "tsx"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the ${mode} server ended with ${code}`))),
  ])) as [{ port: number }];
  return {
    port: message.port,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
