/** Our own webhook, asked what Meta would ask it: the handshake, from this machine. */
import type { CallWebhook } from "../../plugin/ports.ts";
import type { HttpTransport } from "./http-transport.ts";

/** The transport follows no redirect, as Meta does not. */
export function createCallWebhook(transport: HttpTransport): CallWebhook {
  return async ({ url, verifyToken, challenge }) => {
    const asked = new URL(url);
    asked.searchParams.set("hub.mode", "subscribe");
    asked.searchParams.set("hub.verify_token", verifyToken);
    asked.searchParams.set("hub.challenge", challenge);
    const outcome = await transport.send({ method: "GET", url: asked, headers: { accept: "*/*" }, body: null });
    if (outcome.kind !== "answer") return { kind: "unreachable", reason: outcome.reason };
    return { kind: "answered", status: outcome.status, echoed: outcome.text === challenge };
  };
}
