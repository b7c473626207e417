/** A load generator that costs little: requests are built beforehand, sockets are raw, one request is in flight on each. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";

export const APP_SECRET = "bench-app-secret";
export const PHONE_NUMBER_ID = "301777000333444";
export const WABA_ID = "201555000111222";

/** Signed single-message deliveries, spread over `people` conversations. */
export function buildRequests(options: {
  readonly count: number;
  readonly people: number;
  readonly run: string;
}): readonly Buffer[] {
  return Array.from({ length: options.count }, (_, n) => {
    const phone = String(447700900000 + (n % options.people));
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        {
          id: WABA_ID,
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: { display_phone_number: "15557770100", phone_number_id: PHONE_NUMBER_ID },
                contacts: [{ profile: { name: "Ada Q." }, wa_id: phone, user_id: `GB.5512oQx81Zk${phone}` }],
                messages: [
                  {
                    from: phone,
                    from_user_id: `GB.5512oQx81Zk${phone}`,
                    id: `wamid.${options.run}.${n}`,
                    timestamp: String(Math.floor(Date.now() / 1000)),
                    type: "text",
                    text: { body: `Hello, is it open today? (${n})` },
                  },
                ],
              },
            },
          ],
        },
      ],
    });
    const signature = createHmac("sha256", APP_SECRET).update(body).digest("hex");
    return Buffer.from(
      `POST /api/whatsapp/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

export type LoadResult = {
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
};

/** Sends every request once over `sockets` connections. @throws when an answer is not 200. */
export async function sendAll(port: number, requests: readonly Buffer[], sockets: number): Promise<LoadResult> {
  const latencies = new Float64Array(requests.length);
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: sockets }, () => run()));
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort();
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] as number;
  return { seconds, perSecond: requests.length / seconds, p50: at(0.5), p99: at(0.99) };

  async function run(): Promise<void> {
    const socket = connect(port, "127.0.0.1").setNoDelay(true);
    await once(socket, "connect");
    await new Promise<void>((resolve, reject) => {
      let mine = -1;
      let sentAt = 0;
      const send = () => {
        mine = next++;
        if (mine >= requests.length) {
          socket.end();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(requests[mine] as Buffer);
      };
      socket.on("data", (chunk: Buffer) => {
        if (chunk.toString("latin1", 0, 12) !== "HTTP/1.1 200") {
          reject(new Error(chunk.toString("latin1", 0, 300)));
          return;
        }
        latencies[mine] = performance.now() - sentAt;
        send();
      });
      socket.on("error", reject);
      send();
    });
  }
}
