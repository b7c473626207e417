/** A host whose people may disconnect, and what the tests of leaving ask of it. */
import { NUMBER, startChannel, TENANT, type TestChannel, type TestChannelOptions } from "../../support/channel.ts";

export const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
/** In the same account. */
export const SECOND_NUMBER = {
  ...NUMBER,
  phoneNumberId: "301777000333999",
  displayPhoneNumber: "15557770199",
  verifiedName: "Second Shop",
};
export const UNSUBSCRIBE = `DELETE /${NUMBER.wabaId}/subscribed_apps`;
export const SUBSCRIBE = `POST /${NUMBER.wabaId}/subscribed_apps`;

/** Signed in as the tenant in `x-tenant`, with the permissions in `x-may`. */
function authenticate({ headers }: { readonly headers: Readonly<Record<string, string | undefined>> }) {
  const { "x-tenant": customerConfigId, "x-may": may = "connect" } = headers;
  return customerConfigId === undefined
    ? null
    : { customerConfigId, permissions: may === "connect" ? (["connect"] as const) : [] };
}

export async function startLeaving(options: TestChannelOptions = {}): Promise<TestChannel> {
  const channel = await startChannel({
    reply: () => null,
    ...options,
    plugin: { authenticate, ...options.plugin },
    meta: { numbers: [NUMBER, SECOND_NUMBER], ...options.meta },
  });
  await channel.rows("insert into customer_configs (id) values (?) on conflict do nothing", [OTHER_TENANT]);
  return channel;
}

export function connectNumber(channel: TestChannel, number: typeof NUMBER = NUMBER, tenant = TENANT) {
  const { phoneNumberId, wabaId } = number;
  return channel.plugin.connect({
    customerConfigId: tenant,
    accessToken: "EAAtestAccessToken",
    phoneNumberId,
    wabaId,
  });
}

export async function disconnect(
  channel: TestChannel,
  body?: unknown,
  headers: Readonly<Record<string, string>> = { "x-tenant": TENANT },
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const answer = await fetch(`${channel.url}/disconnect`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> };
}

/** State of each number, oldest first. */
export async function states(channel: TestChannel): Promise<readonly string[]> {
  const rows = await channel.rows<{ state: string }>("select state from whatsapp_connections order by created_at, id");
  return rows.map(({ state }) => state);
}

export async function tokens(channel: TestChannel): Promise<number> {
  return (await channel.rows("select 1 from whatsapp_oauth_tokens")).length;
}

export async function configOf(channel: TestChannel, tenant = TENANT): Promise<Record<string, unknown>> {
  const [row] = await channel.rows("select * from customer_configs where id = ?", [tenant]);
  return row as Record<string, unknown>;
}

export function heard(channel: TestChannel) {
  return channel.events.flatMap((event) =>
    event.kind === "connection" && event.connection.state !== "connected" ? [event.connection] : [],
  );
}
