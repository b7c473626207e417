/** What this version does not know today: stored, shown, counted, and read again after an upgrade. */
import { replayUnknown } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { createStore } from "../../adapters/postgres/store.ts";
import { advance, isPending } from "../../plugin/pipeline/part-state.ts";
import { parseWebhook } from "../../plugin/webhook/parse-webhook.ts";
import { allQuiet, NUMBER, quiet, type TestChannel } from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";

describe("a message of a kind that was unknown when it came", () => {
  it("stands in the inbox, and becomes what it is after an upgrade: one row, answered once", async () => {
    const channel = await channelFor({ reply: ({ messages }) => `${messages.length}: ${messages[0]?.type}` });
    await receivedByAnOlderVersion(channel, [place("wamid.place", new Date())]);
    await until(channel, "the stand-in", (rows) => rows.length === 1);
    expect(await inbox(channel)).toEqual([{ external_id: "wamid.place", type: "unsupported" }]);
    expect(channel.meta.accepted).toEqual([]);

    expect(await replayUnknown(channel.database.knex)).toEqual({ understood: 1, failed: [], unknown: [] });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    expect(await replayUnknown(channel.database.knex)).toEqual({ understood: 0, failed: [], unknown: [] });
    await allQuiet(channel);

    const rows = await channel.rows("select role, content, external_id from messages order by created_at");
    expect(rows[0]).toEqual({ role: "user", content: expect.stringContaining("Tower"), external_id: "wamid.place" });
    expect(rows).toHaveLength(2);
    expect(channel.meta.accepted.map(({ text }) => text)).toEqual(["1: location"]);
    expect(
      await channel.rows("select processed, pending, error from whatsapp_webhooks where webhook_type = 'message'"),
    ).toEqual([{ processed: true, pending: 0, error: null }]);
  });

  it("is shown but not answered when it is older than the window by then", async () => {
    const channel = await channelFor();
    await receivedByAnOlderVersion(channel, [place("wamid.place", new Date(Date.now() - 2 * 86_400_000))]);
    await until(channel, "the stand-in", (rows) => rows.length === 1);

    await replayUnknown(channel.database.knex);
    await until(channel, "the place", ([row]) => row?.type === "location");
    await quiet(channel);

    expect(channel.meta.accepted).toEqual([]);
    expect(await channel.rows("select * from whatsapp_turns")).toEqual([]);
  });

  it("leaves alone what stood beside it and was understood, and counts what is still unknown", async () => {
    const channel = await channelFor();
    const hologram = { ...message("wamid.new", new Date()), type: "hologram", hologram: {} };
    await receivedByAnOlderVersion(channel, [
      { ...message("wamid.text", new Date()), type: "text", text: { body: "hi" } },
      place("wamid.place", new Date()),
      hologram,
    ]);
    await until(channel, "three rows", (rows) => rows.length === 3);
    await quiet(channel);

    const { understood, unknown } = await replayUnknown(channel.database.knex);
    await until(channel, "the place", (rows) => rows.some(({ type }) => type === "location"));
    await quiet(channel);

    expect({ understood, unknown }).toEqual({
      understood: 1,
      unknown: [{ type: "message:hologram", count: 1, last: expect.any(Date) }],
    });
    expect((await inbox(channel)).map(({ external_id }) => external_id).sort()).toEqual([
      "wamid.new",
      "wamid.place",
      "wamid.text",
    ]);
    expect(channel.meta.accepted.map(({ text }) => text)[0]).toBe("You said: hi");
  });
});

