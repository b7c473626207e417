/** Meta's two requests: the handshake, and the delivery that is acknowledged only once it is stored. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ChannelPlugin } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { answerHandshake } from "../webhook/handshake.ts";
import { looksSigned } from "../webhook/verify-signature.ts";
import type { ReadUnproven } from "./unproven-reads.ts";

export function createHandshakeRoute(verifyToken: string) {
  return (request: IncomingMessage & { readonly query?: unknown }, response: ServerResponse): void => {
    // The URL's own query, because a host may have set another query parser, and Meta's names have dots.
    const query = new URL(request.url ?? "", "http://localhost").searchParams;
    const single = Object.fromEntries(
      [...new Set(query.keys())].map((key) => [key, query.getAll(key).length === 1 ? query.get(key) : null]),
    );
    const challenge = answerHandshake(single, verifyToken);
    response.statusCode = 200;
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
    response.end(challenge);
  };
}

export function createDeliveryRoute(receive: ChannelPlugin["receive"], readBody: ReadUnproven) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const header = request.headers["x-hub-signature-256"];
    const signature = typeof header === "string" ? header : undefined;
    // Who did not even try to sign is not read.
    if (!looksSigned(signature)) throw new ChannelError("SIGNATURE_INVALID", "The delivery is not signed.");
    await receive({ rawBody: await readBody(request), signature });
    // Written only where somebody has changed it: on a response that Express has had, a new property costs a microsecond.
    if (response.statusCode !== 200) response.statusCode = 200;
    response.end();
  };
}
