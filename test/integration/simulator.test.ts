/** The simulator, driven over real HTTP: what it refuses, delivers, retries and remembers. */
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import { afterEach, describe, expect, it } from "vitest";

const APP_SECRET = "an-invented-app-secret";
const ACCESS_TOKEN = "EAAinventedAccessToken";
const PROOF = createHmac("sha256", APP_SECRET).update(ACCESS_TOKEN).digest("hex");
const NUMBER = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "+1 555-777-0100",
  verifiedName: "Corner Bakery",
};
const ADA = { name: "Ada Q.", phoneNumber: "447700900123", userId: "GB.5512oQx81Zk09", username: "ada.q" };

type Received = { readonly signature: string | undefined; readonly bytes: Buffer };
type Host = {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** The status of each coming answer; 200 when it runs out. */
  readonly answers: number[];
  stop(): Promise<void>;
};

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startHost({ port = 0, verifyToken = "verify-me" } = {}): Promise<Host> {
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

async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
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

function textTo(to: string, body: string, more: object = {}): object {
  return { messaging_product: "whatsapp", to, type: "text", text: { body }, ...more };
}

async function call(
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
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function send(meta: Simulator, message: object, init: Parameters<typeof call>[2] = {}) {
  return call(meta, `${NUMBER.phoneNumberId}/messages`, { method: "POST", body: JSON.stringify(message), ...init });
}

type WireStatus = {
  readonly id: string;
  readonly status: string;
  readonly errors?: readonly { readonly code: number }[];
};
type WireValue = { readonly statuses?: readonly WireStatus[]; readonly messages?: readonly Record<string, unknown>[] };
type Payload = { readonly entry: readonly { readonly changes: readonly { readonly value: WireValue }[] }[] };

function payloads(host: Host): readonly Payload[] {
  return host.received.map(({ bytes }) => JSON.parse(bytes.toString("utf8")));
}

function values(host: Host): readonly WireValue[] {
  return payloads(host).flatMap(({ entry }) => entry.flatMap(({ changes }) => changes.map(({ value }) => value)));
}

function statuses(host: Host) {
  return values(host).flatMap((value) => value.statuses ?? []);
}

describe("a conversation", () => {
  it("carries a person's text to the host and the answer back, with its ticks", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const question = ada.says("Are you open?");
    await meta.idle();
    const answer = await send(
      meta,
      textTo("+44 7700 900123", "Yes, until six.", { biz_opaque_callback_data: "token-1" }),
    );
    await meta.idle();

    expect(answer.body).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: "+44 7700 900123", wa_id: "447700900123" }],
      messages: [{ id: expect.stringMatching(/^wamid\./) }],
    });
    expect(ada.transcript()).toMatchObject([
      { direction: "inbound", text: "Are you open?", wamid: question, status: "delivered" },
      { direction: "outbound", text: "Yes, until six.", wamid: answer.body.messages[0].id, status: "read" },
    ]);
    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
    expect(statuses(host)[1]).toMatchObject({
      id: answer.body.messages[0].id,
      recipient_id: "447700900123",
      recipient_user_id: ADA.userId,
      biz_opaque_callback_data: "token-1",
      pricing: { pricing_model: "PMP", type: "free_customer_service", category: "service" },
    });
  });
});
