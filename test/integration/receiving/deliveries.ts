/** Deliveries as Meta posts them, and a client that shows the whole answer. */
import http from "node:http";
import { escapedJson, signatureOf } from "@omniops/whatsapp/simulator";
import { APP_SECRET, NUMBER, type TestChannel } from "../../support/channel.ts";

export type Written = {
  readonly id: string;
  readonly text: string;
  readonly from?: string;
  readonly number?: { readonly phoneNumberId: string; readonly wabaId: string };
};

/** Written now, so that nothing about it is late. */
export function change({ id, text, from = "447700900123", number = NUMBER }: Written): object {
  return {
    field: "messages",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "15557770100", phone_number_id: number.phoneNumberId },
      contacts: [{ profile: { name: "Ada Q." }, wa_id: from }],
      messages: [{ from, id, timestamp: String(Math.floor(Date.now() / 1000)), type: "text", text: { body: text } }],
    },
  };
}

export function delivery(changes: readonly object[], wabaId = NUMBER.wabaId): Buffer {
  return bytesOf({ object: "whatsapp_business_account", entry: [{ id: wabaId, changes }] });
}

export function bytesOf(payload: unknown): Buffer {
  return Buffer.from(escapedJson(payload));
}

/** One text in one delivery. */
export function textOf(written: Written): Buffer {
  return delivery([change(written)], written.number?.wabaId);
}

export function signed(bytes: Uint8Array, secret = APP_SECRET): Record<string, string> {
  return { "content-type": "application/json", "x-hub-signature-256": signatureOf(bytes, secret) };
}

export type Answer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
};

/** Every body that any server has answered, for the question what leaks. */
export const answeredBodies: string[] = [];

export function request(
  method: "GET" | "POST" | "DELETE",
  url: string,
  headers: http.OutgoingHttpHeaders,
  bytes?: Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        answeredBodies.push(body);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    outgoing.once("error", reject);
    outgoing.end(bytes);
  });
}

/** Signed with the right secret unless other headers are given. */
export function post(channel: { readonly url: string }, bytes: Uint8Array, headers = signed(bytes)): Promise<Answer> {
  return request("POST", `${channel.url}/webhook`, headers, bytes);
}

export type StoredWebhook = {
  readonly body: Buffer;
  readonly payload: unknown;
  readonly processed: boolean;
  readonly error: string | null;
  readonly secret_index: number;
};

/** What is stored, oldest first. */
export function stored(channel: Pick<TestChannel, "rows">): Promise<StoredWebhook[]> {
  return channel.rows("select body, payload, processed, error, secret_index from whatsapp_webhooks order by id");
}

/** How many rows any tenant has of anything: 0 when a delivery had no effect. */
export async function tenantRows(channel: Pick<TestChannel, "rows">): Promise<number> {
  const [row] = await channel.rows<{ count: string }>(
    `select (select count(*) from conversations) + (select count(*) from messages) + (select count(*) from whatsapp_contacts)
       + (select count(*) from whatsapp_sessions) + (select count(*) from whatsapp_turns)
       + (select count(*) from whatsapp_outbox) as count`,
  );
  return Number(row?.count);
}

/** The texts in the host's inbox, in order. */
export async function inboxOf(channel: Pick<TestChannel, "rows">): Promise<readonly string[]> {
  const rows = await channel.rows<{ content: string }>(
    "select content from messages where role = 'user' order by created_at, id",
  );
  return rows.map(({ content }) => content);
}
