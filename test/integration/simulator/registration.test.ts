/** Registering a number, its PIN and its profile, and what coexistence shares. */
import { describe, expect, it } from "vitest";
import { ADA, call, NUMBER, post, send, startHost, startSimulator, textTo, values } from "./simulated.ts";

const WHATSAPP = { messaging_product: "whatsapp" };
const register = `${NUMBER.phoneNumberId}/register`;
const sync = `${NUMBER.phoneNumberId}/smb_app_data`;

describe("registering a number", () => {
  it("lets it send, from then on and not before", async () => {
    const meta = await startSimulator({ numbers: [{ ...NUMBER, isRegistered: false }] });
    meta.person(ADA).says("Hi");

    const before = await send(meta, textTo(ADA.phoneNumber, "Hi"));
    const registered = await post(meta, register, { ...WHATSAPP, pin: "212834" });
    const after = await send(meta, textTo(ADA.phoneNumber, "Hi"));

    expect(before).toMatchObject({ status: 400, body: { error: { code: 133010 } } });
    expect([registered.body, after.status]).toEqual([{ success: true }, 200]);
    expect(meta.numbers()).toEqual([
      {
        phoneNumberId: NUMBER.phoneNumberId,
        wabaId: NUMBER.wabaId,
        isRegistered: true,
        pin: "212834",
        isSubscribed: true,
        synced: [],
      },
    ]);
  });

  it.each([
    ["no messaging_product", { pin: "212834" }, 100],
    ["no PIN", WHATSAPP, 100],
    ["a PIN of five digits", { ...WHATSAPP, pin: "21283" }, 100],
    ["a PIN with a letter", { ...WHATSAPP, pin: "21283x" }, 100],
    ["another PIN than the one that is set", { ...WHATSAPP, pin: "000000" }, 133005],
  ])("is refused with %s", async (_, body, code) => {
    const meta = await startSimulator({ numbers: [{ ...NUMBER, pin: "212834", isRegistered: false }] });

    expect(await post(meta, register, body)).toMatchObject({ status: 400, body: { error: { code } } });
    expect(meta.numbers()).toMatchObject([{ isRegistered: false, pin: "212834" }]);
  });

  it("is refused before the number is verified, and where it stays in the WhatsApp Business app", async () => {
    const unverified = await startSimulator({ numbers: [{ ...NUMBER, isVerified: false }] });
    const coexistence = await startSimulator({ numbers: [{ ...NUMBER, isOnBusinessApp: true }] });
    const body = { ...WHATSAPP, pin: "212834" };

    expect((await post(unverified, register, body)).body.error?.code).toBe(133006);
    expect((await post(coexistence, register, body)).body.error?.code).toBe(100);
    expect((await post(coexistence, `${NUMBER.phoneNumberId}/deregister`, {})).body.error?.code).toBe(100);
  });

  it("allows five wrong PINs, after which the right one does not help", async () => {
    const meta = await startSimulator({ numbers: [{ ...NUMBER, pin: "212834" }] });
    const codes = [];

    for (const pin of ["1", "2", "3", "4", "5"].map((digit) => digit.repeat(6)))
      codes.push((await post(meta, register, { ...WHATSAPP, pin })).body.error?.code);

    expect(codes).toEqual(Array(5).fill(133005));
    expect((await post(meta, register, { ...WHATSAPP, pin: "212834" })).body.error?.code).toBe(133008);
  });

  it("is counted: ten times in 72 hours", async () => {
    const now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ now: () => now });
    const again = async () => (await post(meta, register, { ...WHATSAPP, pin: "212834" })).body.error?.code;

    for (let count = 0; count < 10; count += 1) expect(await again()).toBeUndefined();
    expect(await again()).toBe(133016);
    now.setHours(now.getHours() + 73);
    expect(await again()).toBeUndefined();
  });

  it("ends with deregistering; the PIN stays, and can be set anew", async () => {
    const meta = await startSimulator({ numbers: [{ ...NUMBER, pin: "212834" }] });

    const changed = await post(meta, NUMBER.phoneNumberId, { pin: "565656" });
    const ended = await post(meta, `${NUMBER.phoneNumberId}/deregister`, {});
    const number = await call(meta, `${NUMBER.phoneNumberId}?fields=status,platform_type,is_pin_enabled`);

    expect([changed.body, ended.body]).toEqual([{ success: true }, { success: true }]);
    expect(number.body).toMatchObject({ status: "PENDING", platform_type: "NOT_APPLICABLE", is_pin_enabled: true });
    expect(meta.numbers()).toMatchObject([{ isRegistered: false, pin: "565656" }]);
    expect((await post(meta, NUMBER.phoneNumberId, { pin: "56" })).status).toBe(400);
  });
});

