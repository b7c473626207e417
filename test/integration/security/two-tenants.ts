/** Two tenants side by side with one of everything each, on a database that either trusts us wholly or holds us to its row level security. */
import { randomUUID } from "node:crypto";
import type { HostEvent, Permission } from "@omniops/whatsapp";
import knexFactory from "knex";
import pg from "pg";
import { inject } from "vitest";
import { APP_SECRET, NUMBER, startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { APP_ID, APP_URL, CALLBACK, CONFIG_ID } from "../../support/connecting.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

export const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
export const NUMBERS = {
  [TENANT]: NUMBER,
  [OTHER_TENANT]: {
    phoneNumberId: "301777000333999",
    wabaId: "201555000111999",
    displayPhoneNumber: "15557770199",
    verifiedName: "Other Shop",
  },
};
/** Two numbers that somebody of the first tenant has to choose from. */
export const TO_CHOOSE = ["301777000333101", "301777000333102"].map((phoneNumberId, n) => ({
  phoneNumberId,
  wabaId: "201555000111101",
  displayPhoneNumber: `1555777012${n}`,
  verifiedName: `To be chosen ${n}`,
  isRegistered: false,
  isSubscribed: false,
}));

export const MODES = ["the tables' owner, without row level security", "a role of its own, under row level security"];
export type Mode = (typeof MODES)[number];

/** What somebody of a tenant could know of it. */
export type Owned = {
  readonly tenant: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly conversationId: string;
  readonly sendId: string;
  readonly deadLetterId: string;
  readonly mediaId: string;
  readonly webhookId: string;
  /** As `/messages` names them. */
  readonly receivedId: string;
  readonly sentId: string;
  readonly templateId: string;
  readonly wamid: string;
  readonly token: string;
};

export type Call = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
};
export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type TwoTenants = {
  readonly channel: TestChannel;
  readonly database: TestDatabase;
  readonly owned: Readonly<Record<string, Owned>>;
  /** The state of a sign-in that somebody of the first tenant has begun. */
  readonly state: string;
  /** Each call to Meta's messages: of which number, with which token, saying what. */
  readonly tokensSeen: (readonly [phoneNumberId: string, token: string, body: string])[];
  as(tenant: string, call: Call, permissions?: readonly Permission[]): Promise<Answer>;
  /** Everything that is stored of a tenant. */
  snapshot(tenant: string): Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** Ids, names, numbers and texts of a tenant that nobody else may read anywhere. */
  secretsOf(tenant: string): Promise<readonly string[]>;
  /** A role that may use all tables and has no policy. */
  readonly stranger: string;
  stop(): Promise<void>;
};

