/** What came and what went, as its tenant sees it: webhooks with replay, messages with their life, and what has changed since. */
import { type Permission, replayUnknown } from "@omniops/whatsapp";
import { beforeAll, describe, expect, it } from "vitest";
import { createStore } from "../../adapters/postgres/store.ts";
import { advance, isPending } from "../../plugin/pipeline/part-state.ts";
import { parseWebhook } from "../../plugin/webhook/parse-webhook.ts";
import { allQuiet, NUMBER, startChannel, TENANT, type TestChannel, until } from "../support/channel.ts";
import { bytesOf, post } from "./receiving/deliveries.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const OTHER_NUMBER = {
  phoneNumberId: "301777000333999",
  wabaId: "201555000111999",
  displayPhoneNumber: "15557770199",
  verifiedName: "Other Shop",
};
const ADA = "447700900123";

const MOVING = { ...OTHER_NUMBER, phoneNumberId: "301777000333111", wabaId: "201555000111111" };
const TAKEN_OVER = { ...OTHER_NUMBER, phoneNumberId: "301777000333222", wabaId: "201555000111333" };
const SECOND = { ...OTHER_NUMBER, phoneNumberId: "301777000333777", wabaId: "201555000111777" };
const PLACE = {
  type: "location",
  text: undefined,
  location: { latitude: 51.5, longitude: -0.08, name: "The Tower" },
};

type Webhook = { id: string; type: string; state: string; error: string | null; receivedAt: string; events: number };
type Message = {
  id: string;
  direction: string;
  text: string | null;
  state: string;
  at: string;
  conversationId: string;
  times: Record<string, string | null>;
  error: Record<string, unknown> | null;
  attempts: { outcome: string; metaCode: number | null }[];
};
type Page<Name extends string, Item> = Record<Name, Item[]> & { next: string | null };

let channel: TestChannel;

beforeAll(async () => {
  channel = await startChannel({
    meta: { numbers: [NUMBER, OTHER_NUMBER, MOVING, TAKEN_OVER, SECOND] },
    reply: ({ messages }) => `You said: ${messages.map(({ text }) => text).join(" / ")}`,
    plugin: {
      retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 },
      authenticate: ({ headers }: { headers: Record<string, string | undefined> }) => ({
        customerConfigId: headers["x-tenant"] ?? "",
        userId: "ada",
        permissions: ["operate", "connect"] as Permission[],
      }),
    },
  });
  const { plugin, meta, rows } = channel;
  await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
  await plugin.connect({
    customerConfigId: OTHER_TENANT,
    accessToken: meta.issueToken({ wabaIds: [OTHER_NUMBER.wabaId] }),
    phoneNumberId: OTHER_NUMBER.phoneNumberId,
    wabaId: OTHER_NUMBER.wabaId,
  });
  const ada = meta.person({ name: "Ada", phoneNumber: ADA });
  for (let n = 1; n <= 3; n++) {
    ada.says(`hello ${n}`, { to: NUMBER.phoneNumberId });
    await meta.waitFor(() => meta.accepted.length === n);
    await settled();
  }
  ada.says("to somebody else", { to: OTHER_NUMBER.phoneNumberId });
  await meta.waitFor(() => meta.accepted.length === 4);
  await settled();
});

async function settled(): Promise<void> {
  await allQuiet(channel);
}

type Ask = { readonly tenant?: string; readonly method?: string; readonly body?: object };