describe("a message that was unknown when it came, and that its sender has changed since", () => {
  const changed = async (change: (wamid: string) => Record<string, unknown>, until: string) => {
    const asked: string[] = [];
    const channel = await channelFor({
      reply: ({ messages }) => {
        asked.push(...messages.map(({ externalId }) => externalId));
        return null;
      },
    });
    const shown = () =>
      channel.rows<{ content: string; metadata: Record<string, unknown> }>(
        "select content, channel_metadata as metadata from messages",
      );
    await receivedByAnOlderVersion(channel, [place("wamid.place", new Date())]);
    await channel.until(async () => (await shown())[0], "the stand-in");
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).sends(change("wamid.place"));
    await channel.until(async () => (await shown()).some(({ content }) => content === until), "the change");

    expect(await replayUnknown(channel.database.knex)).toMatchObject({ understood: 1 });
    await quiet(channel);

    return { asked, rows: await shown() };
  };

  it("stays deleted, and nobody is asked", async () => {
    const revoke = (wamid: string) => ({ type: "revoke", revoke: { original_message_id: wamid } });

    const { asked, rows } = await changed(revoke, "[This message was deleted]");

    expect(rows.map(({ content }) => content)).toEqual(["[This message was deleted]"]);
    expect(rows[0]?.metadata).not.toHaveProperty("content");
    expect(asked).toEqual([]);
  });

  it("keeps the words that they put in its place", async () => {
    const edit = (wamid: string) => ({
      type: "edit",
      edit: { original_message_id: wamid, message: { type: "text", text: { body: "at the Tower" } } },
    });

    expect((await changed(edit, "at the Tower")).rows.map(({ content }) => content)).toEqual(["at the Tower"]);
  });
});

describe("a delivery that the database refuses", () => {
  it("is named, stays as it was, and keeps no other from being read again", async () => {
    const channel = await channelFor({ reply: () => null });
    await receivedByAnOlderVersion(channel, [place("wamid.poison", new Date())]);
    await receivedByAnOlderVersion(channel, [place("wamid.place", new Date())]);
    await until(channel, "two stand-ins", (rows) => rows.length === 2);
    await quiet(channel);
    await channel.rows(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '23514'; end $$`,
    );
    await channel.rows(
      `create trigger refuse before insert on whatsapp_events for each row when (new.external_id = 'wamid.poison') execute function refuse()`,
    );
    const [poison] = await channel.rows<{ webhook_id: string }>(
      "select webhook_id from whatsapp_events where external_id = 'wamid.poison'",
    );

    const { understood, failed, unknown } = await replayUnknown(channel.database.knex);

    expect({ understood, failed }).toEqual({
      understood: 1,
      failed: [{ webhookId: poison!.webhook_id, error: "23514" }],
    });
    expect(unknown).toMatchObject([{ type: "message:place_of_tomorrow", count: 1 }]);
  });
});

type Wire = Readonly<Record<string, unknown>>;

function message(id: string, at: Date): Wire {
  return { from: "447700900123", id, timestamp: String(Math.floor(at.getTime() / 1000)) };
}

function place(id: string, at: Date): Wire {
  return { ...message(id, at), type: "location", location: { latitude: 51.5, longitude: -0.08, name: "The Tower" } };
}

/** The same bytes as today, read by a version that has never heard of places. */
async function receivedByAnOlderVersion(channel: TestChannel, messages: readonly Wire[]): Promise<void> {
  const payload = (read: readonly Wire[]) => ({
    object: "whatsapp_business_account",
    entry: [
      {
        id: NUMBER.wabaId,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { phone_number_id: NUMBER.phoneNumberId, display_phone_number: NUMBER.displayPhoneNumber },
              contacts: [{ wa_id: "447700900123", profile: { name: "Ada" } }],
              messages: read,
            },
          },
        ],
      },
    ],
  });
  const asThen = messages.map((one) => (one.type === "location" ? { ...one, type: "place_of_tomorrow" } : one));
  const { inbox: store } = createStore(channel.database.knex, {
    schema: "public",
    hostSchema: "public",
    leaseMs: 2_000,
    coalesceMs: 0,
    hasListener: false,
    advance,
    isPending,
  });
  await store.record([
    {
      body: Buffer.from(JSON.stringify(payload(messages))),
      secretIndex: 0,
      webhookType: "message",
      payload: "verbatim",
      error: null,
      events: parseWebhook(payload(asThen)),
    },
  ]);
}

type Row = { readonly external_id: string; readonly type: string };

function inbox(channel: TestChannel): Promise<Row[]> {
  return channel.rows<Row>(
    "select external_id, channel_metadata ->> 'type' as type from messages where role = 'user' order by created_at",
  );
}

async function until(channel: TestChannel, what: string, isSo: (rows: readonly Row[]) => boolean): Promise<void> {
  await channel.until(async () => isSo(await inbox(channel)), what);
}
