/** A load generator that costs little: requests are built beforehand, sockets are raw, one request is in flight on each. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export const APP_SECRET = "bench-app-secret";
export const PHONE_NUMBER_ID = "301777000333444";
/** Of the first tenant, the second, … */
export const numberOf = (tenant: number) => (tenant === 0 ? PHONE_NUMBER_ID : `30177700033350${tenant}`);
export const tenantOf = (tenant: number) => `00000000-0000-4000-8000-00000000000${tenant + 1}`;
export const WABA_ID = "201555000111222";

export type Writing = {
  readonly count: number;
  readonly people: number;
  readonly run: string;
  /** The number they write to. */
  readonly to?: string;
  /** The others' follow it. */
  readonly firstPhone?: number;
};

/** Signed single-message deliveries, spread over `people` conversations. */
export function buildRequests(options: Writing): readonly Buffer[] {
  return buildBatches({ ...options, perDelivery: 1 });
}

/** Signed deliveries of `perDelivery` messages each, `count` messages in all. */
export function buildBatches(options: Writing & { readonly perDelivery: number }): readonly Buffer[] {
  const { to = PHONE_NUMBER_ID, firstPhone = 447700900000 } = options;
  return Array.from({ length: Math.ceil(options.count / options.perDelivery) }, (_, delivery) => {
    const numbers = Array.from(
      { length: Math.min(options.perDelivery, options.count - delivery * options.perDelivery) },
      (_each, n) => delivery * options.perDelivery + n,
    );
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        {
          id: WABA_ID,
          changes: numbers.map((n) => change(n, String(firstPhone + (n % options.people)), options.run, to)),
        },
      ],
    });
    return signedRequest(body);
  });
}

/** A signed delivery of one document. @param sha256 of its bytes, base64. */
export function buildDocument(wamid: string, sha256: string): Buffer {
  const { value, ...rest } = change(0, "447700900000", wamid, PHONE_NUMBER_ID);
  const { text: _text, ...common } = value.messages[0] as (typeof value.messages)[number];
  const document = { id: "4410000000", mime_type: "text/plain", filename: "large.txt", sha256 };
  const messages = [{ ...common, id: wamid, type: "document", document }];
  const changes = [{ ...rest, value: { ...value, messages } }];
  return signedRequest(JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: WABA_ID, changes }] }));
}

function signedRequest(body: string): Buffer {
  const signature = createHmac("sha256", APP_SECRET).update(body).digest("hex");
  return Buffer.from(
    `POST /api/whatsapp/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function change(n: number, phone: string, run: string, to: string) {
  return {
    field: "messages",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "15557770100", phone_number_id: to },
      contacts: [{ profile: { name: "Ada Q." }, wa_id: phone, user_id: `GB.5512oQx81Zk${phone}` }],
      messages: [
        {
          from: phone,
          from_user_id: `GB.5512oQx81Zk${phone}`,
          id: `wamid.${run}.${n}`,
          timestamp: String(Math.floor(Date.now() / 1000)),
          type: "text",
          text: { body: `Hello, is it open today? (${n})` },
        },
      ],
    },
  };
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

/** Connections that stay open, for sending at a pace of one's own. Answers are read and must be 200. */
export async function openSender(
  port: number,
  sockets: number,
): Promise<{ readonly send: (request: Buffer) => void; readonly close: () => void }> {
  const idle: Socket[] = [];
  const waiting: Buffer[] = [];
  const all = await Promise.all(Array.from({ length: sockets }, open));
  return {
    send(request) {
      const socket = idle.pop();
      if (socket === undefined) waiting.push(request);
      else socket.write(request);
    },
    close() {
      for (const socket of all) socket.destroy();
    },
  };

  async function open(): Promise<Socket> {
    const socket = connect(port, "127.0.0.1").setNoDelay(true);
    await once(socket, "connect");
    socket.on("data", (chunk: Buffer) => {
      if (chunk.toString("latin1", 0, 12) !== "HTTP/1.1 200") throw new Error(chunk.toString("latin1", 0, 300));
      const next = waiting.shift();
      if (next === undefined) idle.push(socket);
      else socket.write(next);
    });
    idle.push(socket);
    return socket;
  }
}
