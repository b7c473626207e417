/** Meta's deliveries taken before the host's app sees them: what Express does to a request costs more than to store it. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

/** The host's app with the delivery route before it: what `createServer` takes. */
export type InFrontOf = (app: RequestListener) => RequestListener;

type Deliver = (request: IncomingMessage, response: ServerResponse) => unknown;

/** @param path of the delivery route, as Meta spells it. Any other spelling goes through the app, to the same handler. */
export function createInFrontOf(path: string, deliver: Deliver): InFrontOf {
  return (app) => (request, response) => {
    if (request.method === "POST" && request.url === path) void deliver(request, response);
    else app(request, response);
  };
}