describe("a number in the WhatsApp Business app", () => {
  it("shares its contacts and its history once each, and a webhook follows", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, numbers: [{ ...NUMBER, isOnBusinessApp: true }] });

    const contacts = await post(meta, sync, { ...WHATSAPP, sync_type: "smb_app_state_sync" });
    const history = await post(meta, sync, { ...WHATSAPP, sync_type: "history" });
    const again = await post(meta, sync, { ...WHATSAPP, sync_type: "history" });
    const unknown = await post(meta, sync, { ...WHATSAPP, sync_type: "everything" });
    await meta.idle();

    expect([contacts.body, history.body]).toEqual([
      { messaging_product: "whatsapp", request_id: expect.any(String) },
      { messaging_product: "whatsapp", request_id: expect.any(String) },
    ]);
    expect([again, unknown].map(({ body }) => body.error?.code)).toEqual([2593107, 100]);
    expect(values(host)).toMatchObject([
      { metadata: { phone_number_id: NUMBER.phoneNumberId }, state_sync: [{ type: "contact", action: "add" }] },
      { history: [{ metadata: { progress: 100 }, threads: [{ messages: [{}, {}] }] }] },
    ]);
    expect(meta.numbers()).toMatchObject([{ synced: ["smb_app_state_sync", "history"] }]);
  });

  it("may refuse its history, and is asked within a day", async () => {
    const host = await startHost();
    const now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({
      webhookUrl: host.url,
      now: () => now,
      numbers: [{ ...NUMBER, isOnBusinessApp: true, sharesHistory: false }],
    });

    await post(meta, sync, { ...WHATSAPP, sync_type: "history" });
    await meta.idle();
    now.setHours(now.getHours() + 25);
    const late = await post(meta, sync, { ...WHATSAPP, sync_type: "smb_app_state_sync" });

    expect(values(host)).toMatchObject([{ history: [{ errors: [{ code: 2593109 }] }] }]);
    expect(late.body.error?.code).toBe(2593108);
  });

  it("is not any number", async () => {
    const meta = await startSimulator();

    expect((await post(meta, sync, { ...WHATSAPP, sync_type: "history" })).body.error?.code).toBe(100);
  });
});

describe("a number's profile", () => {
  it("tells the fields asked for, and what was written to it", async () => {
    const meta = await startSimulator({
      numbers: [{ ...NUMBER, profile: { about: "Bread", websites: ["https://a.test/"] } }],
    });
    const path = `${NUMBER.phoneNumberId}/whatsapp_business_profile`;
    const fields = "about,address,description,email,profile_picture_url,websites,vertical";

    const before = await call(meta, `${path}?fields=${fields}`);
    const written = await post(meta, path, { ...WHATSAPP, about: "Bread and cake" });
    const after = await call(meta, `${path}?fields=about`);

    expect(before.body).toEqual({
      data: [{ messaging_product: "whatsapp", about: "Bread", websites: ["https://a.test/"] }],
    });
    expect(written.body).toEqual({ success: true });
    expect(after.body).toEqual({ data: [{ messaging_product: "whatsapp", about: "Bread and cake" }] });
    expect((await call(meta, `${path}?fields=shoe_size`)).status).toBe(400);
  });
});
