/** A port of 127.0.0.1 that nobody listens on: for whoever must be told its address before it listens. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Somebody else may take it until you do. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
