/** The 24 hours in which the business may write freely. */
import { describe, expect, it } from "vitest";
import { ADA, handMade, send, startHost, startSimulator, statuses, textTo, values, wamidOf } from "./simulated.ts";

describe("the service window", () => {
  it("lets a free-form message fail with 131047 after the 200 when the person never wrote", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const answer = await send(meta, textTo(ADA.phoneNumber, "Buy now"));
    await meta.idle();

    expect(answer.status).toBe(200);
    expect(statuses(host)).toMatchObject([{ id: wamidOf(answer), status: "failed", errors: [{ code: 131047 }] }]);
    expect(values(host)[0]).not.toHaveProperty("contacts");
    expect(ada.transcript()).toMatchObject([{ status: "failed", error: { code: 131047 } }]);
    expect(meta.accepted).toMatchObject([{ failureCode: 131047 }]);
  });

  it("closes 24 hours after the person's last message and not before", async () => {
    let now = new Date("2026-11-22T12:00:00Z");
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, now: () => now });
    const ada = meta.person(ADA);
    ada.says("Hi");

    now = new Date("2026-11-23T11:59:59Z");
    await send(meta, textTo(ADA.phoneNumber, "just in time"));
    now = new Date("2026-11-23T12:00:00Z");
    await send(meta, textTo(ADA.phoneNumber, "too late"));
    await meta.idle();

    expect(ada.transcript().map(({ status }) => status)).toEqual(["delivered", "read", "failed"]);
  });

  it("stays closed after a reaction, and open for templates", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.sends({ type: "reaction", reaction: { message_id: "wamid.earlier", emoji: "👍" } });
    const template = { name: "hello_again", language: { code: "en_GB" } };

    await send(meta, textTo(ADA.phoneNumber, "free form"));
    const answer = await send(meta, { ...textTo(ADA.phoneNumber, ""), type: "template", template });
    await meta.idle();

    expect(answer.body.messages).toMatchObject([{ message_status: "accepted" }]);
    expect(ada.transcript().map(({ status }) => status)).toEqual(["delivered", "failed", "read"]);
  });

  it("refuses in the answer itself when told to", async () => {
    const meta = await startSimulator({ windowRefusal: "response" });

    const answer = await send(meta, textTo(ADA.phoneNumber, "Buy now"));

    expect(answer).toMatchObject({ status: 400, body: { error: { code: 131047 } } });
    expect(meta.accepted).toEqual([]);
  });

  it("is open for a day and no longer after a message of the year 3000", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const payload = JSON.stringify(handMade("447700900555", "wamid.future")).replace(
      /"timestamp":"\d+"/,
      '"timestamp":"32503680000"',
    );
    meta.deliver(Buffer.from(payload));

    await send(meta, textTo("447700900555", "now"));
    meta.clock.moveOn(24 * 60 * 60 * 1000);
    await send(meta, textTo("447700900555", "a day later"));
    await meta.idle();

    expect(meta.accepted.map(({ failureCode }) => failureCode)).toEqual([null, 131047]);
  });

  it("opens for messages in hand-made payloads too", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.deliver(Buffer.from(JSON.stringify(handMade("447700900555", "wamid.handmade"))));

    await send(meta, textTo("447700900555", "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  });

  it.each([
    ["a text in a group", { type: "text", text: { body: "hi all" }, group_id: "Y2FwaV9ncm91cDox" }],
    ["an edit that Meta does not show", { type: "unsupported", unsupported: { type: "edit" } }],
    ["a deletion that Meta does not show", { type: "unsupported", unsupported: { type: "revoke" } }],
    ["a reaction that Meta does not show", { type: "unsupported", unsupported: { type: "reaction" } }],
    [
      "a permission to call that WhatsApp gave by itself",
      {
        type: "interactive",
        interactive: {
          type: "call_permission_reply",
          call_permission_reply: { response: "accept", response_source: "automatic" },
        },
      },
    ],
    ["a system message", { type: "system", system: { type: "user_grew_up" } }],
  ])("stays closed after %s", async (_name, message) => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.person(ADA).sends(message);

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host)).toMatchObject([{ status: "failed", errors: [{ code: 131047 }] }]);
  });

  it.each([
    ["a poll", { type: "unsupported", unsupported: { type: "poll" } }],
    ["what Meta cannot name", { type: "unsupported" }],
    ["a message of tomorrow", { type: "hologram", hologram: {} }],
  ])("opens by %s, which the business cannot read", async (_name, message) => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.person(ADA).sends(message);

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  });

  it("opens for the number too that somebody with a user id shares when asked for it", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const contacts = [{ origin: "contact_request", phones: [{ phone: "+447700900555", wa_id: "447700900555" }] }];
    const sender = { from: undefined, from_user_id: "GB.hidden" };
    meta.deliver(handMade("", "wamid.first", sender));
    meta.deliver(handMade("", "wamid.shared", { ...sender, type: "contacts", contacts }));

    await send(meta, textTo("447700900555", "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  });
});
