/** A token that dies: the host hears of it once, sends are kept, and everything leaves in order after a reconnect. */
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, hasOneConnection, NUMBER, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { hold, waiters } from "../engine/support.ts";
import { type Contact, inState, keepBack, meet, startSilent, texts } from "./outbound.ts";

const NEW_TOKEN = "EAAtheNewToken";
/** Lives in the same account, so that the simulator lets its token use the account's numbers. */
const OTHER_NUMBER = {
  ...NUMBER,
  phoneNumberId: "301777000333999",
  displayPhoneNumber: "15557770199",
  accessToken: NEW_TOKEN,
};

function reconnect(channel: TestChannel, accessToken: string) {
  return channel.plugin.connect({
    customerConfigId: TENANT,
    accessToken,
    phoneNumberId: NUMBER.phoneNumberId,
    wabaId: NUMBER.wabaId,
  });
}

describe("a dead token", () => {
  it("stops the number's sends without failing them, tells the host once, and a reconnect lets all leave in order", async () => {
    const channel = await startSilent({ meta: { numbers: [NUMBER, OTHER_NUMBER] } });
    const people: Contact[] = [];
    for (let i = 0; i < 5; i += 1)
      people.push(await meet(channel, { name: `Person ${i}`, phoneNumber: `44770090010${i}` }));
    channel.meta.revokeToken();

    const receipts = [];
    for (let i = 0; i < 4; i += 1)
      for (const { conversationId } of people)
        receipts.push(await channel.plugin.send({ conversationId, response: `message ${i}` }));
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_connections where state = 'reauth_required'"))[0],
      "the connection to need a new token",
    );
    // What was in flight comes back to the outbox; accepted into it are later sends too.
    const later = await channel.plugin.send({ conversationId: people[0]!.conversationId, response: "later" });
    for (const receipt of receipts) await inState(channel, receipt, "queued");
    const calls = channel.meta.requests["POST /301777000333444/messages"] ?? 0;

    expect(calls).toBeLessThanOrEqual(people.length);
    expect(later.parts[0]!.state).toBe("queued");
    const heard = () =>
      channel.events.filter((event) => event.kind === "connection" && event.connection.state === "reauth_required");
    await channel.until(() => heard().length > 0, "the host to hear of it");
    expect(heard()).toEqual([
      {
        kind: "connection",
        connection: expect.objectContaining({
          customerConfigId: TENANT,
          phoneNumberId: NUMBER.phoneNumberId,
          state: "reauth_required",
          reason: expect.stringContaining("reconnect"),
        }),
      },
    ]);
    expect(await channel.plugin.sessionStatus(people[0]!.conversationId)).toMatchObject({
      state: "open",
      canSend: false,
      reason: expect.stringContaining("reconnect"),
    });

    await reconnect(channel, NEW_TOKEN);
    for (const receipt of [...receipts, later]) await inState(channel, receipt, "read");
    await quiet(channel);

    for (const [i, person] of people.entries())
      expect(texts(channel, person)).toEqual([
        "message 0",
        "message 1",
        "message 2",
        "message 3",
        ...(i === 0 ? ["later"] : []),
      ]);
    expect(heard()).toHaveLength(1);
    expect(await channel.plugin.sessionStatus(people[0]!.conversationId)).toMatchObject({ canSend: true });
  });

  it("costs with 1,000 messages queued no more calls than were under way, and all of them leave in order after it", {
    timeout: 120_000,
  }, async () => {
    const channel = await startSilent({
      meta: { numbers: [NUMBER, OTHER_NUMBER], statusDelayMs: 600_000 },
      config: { reconcileMs: 60_000 },
    });
    const people = Array.from({ length: 250 }, (_, i) =>
      channel.meta.person({ name: `Person ${i}`, phoneNumber: String(447_700_910_000 + i) }),
    );
    channel.meta.batch(people.map((from) => ({ from, text: "hello" })));
    const conversations = await channel.until(async () => {
      const found = await channel.rows<{ id: string }>(
        "select conversation_id as id from whatsapp_contacts where conversation_id is not null",
      );
      return found.length === people.length && found;
    }, "all of them to be known");
    await quiet(channel);
    channel.meta.onAccepted(() => {
      if (channel.meta.accepted.length === 40) channel.meta.revokeToken();
    });

    await channel.plugin.stop();
    // As many at a time as the pool has connections.
    const left = [...conversations];
    const sendAll = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop())
        for (let n = 0; n < 4; n++) await channel.plugin.send({ conversationId: next.id, response: `message ${n}` });
    };
    await Promise.all([sendAll(), sendAll(), sendAll(), sendAll()]);
    await channel.plugin.start();
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_connections where state = 'reauth_required'"))[0],
      "the connection to need a new token",
    );
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state = 'sending'")).length === 0,
      "what was under way to come back",
    );

    const posts = () => channel.meta.requests["POST /301777000333444/messages"] ?? 0;
    const inFlight = 200;
    expect(posts() - 40).toBeLessThanOrEqual(inFlight);
    expect(
      await channel.rows("select state, count(*)::int as n from whatsapp_outbox group by state order by 1"),
    ).toEqual([
      { state: "accepted", n: 40 },
      { state: "queued", n: 960 },
    ]);
    const before = posts();
    await reconnect(channel, NEW_TOKEN);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1_000, 90_000);
    await quiet(channel, 30_000);

    // Each of them once, and none of the refused ones more than once more.
    expect(posts() - before).toBe(960);
    const said = new Map<string, string[]>();
    for (const { recipient, text } of channel.meta.accepted)
      said.set(recipient, [...(said.get(recipient) ?? []), text]);
    const inOrder = ["message 0", "message 1", "message 2", "message 3"];
    expect([...said.values()]).toEqual(people.map(() => inOrder));
    expect(
      channel.events.filter((event) => event.kind === "connection" && event.connection.state === "reauth_required"),
    ).toHaveLength(1);
  });

  it.skipIf(hasOneConnection)(
    "keeps nobody waiting who found it dead while the number was being connected again",
    async () => {
      const channel = await startSilent();
      const ada = await meet(channel, { name: "Ada" });
      await channel.rows("update whatsapp_connections set state = 'reauth_required'");
      const letGo = await keepBack(channel, ada);
      const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "hello" });
      const somebody = await hold(channel.database);
      await somebody.query("select 1 from whatsapp_outbox for update");
      await letGo();
      await waiters(channel.rows);

      await reconnect(channel, ACCESS_TOKEN);
      await somebody.rollback();

      await inState(channel, receipt, "read");
    },
  );

  it("does not keep people from being heard, nor their messages from waiting for an answer", async () => {
    const channel = await startSilent({ reply: ({ messages }) => `You said: ${messages.at(-1)?.text}` });
    channel.meta.revokeToken();
    const ada = channel.meta.person({ name: "Ada" });
    ada.says("anybody there?");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state = 'queued' and attempts = 1"))[0],
      "the answer to be kept",
    );

    channel.meta.restoreToken();
    await reconnect(channel, ACCESS_TOKEN);

    await channel.meta.waitFor(() => ada.transcript().some(({ text }) => text === "You said: anybody there?"));
  });
});

describe("a stored token that cannot be opened", () => {
  it("keeps sends in the outbox without a request, and they leave once the row is right again", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const [{ access_token_enc: sealed } = { access_token_enc: "" }] = await channel.rows<{ access_token_enc: string }>(
      "select access_token_enc from whatsapp_oauth_tokens",
    );
    await channel.rows("update whatsapp_oauth_tokens set access_token_enc = ?", [sealed.replace(/.$/, "!")]);

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const line = await channel.until(
      () => channel.logs.find(({ fields }) => JSON.stringify(fields).includes("SECRET_UNREADABLE")),
      "the log to say so",
    );
    expect(JSON.stringify(line)).not.toContain(ACCESS_TOKEN);
    expect(channel.meta.requests["POST /301777000333444/messages"]).toBeUndefined();
    await channel.rows("update whatsapp_oauth_tokens set access_token_enc = ?", [sealed]);

    await inState(channel, receipt, "read");
  });
});
