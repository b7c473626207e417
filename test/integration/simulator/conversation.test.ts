/** What people and the business say to each other, and what each sees of it. */
import { describe, expect, it } from "vitest";
import { ADA, NUMBER, send, startHost, startSimulator, statuses, textTo, values, wamidOf } from "./simulated.ts";

const VOICE = {
  messaging_product: "whatsapp",
  to: ADA.phoneNumber,
  type: "audio",
  audio: { link: "https://shop.example/hello.ogg", voice: true },
};

describe("a conversation", () => {
  it("carries a person's text to the host and the answer back, with its ticks", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const question = ada.says("Are you open?");
    await meta.idle();
    const answer = await send(meta, textTo("+44 7700 900123", "Until six.", { biz_opaque_callback_data: "token-1" }));
    await meta.idle();

    expect(answer.body).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: "+44 7700 900123", wa_id: "447700900123" }],
      messages: [{ id: expect.stringMatching(/^wamid\./) }],
    });
    expect(ada.transcript()).toMatchObject([
      { direction: "inbound", text: "Are you open?", wamid: question, status: "delivered" },
      { direction: "outbound", text: "Until six.", wamid: wamidOf(answer), status: "read" },
    ]);
    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
    expect(statuses(host)[1]).toMatchObject({
      id: wamidOf(answer),
      recipient_id: "447700900123",
      recipient_user_id: ADA.userId,
      biz_opaque_callback_data: "token-1",
      pricing: { pricing_model: "PMP", type: "free_customer_service", category: "service" },
    });
  });

  it("describes the writer as webhooks do since usernames", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    const wamid = meta.person(ADA).says("Hello", { replyTo: "wamid.earlier", at: new Date(1_790_000_001_000) });
    await meta.idle();

    expect(values(host)).toEqual([
      {
        messaging_product: "whatsapp",
        metadata: { display_phone_number: "15557770100", phone_number_id: NUMBER.phoneNumberId },
        contacts: [
          { profile: { name: ADA.name, username: ADA.username }, wa_id: ADA.phoneNumber, user_id: ADA.userId },
        ],
        messages: [
          {
            from: ADA.phoneNumber,
            from_user_id: ADA.userId,
            id: wamid,
            timestamp: "1790000001",
            context: { from: "15557770100", id: "wamid.earlier" },
            type: "text",
            text: { body: "Hello" },
          },
        ],
      },
    ]);
  });

  it("answers somebody known by user id only, and says nothing of a phone number", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const bo = meta.person({ name: "Bo", userId: "GB.77bo" });
    bo.says("Hi");

    const answer = await send(meta, {
      messaging_product: "whatsapp",
      recipient: "GB.77bo",
      type: "text",
      text: { body: "Hello Bo" },
    });
    await meta.idle();

    expect(answer.body).toMatchObject({ contacts: [{ input: "GB.77bo", user_id: "GB.77bo" }] });
    expect(bo.transcript().at(-1)).toMatchObject({ text: "Hello Bo", status: "read" });
    expect(values(host)[0]?.messages?.[0]).not.toHaveProperty("from");
    expect(statuses(host)[0]).not.toHaveProperty("recipient_id");
  });

  it("says the phone number of somebody who hides it where the business wrote to it by number", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const { userId } = meta.person({ ...ADA, hidesPhoneNumber: true });
    const { to: _, ...message } = textTo(ADA.phoneNumber, "Hi") as { readonly to: string };

    const byNumber = wamidOf(await send(meta, { ...message, to: ADA.phoneNumber }));
    const byUserId = wamidOf(await send(meta, { ...message, recipient: userId }));
    await meta.idle();

    const told = (wamid: string) => statuses(host).filter(({ id }) => id === wamid);
    expect(told(byNumber)).not.toEqual([]);
    for (const status of told(byNumber)) expect(status).toMatchObject({ recipient_id: ADA.phoneNumber });
    expect(told(byUserId)).not.toEqual([]);
    for (const status of told(byUserId)) expect(status).not.toHaveProperty("recipient_id");
  });

  it("shows what the business read and that it is typing", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.says("one");
    const last = ada.says("two");
    await meta.idle();

    const receipt = await send(meta, {
      messaging_product: "whatsapp",
      status: "read",
      message_id: last,
      typing_indicator: { type: "text" },
    });

    expect(receipt.body).toEqual({ success: true });
    expect(ada.transcript().map(({ status }) => status)).toEqual(["read", "read"]);
    expect(meta.conversations()[0]).toMatchObject({ phoneNumberId: NUMBER.phoneNumberId, isTyping: true });
    await send(meta, textTo(ADA.phoneNumber, "answer"));
    expect(meta.conversations()[0]?.isTyping).toBe(false);
  });

  it("takes no tick back when the host acknowledges what the business has read", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: () => 50 });
    const ada = meta.person(ADA);
    host.answers.push(500);
    const wamid = ada.says("hello");
    await meta.waitFor(() => meta.deliveries[0]?.attempts.length === 1);

    await send(meta, { messaging_product: "whatsapp", status: "read", message_id: wamid });
    await meta.idle();

    expect(host.received).toHaveLength(2);
    expect(ada.transcript()[0]?.status).toBe("read");
  });

  it("leaves messages delivered for a person without read receipts", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person({ ...ADA, sendsReadReceipts: false });
    ada.says("Hi");

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(ada.transcript().at(-1)?.status).toBe("delivered");
  });

  it("tells that a voice message was played when it first is, after it was read, and also without read receipts", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    for (const sendsReadReceipts of [true, false]) {
      const ada = meta.person({ ...ADA, sendsReadReceipts });
      ada.says("Hi");
      const wamid = wamidOf(await send(meta, VOICE));
      // However fast they are.
      ada.plays(wamid);
      await meta.idle();
      ada.plays(wamid);
      await meta.idle();

      expect(ada.transcript().at(-1)?.status).toBe("played");
      expect(
        statuses(host)
          .filter(({ id }) => id === wamid)
          .map(({ status }) => status),
      ).toEqual(["sent", "delivered", ...(sendsReadReceipts ? ["read"] : []), "played"]);
    }
  });

  it("lets nobody play what is no voice message, was another person's, or never arrived", async () => {
    const meta = await startSimulator();
    const ada = meta.person(ADA);
    ada.says("Hi");
    const text = wamidOf(await send(meta, textTo(ADA.phoneNumber, "Hello")));
    const song = wamidOf(await send(meta, { ...VOICE, audio: { link: VOICE.audio.link } }));
    meta.faults.next({ do: { failed: { code: 131026 } } });
    const lost = wamidOf(await send(meta, VOICE));
    const heard = wamidOf(await send(meta, VOICE));
    await meta.idle();

    const bo = meta.person({ name: "Bo" });
    for (const play of [text, song, lost, "wamid.nobody"].map((wamid) => () => ada.plays(wamid)))
      expect(play).toThrow("no voice message");
    expect(() => bo.plays(heard)).toThrow("no voice message");
    expect(ada.transcript().map(({ status }) => status)).not.toContain("played");
  });

  it("sends any kind of message and remembers a readable line of it", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    ada.sends({ type: "image", image: { id: "4410001", mime_type: "image/jpeg", caption: "my cat" } });
    ada.sends({ type: "location", location: { latitude: 51.5, longitude: -0.1 } });
    await meta.idle();

    expect(ada.transcript().map(({ text }) => text)).toEqual(["my cat", "[location]"]);
    expect(values(host).map(({ messages }) => messages?.[0]?.type)).toEqual(["image", "location"]);
  });
});