export async function startTwoTenants(mode: Mode): Promise<TwoTenants> {
  const owner = await createTestDatabase();
  const { database, stranger } =
    mode === MODES[0] ? { database: await withoutRowSecurity(owner), stranger: "" } : await underRowSecurity(owner);
  const tokensSeen: TwoTenants["tokensSeen"] = [];
  const channel = await startChannel({
    database,
    connect: false,
    poolMax: 50,
    reply(turn) {
      if (turn.messages.some(({ text }) => text?.startsWith("poison"))) throw new Error("the AI cannot answer this");
      return null;
    },
    config: { metaAppId: APP_ID, metaConfigId: CONFIG_ID, appUrl: APP_URL },
    meta: {
      numbers: [...Object.values(NUMBERS), ...TO_CHOOSE],
      login: { redirectUris: [CALLBACK], configId: CONFIG_ID },
    },
    plugin: {
      retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 },
      // Nothing may change by itself while it is looked at.
      upkeepMs: 3_600_000,
      onEvent: (_event: HostEvent) => undefined,
      authenticate: ({ headers }: { headers: Record<string, string | undefined> }) => ({
        customerConfigId: headers["x-tenant"] ?? "",
        userId: "somebody",
        sessionId: `session of ${headers["x-tenant"]}`,
        permissions: (headers["x-permissions"]?.split(",") ?? []) as Permission[],
      }),
      fetch(input, init) {
        const number = /\/(\d+)\/messages(?:\?|$)/.exec(String(input))?.[1];
        const bearer = new Headers(init?.headers).get("authorization");
        if (number !== undefined) tokensSeen.push([number, bearer?.replace("Bearer ", "") ?? "", String(init?.body)]);
        return globalThis.fetch(input, init);
      },
    },
  });
  const { plugin, meta, rows } = channel;
  await owner.knex.raw("insert into customer_configs (id) values (?) on conflict do nothing", [OTHER_TENANT]);

  const as: TwoTenants["as"] = async (tenant, { method, path, body, form }, permissions = ["connect", "operate"]) => {
    const answer = await fetch(`${channel.url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(form === undefined ? { "content-type": "application/json" } : {}),
        "x-tenant": tenant,
        "x-permissions": permissions.join(),
      },
      body: form === undefined ? (body === undefined ? null : JSON.stringify(body)) : formOf(form),
    });
    return { status: answer.status, text: await answer.text(), headers: Object.fromEntries(answer.headers) };
  };

  const owned: Record<string, Owned> = {};
  // The same person writes to both.
  const ada = meta.person({ name: "Ada", phoneNumber: "447700900123" });
  for (const [tenant, { phoneNumberId, wabaId }] of Object.entries(NUMBERS)) {
    const token = meta.issueToken({ wabaIds: [wabaId] });
    await plugin.connect({ customerConfigId: tenant, accessToken: token, phoneNumberId, wabaId });
    await plugin.templates.sync({ customerConfigId: tenant });
    const wamid = ada.says(`secret of ${tenant}`, { to: phoneNumberId });
    ada.says(`poison for ${tenant}`, { to: phoneNumberId });
    const [letter] = await until(async () => {
      const { letters } = await plugin.deadLetters.list({ customerConfigId: tenant });
      return letters.length > 0 && letters;
    }, "the dead letter");
    const conversationId = letter?.conversationId ?? "";
    const { sendId } = await plugin.send({ conversationId, response: `answer of ${tenant}` });
    const uploaded = await as(tenant, { method: "POST", path: "/media/upload", form: { file: `file of ${tenant}` } });
    owned[tenant] = {
      mediaId: JSON.parse(uploaded.text).id,
      tenant,
      phoneNumberId,
      wabaId,
      conversationId,
      sendId,
      deadLetterId: letter?.id ?? "",
      templateId:
        (
          await rows<{ id: string }>("select id from whatsapp_templates where waba_id = ? order by name limit 1", [
            wabaId,
          ])
        )[0]?.id ?? "",
      webhookId:
        (await rows<{ id: string }>("select webhook_id as id from whatsapp_events where external_id = ?", [wamid]))[0]
          ?.id ?? "",
      receivedId: `in:${(await rows<{ id: string }>("select id from whatsapp_events where external_id = ? and kind = 'message'", [wamid]))[0]?.id}`,
      sentId: `out:${(await rows<{ id: string }>("select id from whatsapp_outbox where send_id = ?", [sendId]))[0]?.id}`,
      wamid,
      token,
    };
  }
  const dialog = new URL((await as(TENANT, { method: "GET", path: "/oauth/authorize" })).headers.location ?? "");
  const back = meta.login.decide(dialog, { grant: [TO_CHOOSE[0]?.wabaId ?? ""] });
  await as(TENANT, { method: "GET", path: `/oauth/callback${back.search}` });
  const begun = new URL((await as(TENANT, { method: "GET", path: "/oauth/authorize" })).headers.location ?? "");
  await meta.idle();
  await until(async () => {
    const [row] = await rows<{ busy: string }>(
      `select (select count(*) from whatsapp_lanes where pending <> 0 or lease_token is not null)
         + (select count(*) from whatsapp_outbox where state <> 'read') as busy`,
    );
    return row?.busy === "0";
  }, "everything to be settled");

  const ownerRows = async (sql: string, bindings: readonly unknown[] = []) =>
    (await owner.knex.raw(sql, bindings as never)).rows as Record<string, unknown>[];
  const tables = await ownerRows(
    "select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'customer_config_id' order by 1",
  );
  const snapshot = async (tenant: string) => {
    const found: Record<string, readonly unknown[]> = {};
    for (const { name } of tables)
      found[String(name)] = await ownerRows(
        `select to_jsonb(t) as row from "${name}" t where customer_config_id = ? order by to_jsonb(t)::text`,
        [tenant],
      );
    found.messages = await ownerRows(
      "select to_jsonb(m) as row from messages m join conversations c on c.id = m.conversation_id where customer_config_id = ? order by m.id::text",
      [tenant],
    );
    found.lanes = await ownerRows(
      `select to_jsonb(l) as row from whatsapp_lanes l join whatsapp_contacts c on l.lane_key like '%contact:' || c.id
       where c.customer_config_id = ? order by lane_key`,
      [tenant],
    );
    return found;
  };

  return {
    channel,
    database: owner,
    owned,
    state: begun.searchParams.get("state") ?? "",
    tokensSeen,
    stranger,
    as,
    snapshot,
    async secretsOf(tenant) {
      const all = JSON.stringify(await snapshot(tenant));
      const ids = all.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|wamid\.[\w=+/-]+/g) ?? [];
      const { phoneNumberId, wabaId, displayPhoneNumber, verifiedName } = NUMBERS[tenant as keyof typeof NUMBERS];
      const names = [
        phoneNumberId,
        wabaId,
        displayPhoneNumber,
        verifiedName,
        ...["secret of", "poison for", "answer of", "file of"].map((text) => `${text} ${tenant}`),
      ];
      const chosen =
        tenant === TENANT ? TO_CHOOSE.flatMap((one) => [one.phoneNumberId, one.verifiedName, one.wabaId]) : [];
      return [...new Set([...ids, ...names, ...chosen, tenant])];
    },
    async stop() {
      await channel.stop();
      await database.drop();
    },
  };
}

/** What is called `file` is one. */
function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.append(name, name === "file" ? new File([value], `${value}.txt`) : value);
  return form;
}

async function withoutRowSecurity(owner: TestDatabase): Promise<TestDatabase> {
  for (const table of await ourTables(owner)) await owner.knex.raw(`alter table "${table}" disable row level security`);
  return owner;
}

/** As decision 0002 has it: one role migrates, another runs, and has a policy on every table of ours. */
async function underRowSecurity(owner: TestDatabase): Promise<{ database: TestDatabase; stranger: string }> {
  const role = `wa_runs_${randomUUID().slice(0, 8)}`;
  const stranger = `${role}_stranger`;
  for (const name of [role, stranger]) {
    await owner.knex.raw(`create role ${name} login nosuperuser nobypassrls password '${APP_SECRET}'`);
    await owner.knex.raw(`grant select, insert, update, delete on all tables in schema public to ${name}`);
    await owner.knex.raw(`grant usage on all sequences in schema public to ${name}`);
  }
  // Those of the host's that the migrations have made are secured as ours are.
  for (const table of [...(await ourTables(owner)), "customer_configs", "conversations", "messages"])
    await owner.knex.raw(`create policy runs on "${table}" for all to ${role} using (true) with check (true)`);
  const url = new URL(owner.url);
  url.username = role;
  url.password = APP_SECRET;
  const knex = knexFactory({ client: "pg", connection: url.toString(), pool: { min: 0, max: 10 } });
  const database: TestDatabase = {
    ...owner,
    url: url.toString(),
    knex,
    async drop() {
      await knex.destroy();
      await owner.drop();
      const client = new pg.Client({ connectionString: inject("postgres").url });
      await client.connect();
      await client.query(`drop role ${role}; drop role ${stranger}`).finally(() => client.end());
    },
  };
  return { database, stranger };
}

export async function ourTables(database: Pick<TestDatabase, "knex">): Promise<readonly string[]> {
  const { rows } = await database.knex.raw(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename like 'whatsapp\\_%'",
  );
  return rows.map(({ name }: { name: string }) => name);
}