async function ask<T>(
  path: string,
  { tenant = TENANT, method = "GET", body }: Ask = {},
): Promise<T & { status: number }> {
  const answer = await fetch(`${channel.url}${path}`, {
    method,
    headers: { "x-tenant": tenant, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { ...((await answer.json()) as T), status: answer.status };
}

const webhooks = (query = "", tenant = TENANT) => ask<Page<"webhooks", Webhook>>(`/webhooks?${query}`, { tenant });
const messages = (query = "", tenant = TENANT) => ask<Page<"messages", Message>>(`/messages?${query}`, { tenant });

/** Every page, and whether each was as long as it was allowed to be. */
async function all<Name extends string, Item>(
  name: Name,
  look: (query: string) => Promise<Page<Name, Item>>,
  query: string,
): Promise<Item[]> {
  const found: Item[] = [];
  for (let before = ""; ; ) {
    const page = await look(`${query}${before}`);
    found.push(...page[name]);
    if (page.next === null) return found;
    before = `&before=${encodeURIComponent(page.next)}`;
  }
}

describe("the webhooks of a tenant", () => {
  it("are listed newest first, page by page, and only theirs", async () => {
    const { webhooks: listed, next } = await webhooks();
    const paged = await all("webhooks", webhooks, "limit=2");

    expect(next).toBeNull();
    expect(paged).toEqual(listed);
    expect(listed.map(({ id }) => Number(id))).toEqual(listed.map(({ id }) => Number(id)).sort((a, b) => b - a));
    const count = await channel.rows<{ count: number }>("select count(*)::int as count from whatsapp_webhooks");
    const others = await webhooks("", OTHER_TENANT);
    expect(others.webhooks.length).toBeGreaterThan(0);
    expect(listed.length + others.webhooks.length).toBe(count[0]?.count);
    expect(listed.map(({ state, error }) => [state, error])).toEqual(listed.map(() => ["processed", null]));
  });

  it("are found by type, time, and what their events say", async () => {
    const { webhooks: written } = await webhooks("type=message");
    expect(written).toHaveLength(3);
    const [third, second, first] = written;
    expect((await webhooks("q=HELLO%202&type=message")).webhooks).toEqual([second]);
    expect((await webhooks("q=somebody")).webhooks).toEqual([]);
    expect((await webhooks(`q=${first?.id}`)).webhooks).toContainEqual(first);
    const between = `since=${encodeURIComponent(second?.receivedAt ?? "")}&until=${encodeURIComponent(third?.receivedAt ?? "")}`;
    expect((await webhooks(`type=message&${between}`)).webhooks).toEqual([second]);
    expect((await webhooks("until=2001-01-01T00:00:00Z")).webhooks).toEqual([]);
    expect((await webhooks("since=2100-01-01T00:00:00Z")).webhooks).toEqual([]);
    expect(await webhooks("limit=201")).toMatchObject({ status: 400 });
    expect(await webhooks("before=x")).toMatchObject({ status: 400, error: { code: "REQUEST_INVALID" } });
  });

  it("show their exact bytes and events, one by one", async () => {
    const [newest] = (await webhooks("type=message")).webhooks;
    const one = await ask<Record<string, unknown>>(`/webhooks/${newest?.id}`);

    const [stored] = await channel.rows<{ body: string }>(
      "select convert_from(body, 'UTF8') as body from whatsapp_webhooks where id = ?",
      [newest?.id ?? ""],
    );
    expect(one).toMatchObject({ ...newest, events: expect.anything(), shared: false, body: stored?.body });
    expect(one.payload).toEqual(JSON.parse(stored?.body ?? ""));
    expect(one.events).toEqual([
      {
        id: expect.stringMatching(/^\d+$/),
        kind: "message",
        state: "applied",
        error: null,
        occurredAt: expect.stringMatching(/Z$/),
        attempts: null,
        phoneNumberId: NUMBER.phoneNumberId,
      },
    ]);
    for (const id of [newest?.id, "0", "x", "99999999999999999999"])
      expect(await ask(`/webhooks/${id}`, { tenant: id === newest?.id ? OTHER_TENANT : TENANT })).toMatchObject({
        status: 404,
        error: { code: "WEBHOOK_UNKNOWN" },
      });
  });

  it("show of a delivery with others' changes only their own, also where the others' were stored before", async () => {
    const change = ({ phoneNumberId }: typeof NUMBER, id: string, body: string) => ({
      field: "messages",
      value: { metadata: { phone_number_id: phoneNumberId }, messages: [{ ...said(id), text: { body } }] },
    });
    const theirs = change(OTHER_NUMBER, "wamid.shared.theirs", "secret of the others");
    const entry = (...changes: object[]) => ({ entry: [{ id: NUMBER.wabaId, changes }] });
    await post(channel, bytesOf(entry(theirs, change(NUMBER, "wamid.shared.1", "mine, first"))));
    await settled();
    await post(channel, bytesOf(entry(change(NUMBER, "wamid.shared.2", "mine, second"), theirs)));
    await settled();

    for (const text of ["mine, first", "mine, second"]) {
      const [found] = (await webhooks(`q=${encodeURIComponent(text)}&type=message`)).webhooks;
      const one = await ask<Record<string, unknown>>(`/webhooks/${found?.id}`);
      expect(one).toMatchObject({ shared: true, body: null });
      expect(one.events).toHaveLength(1);
      expect(JSON.stringify(one)).toContain(text);
      expect(JSON.stringify(one)).not.toMatch(/secret of the others|wamid.shared.theirs|301777000333999/);
    }
    const [one] = (await webhooks("q=secret%20of%20the&type=message", OTHER_TENANT)).webhooks;
    const shown = JSON.stringify(await ask(`/webhooks/${one?.id}`, { tenant: OTHER_TENANT }));
    expect(shown).toContain("secret of the others");
    expect(shown).not.toMatch(/mine, first|wamid.shared.1/);
    // Whoever looks for what only the others have said finds nothing by it.
    expect((await webhooks("q=secret%20of")).webhooks).toEqual([]);
  });

  it("show nothing that came to their number while it was somebody else's and is brought again with something new", async () => {
    const { phoneNumberId, wabaId } = TAKEN_OVER;
    const connect = (customerConfigId: string) =>
      channel.plugin.connect({
        customerConfigId,
        accessToken: channel.meta.issueToken({ wabaIds: [wabaId] }),
        phoneNumberId,
        wabaId,
      });
    const change = (...texts: string[]) => ({
      field: "messages",
      value: {
        metadata: { phone_number_id: phoneNumberId },
        messages: texts.map((body) => ({ ...said(`wamid.taken.${body}`), text: { body } })),
      },
    });
    const entry = (...changes: object[]) => ({ entry: [{ id: wabaId, changes }] });
    await connect(TENANT);
    await post(channel, bytesOf(entry(change("told the first"))));
    await settled();
    await ask("/disconnect", { method: "POST", body: { phone_number_id: phoneNumberId } });
    await connect(OTHER_TENANT);
    await post(channel, bytesOf(entry(change("told the first"), change("for the next one"))));
    await post(channel, bytesOf(entry(change("told the first", "in one with it"))));
    await settled();

    const shown = async (text: string, tenant: string) => {
      const { webhooks: found } = await webhooks(`q=${encodeURIComponent(text)}`, tenant);
      return Promise.all(found.map(({ id }) => ask<Record<string, unknown>>(`/webhooks/${id}`, { tenant })));
    };
    for (const text of ["for the next one", "in one with it"]) {
      const [one] = await shown(text, OTHER_TENANT);
      expect(one).toMatchObject({ shared: true, body: null });
      expect(one?.events).toHaveLength(1);
      expect(JSON.stringify(one)).not.toContain("told the first");
    }
    expect(JSON.stringify(await shown("for the next one", OTHER_TENANT))).toContain("for the next one");
    expect(await shown("told the first", TENANT)).toMatchObject([{ shared: false }]);
  });
});

describe("a webhook that is worked again", () => {
  it("applies what failed, once, and leaves what was applied", async () => {
    await channel.rows(
      `create function refuse() returns trigger language plpgsql as $$ begin if new.content = 'poison' then raise 'no' using errcode = '23514'; end if; return new; end $$`,
    );
    await channel.rows("create trigger refuse before insert on messages for each row execute function refuse()");
    const list = ["fine", "poison"].map((body, n) => ({
      ...said(`wamid.replay.${n}`, `44770090050${n}`),
      text: { body },
    }));
    await post(channel, bytesOf(delivery(list)));
    const failed = await until(async () => (await webhooks("state=failed")).webhooks[0], "the dead letter");
    expect(failed).toMatchObject({ state: "failed", error: expect.stringContaining("23514"), events: 2 });
    await channel.rows("drop trigger refuse on messages");

    const first = await ask(`/webhooks/${failed.id}/replay`, { method: "POST" });
    await settled();
    const second = await ask(`/webhooks/${failed.id}/replay`, { method: "POST" });
    await settled();

    const none = { redriven: 0, understood: 0, unknown: 0, applied: 0, waiting: 0 };
    expect(first).toEqual({ status: 202, events: { ...none, redriven: 1, applied: 1 } });
    expect(second).toEqual({ status: 202, events: { ...none, applied: 2 } });
    expect((await ask<Webhook>(`/webhooks/${failed.id}`)).state).toBe("processed");
    expect(await inboxRows("wamid.replay.%")).toEqual(["fine", "poison"]);
    expect(channel.logs).toContainEqual(
      expect.objectContaining({
        level: "info",
        message: "a webhook was worked again",
        fields: expect.objectContaining({ by: "ada", redriven: 1 }),
      }),
    );
  });

  it("reads again what an earlier version did not know, for this tenant and this delivery only", async () => {
    const place = (id: string) => ({ ...said(id), ...PLACE });
    await receivedByAnOlderVersion([
      place("wamid.place.1"),
      { ...said("wamid.holo"), type: "hologram", text: undefined },
    ]);
    await receivedByAnOlderVersion([place("wamid.place.2")]);
    await settled();
    const [newer, older] = (await webhooks("q=wamid.place")).webhooks;
    const states = async (id?: string) =>
      (await ask<{ events: { state: string }[] }>(`/webhooks/${id}`)).events.map(({ state }) => state).sort();
    expect(await states(older?.id)).toEqual(["unknown", "unknown"]);

    const answer = await ask<{ events: object }>(`/webhooks/${older?.id}/replay`, { method: "POST" });
    await settled();

    expect(answer.events).toEqual({ redriven: 0, understood: 1, unknown: 1, applied: 0, waiting: 0 });
    expect(await states(older?.id)).toEqual(["applied", "unknown"]);
    expect(await states(newer?.id)).toEqual(["unknown"]);
    expect(await inboxRows("wamid.place.1")).toEqual([expect.stringContaining("The Tower")]);
  });

  it("stays with whom it came to, though the number is somebody else's by now", async () => {
    const { phoneNumberId, wabaId } = MOVING;
    const connect = (customerConfigId: string) =>
      channel.plugin.connect({
        customerConfigId,
        accessToken: channel.meta.issueToken({ wabaIds: [wabaId] }),
        phoneNumberId,
        wabaId,
      });
    await connect(TENANT);
    await receivedByAnOlderVersion([{ ...said("wamid.moved"), ...PLACE }], MOVING);
    await settled();
    await ask("/disconnect", { method: "POST", body: { phone_number_id: phoneNumberId } });
    const [mine] = (await webhooks("q=wamid.moved")).webhooks;
    const replay = () => ask<{ events: object }>(`/webhooks/${mine?.id}/replay`, { method: "POST" });

    const whileNobodys = await replay();
    await connect(OTHER_TENANT);
    const whileAnothers = await replay();
    await replayUnknown(channel.database.knex);
    await settled();

    for (const { events } of [whileNobodys, whileAnothers]) expect(events).toMatchObject({ understood: 0, unknown: 1 });
    expect((await webhooks("q=wamid.moved", OTHER_TENANT)).webhooks).toEqual([]);
    expect(await inboxRows("wamid.moved")).toHaveLength(1);
  });
});

describe("the messages of a tenant", () => {
  it("are one list of both ways, newest first, page by page, each with its life", async () => {
    const { messages: listed, next } = await messages("limit=200");
    expect(next).toBeNull();
    for (const limit of [1, 3]) expect(await all("messages", messages, `limit=${limit}`)).toEqual(listed);
    expect(listed.map(({ at }) => at)).toEqual(
      listed
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    const said = listed.filter(({ text }) => text?.includes("hello 2"));
    expect(said).toMatchObject([
      {
        direction: "out",
        text: "You said: hello 2",
        state: "read",
        attempts: [{ outcome: "accepted", metaCode: null }],
      },
      { direction: "in", text: "hello 2", state: "received", contact: { name: "Ada", phoneNumber: ADA }, error: null },
    ]);
    const times = said[0]?.times ?? {};
    for (const step of ["queued", "accepted", "sent", "delivered", "read"])
      expect([step, times[step]]).toEqual([step, expect.stringMatching(/Z$/)]);
    expect(times.failed).toBeNull();
    expect(JSON.stringify(listed)).not.toContain("to somebody else");
  });

  it("are found by direction, state, conversation and words", async () => {
    const [mine] = (await messages("q=HELLO%201&direction=in")).messages;
    expect(mine).toMatchObject({ text: "hello 1", direction: "in" });
    const own = (await messages(`conversation_id=${mine?.conversationId}&limit=200`)).messages;
    expect(own.map(({ conversationId }) => conversationId)).toEqual(own.map(() => mine?.conversationId));
    expect(own.length).toBeGreaterThan(5);
    expect((await messages(`conversation_id=${mine?.conversationId}`, OTHER_TENANT)).messages).toEqual([]);
    expect((await messages("q=Ada&direction=out&state=read")).messages.map(({ text }) => text)).toContain(
      "You said: hello 3",
    );
    expect((await messages("state=unknown")).messages).toEqual([]);
  });

  it("are found by the number that they came to or left by, which is one of the tenant's", async () => {
    const { phoneNumberId, wabaId } = SECOND;
    const accessToken = channel.meta.issueToken({ wabaIds: [wabaId] });
    await channel.plugin.connect({ customerConfigId: TENANT, accessToken, phoneNumberId, wabaId });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("to the second number", { to: phoneNumberId });
    const ofNumber = (id: string, more = "") => all("messages", messages, `phone_number_id=${id}&limit=2${more}`);
    await until(async () => (await ofNumber(phoneNumberId)).length === 2, "the answer");
    await settled();

    expect((await ofNumber(phoneNumberId)).map(({ text }) => text)).toEqual([
      "You said: to the second number",
      "to the second number",
    ]);
    expect((await ofNumber(phoneNumberId, "&direction=in")).map(({ text }) => text)).toEqual(["to the second number"]);
    const ofFirst = (await ofNumber(NUMBER.phoneNumberId)).map(({ text }) => text);
    expect(ofFirst).toEqual(expect.arrayContaining(["hello 1", "You said: hello 1", "hello 3", "You said: hello 3"]));
    expect(ofFirst.join()).not.toContain("to the second number");
    for (const [number, tenant] of [
      [OTHER_NUMBER, TENANT],
      [SECOND, OTHER_TENANT],
    ] as const)
      expect(await messages(`phone_number_id=${number.phoneNumberId}`, tenant)).toMatchObject({
        status: 200,
        messages: [],
      });
  });

  it("say of what failed what Meta said, what it means, and what to do", async () => {
    const [mine] = (await messages("q=hello%201&direction=in")).messages;
    channel.meta.faults.next({ do: { error: { code: 131026 } } });
    await channel.plugin.send({ conversationId: mine?.conversationId ?? "", response: "will not arrive" });

    const failed = await until(async () => (await messages("state=failed&q=WILL%20not")).messages[0], "the failure");
    await settled();

    expect(failed).toMatchObject({
      text: "will not arrive",
      state: "failed",
      times: { failed: expect.stringMatching(/Z$/), delivered: null },
      attempts: [{ outcome: "rejected", metaCode: 131026 }],
      error: {
        code: "131026",
        words: expect.stringContaining("The person cannot be reached on WhatsApp."),
        fix: expect.any(String),
      },
    });
  });
});

describe("whoever asks what has changed", () => {
  it("is told which lists to read again, and nothing once they have", async () => {
    const first = await ask<{ cursor: string }>("/changes");
    expect(first).toMatchObject({ messages: true, webhooks: true, deadLetters: true, templates: true, numbers: true });
    const look = (cursor: string) => ask<{ cursor: string }>(`/changes?since=${cursor}`);
    expect(await look(first.cursor)).toEqual({
      ...first,
      messages: false,
      webhooks: false,
      deadLetters: false,
      templates: false,
      numbers: false,
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("news", { to: NUMBER.phoneNumberId });
    const told = await until(async () => {
      const answer = await look(first.cursor);
      return "messages" in answer && answer.messages === true && answer;
    }, "news");
    expect(told).toMatchObject({
      messages: true,
      webhooks: true,
      deadLetters: false,
      templates: false,
      numbers: false,
    });
    await settled();
    await channel.rows("update whatsapp_connections set quality_rating = 'YELLOW' where phone_number_id = ?", [
      NUMBER.phoneNumberId,
    ]);
    expect(await look(first.cursor)).toMatchObject({ numbers: true, templates: false });
    // A page that was open while the plugin was upgraded.
    expect(await look(first.cursor.split(".").slice(0, 4).join("."))).toMatchObject({
      numbers: true,
      templates: false,
    });
    expect(await ask("/changes?since=nonsense")).toMatchObject({ status: 400, error: { code: "REQUEST_INVALID" } });
  });
});

function said(id: string, from = ADA) {
  return {
    from,
    id,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: "text",
    text: { body: id } as object | undefined,
  };
}

function delivery(list: readonly object[], number = NUMBER) {
  const value = {
    messaging_product: "whatsapp",
    metadata: { phone_number_id: number.phoneNumberId, display_phone_number: number.displayPhoneNumber },
    messages: list,
  };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: number.wabaId, changes: [{ field: "messages", value }] }],
  };
}

/** The same bytes as today, read by a version that has never heard of places. */
async function receivedByAnOlderVersion(
  list: readonly { readonly type: string; readonly text?: object | undefined }[],
  number = NUMBER,
): Promise<void> {
  const asThen = list.map((one) => (one.type === "location" ? { ...one, type: "place_of_tomorrow" } : one));
  const { inbox } = createStore(channel.database.knex, {
    schema: "public",
    hostSchema: "public",
    leaseMs: 2_000,
    coalesceMs: 0,
    hasListener: false,
    advance,
    isPending,
  });
  await inbox.record([
    {
      body: Buffer.from(JSON.stringify(delivery(list, number))),
      secretIndex: 0,
      webhookType: "message",
      payload: "verbatim",
      error: null,
      events: parseWebhook(delivery(asThen, number)),
    },
  ]);
}

async function inboxRows(wamid: string): Promise<string[]> {
  const rows = await channel.rows<{ content: string }>(
    "select content from messages where external_id like ? order by external_id",
    [wamid],
  );
  return rows.map(({ content }) => content);
}
