/** The simulator over real HTTP: a host that takes its webhooks, and calls to its Graph. */
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import { afterEveryTest } from "../../support/clear-away.ts";

export const APP_SECRET = "an-invented-app-secret";
export const ACCESS_TOKEN = "EAAinventedAccessToken";
export const PROOF = createHmac("sha256", APP_SECRET).update(ACCESS_TOKEN).digest("hex");
export const NUMBER = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "+1 555-777-0100",
  verifiedName: "Corner Bakery",
};
export const ADA = { name: "Ada Q.", phoneNumber: "447700900123", userId: "GB.5512oQx81Zk09", username: "ada.q" };

type Received = { readonly signature: string | undefined; readonly bytes: Buffer };
type Host = {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** The status of each coming answer; 200 when it runs out. */
  readonly answers: number[];
  stop(): Promise<void>;
};

export const cleanups: (() => Promise<void>)[] = [];

afterEveryTest(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function startHost({ port = 0, verifyToken = "verify-me" } = {}): Promise<Host> {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://host.invalid");
    if (request.method === "GET") {
      const isRight = url.searchParams.get("hub.verify_token") === verifyToken;
      response.writeHead(isRight ? 200 : 403).end(isRight ? url.searchParams.get("hub.challenge") : "");
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      signature: request.headers["x-hub-signature-256"]?.toString(),
      bytes: Buffer.concat(chunks),
    });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const actual = (server.address() as AddressInfo).port;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  cleanups.push(stop);
  return { url: `http://127.0.0.1:${actual}/webhook`, port: actual, received, answers, stop };
}

export async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: "verify-me",
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
    retryDelayMs: () => 5,
    ...options,
  });
  await meta.start();
  cleanups.push(() => meta.stop());
  return meta;
}

/** A `retryDelayMs` with which all that has failed by then is tried again at one moment, however long the first tries take. */
export function untilIn(ms: number): () => number {
  const at = Date.now() + ms;
  return () => Math.max(300, at - Date.now());
}

export function textTo(to: string, body: string, more: object = {}): object {
  return { messaging_product: "whatsapp", to, type: "text", text: { body }, ...more };
}

export type Answer = {
  readonly error?: {
    readonly code: number;
    readonly error_subcode?: number;
    readonly message?: string;
    readonly error_data?: { readonly details: string };
  };
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly paging?: { readonly cursors: { readonly after: string }; readonly next?: string };
  readonly messages?: readonly { readonly id: string }[];
  readonly data?: unknown;
};

export function wamidOf({ body }: { readonly body: Answer }): string {
  return body.messages?.[0]?.id ?? "";
}

/** Calls as the owner of this token, proof and all. */
export function by(token: string) {
  return { token, proof: createHmac("sha256", APP_SECRET).update(token).digest("hex") };
}

/** Calls as the app itself. */
export function byApp(appId = "777") {
  return { token: `${appId}|${APP_SECRET}`, proof: null };
}

export function post(meta: Simulator, path: string, body: object, init: Parameters<typeof call>[2] = {}) {
  return call(meta, path, { method: "POST", body: JSON.stringify(body), ...init });
}

export async function call(
  meta: Simulator,
  path: string,
  init: RequestInit & { token?: string | null; proof?: string | null } = {},
) {
  const { token = ACCESS_TOKEN, proof = PROOF, ...rest } = init;
  const url = new URL(`${meta.url}/v25.0/${path}`);
  if (proof !== null) url.searchParams.set("appsecret_proof", proof);
  const response = await fetch(url, {
    ...rest,
    headers: { "content-type": "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

export function send(
  meta: Simulator,
  message: object,
  { path = `${NUMBER.phoneNumberId}/messages`, ...init }: Parameters<typeof call>[2] & { readonly path?: string } = {},
) {
  return call(meta, path, { method: "POST", body: JSON.stringify(message), ...init });
}

type WireStatus = {
  readonly id: string;
  readonly status: string;
  readonly errors?: readonly { readonly code: number }[];
};
type WireValue = {
  readonly statuses?: readonly WireStatus[];
  readonly messages?: readonly Record<string, unknown>[];
};
type Payload = { readonly entry: readonly { readonly changes: readonly { readonly value: WireValue }[] }[] };

export function payloads(host: Host): readonly Payload[] {
  return host.received.map(({ bytes }) => JSON.parse(bytes.toString("utf8")));
}

export function values(host: Host): readonly WireValue[] {
  return payloads(host).flatMap(({ entry }) => entry.flatMap(({ changes }) => changes.map(({ value }) => value)));
}

export function statuses(host: Host) {
  return values(host).flatMap((value) => value.statuses ?? []);
}

export function handMade(from: string, id: string, over: object = {}): Record<string, unknown> {
  const metadata = { display_phone_number: "15557770100", phone_number_id: NUMBER.phoneNumberId };
  const timestamp = String(Math.floor(Date.now() / 1000));
  const messages = [{ from, id, timestamp, type: "text", text: { body: "Hi" }, ...over }];
  const value = { messaging_product: "whatsapp", metadata, contacts: [{ wa_id: from }], messages };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}

export function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

export function raise(message: string): never {
  throw new Error(message);
}
