/** Posts bytes to the host once, over connections that stay open, and says how it went. */
import http from "node:http";
import https from "node:https";

/** One try of one delivery. `status` is null when no answer came; `error` then says why. */
export type DeliveryAttempt = {
  readonly at: Date;
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** How many deliveries went out in this one request: 1, unless retries were put together. */
  readonly together: number;
};

/** The same before anybody knows how many went together. */
export type PostResult = Omit<DeliveryAttempt, "together">;

export type WebhookPoster = {
  post(url: string, bytes: Uint8Array, signature: string): Promise<PostResult>;
  /** Breaks off what is under way and closes the connections. */
  close(): void;
};

// Enough to keep a host busy; a backlog of retries then waits here instead of opening thousands of sockets at once.
const MAX_SOCKETS = 64;

export function createWebhookPoster({
  timeoutMs,
  now,
}: {
  readonly timeoutMs: number;
  readonly now: () => Date;
}): WebhookPoster {
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
  };
  const underWay = new Set<http.ClientRequest>();

  function post(url: string, bytes: Uint8Array, signature: string): Promise<PostResult> {
    const at = now();
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const { request } = url.startsWith("https:") ? https : http;
      const outgoing = request(url, {
        method: "POST",
        agent: url.startsWith("https:") ? agents["https:"] : agents["http:"],
        headers: {
          "Content-Type": "application/json",
          "Content-Length": bytes.byteLength,
          "User-Agent": "facebookexternalua",
          Accept: "*/*",
          "X-Hub-Signature-256": signature,
        },
      });
      let status: number | null = null;
      let timer: NodeJS.Timeout | undefined;
      const finish = (error: string | null) => {
        clearTimeout(timer);
        underWay.delete(outgoing);
        resolve({ at, status: error === null ? status : null, error, durationMs: performance.now() - startedAt });
      };
      underWay.add(outgoing);
      // The clock runs from the socket on: waiting for a free one is not the host's fault.
      outgoing.once("socket", () => {
        timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      });
      outgoing.once("error", (error) => finish(error.message || error.name));
      outgoing.once("response", (response) => {
        status = response.statusCode ?? null;
        response.once("error", (error) => finish(error.message));
        response.once("end", () => finish(null));
        response.resume();
      });
      outgoing.end(bytes);
    });
  }

  return {
    post,
    close() {
      for (const outgoing of underWay) outgoing.destroy(new Error("the simulator stopped"));
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}
