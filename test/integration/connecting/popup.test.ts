/** Meta's popup: the browser brings a code and two ids, and only what the code's token proves is believed. */
import { describe, expect, it } from "vitest";
import { NUMBER } from "../../support/channel.ts";
import { FRESH, OTHER_TENANT, SECOND, startConnecting, startWithToken } from "../../support/connecting.ts";

/** Of somebody else. */
const FOREIGN = {
  ...FRESH,
  phoneNumberId: "301777000999444",
  wabaId: "201555000999222",
  displayPhoneNumber: "15557770999",
};

describe("Meta's popup", () => {
  it("connects the number that it names", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    const { meta } = connecting.channel;

    const { status, body } = await connecting.popup({
      code: meta.login.code(),
      waba_id: SECOND.wabaId,
      phone_number_id: SECOND.phoneNumberId,
    });

    expect(status).toBe(200);
    expect(body.onboarding).toMatchObject({ state: "done", chosen: [SECOND.phoneNumberId] });
    expect(body.login).toMatchObject({
      app_id: "700700700700700",
      graph_version: "v25.0",
      sdk_url: `${meta.url}/en_US/sdk.js`,
    });
    expect((await connecting.status()).numbers).toEqual([
      expect.objectContaining({ phone_number_id: SECOND.phoneNumberId, state: "connected" }),
    ]);
  });

  it.each([
    ["another's account", { waba_id: FOREIGN.wabaId, phone_number_id: FRESH.phoneNumberId }],
    ["another's number", { waba_id: FRESH.wabaId, phone_number_id: FOREIGN.phoneNumberId }],
    ["another's account and number", { waba_id: FOREIGN.wabaId, phone_number_id: FOREIGN.phoneNumberId }],
    ["another's account alone", { waba_id: FOREIGN.wabaId }],
    ["another's number alone", { phone_number_id: FOREIGN.phoneNumberId }],
  ])("is refused beside %s", async (_what, ids) => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, FOREIGN] } });
    const code = connecting.channel.meta.login.code({ wabaIds: [FRESH.wabaId] });

    const { status, body } = await connecting.popup({ code, ...ids });

    expect(status).toBe(403);
    expect(body.error.code).toBe("ACCOUNT_NOT_GRANTED");
    expect(connecting.channel.meta.numbers().filter(({ isSubscribed }) => isSubscribed)).toEqual([]);
    expect(await connecting.channel.rows("select 1 from whatsapp_connections")).toEqual([]);
  });

  it("refuses a token of another app", async () => {
    const connecting = await startConnecting();
    const { meta } = connecting.channel;
    const foreign = meta.issueToken({ appId: "999999999999999" });
    const other = await startWithToken(connecting, foreign);

    const { status, body } = await other.popup({ code: "any" });

    expect(status).toBe(403);
    expect(body.error.code).toBe("TOKEN_REFUSED");
    expect(await other.channel.rows("select 1 from whatsapp_oauth_tokens")).toEqual([]);
  });

  it("refuses a code that was used, and says so", async () => {
    const connecting = await startConnecting();
    const code = connecting.channel.meta.login.code();
    await connecting.popup({ code });

    const { status, body } = await connecting.popup({ code }, { tenant: OTHER_TENANT });

    expect(status).toBe(400);
    expect(body.error.code).toBe("CODE_REFUSED");
  });

  it.each([
    ["no code", {}, "code"],
    ["an id that is none", { code: "x", waba_id: "../me" }, "waba_id"],
    ["something unknown", { code: "x", access_token: "EAA" }, "access_token"],
  ])("refuses %s with the place of the mistake", async (_what, wrong, place) => {
    const connecting = await startConnecting();

    const { status, body } = await connecting.popup(wrong);

    expect(status).toBe(400);
    expect(body.error.message).toContain(place);
  });

  it("connects a number of the WhatsApp Business app without registering it, and asks once for what the app has", async () => {
    const shared = { ...NUMBER, isOnBusinessApp: true, isSubscribed: false };
    const connecting = await startConnecting({ meta: { numbers: [shared] } });
    const { meta } = connecting.channel;
    const body = () => ({ code: meta.login.code(), waba_id: shared.wabaId });

    const first = await connecting.popup(body());
    await connecting.popup(body());

    expect(first.body.onboarding.steps).toContainEqual(
      expect.objectContaining({ step: "register", state: "skipped", phone_number_id: shared.phoneNumberId }),
    );
    const calls = meta.requests;
    expect(calls[`POST /${shared.phoneNumberId}/register`]).toBeUndefined();
    expect(calls[`POST /${shared.phoneNumberId}/smb_app_data`]).toBe(2);
    expect(meta.numbers()[0]).toMatchObject({ synced: ["smb_app_state_sync", "history"] });
  });

  it("knows what the app has to be asked for when the answer was lost, as with a process that ends while it asks", async () => {
    const shared = { ...NUMBER, isOnBusinessApp: true, isSubscribed: false };
    const connecting = await startConnecting({ meta: { numbers: [shared] } });
    const { meta } = connecting.channel;
    meta.faults.next({ on: "smb_app_data", do: "accept-then-reset" });
    const { body } = await connecting.popup({ code: meta.login.code() });
    expect(body.onboarding.steps.at(-1)).toMatchObject({ step: "sync", state: "failed" });

    const again = await connecting.goOn();

    expect(again.body.onboarding.steps.at(-1)).toMatchObject({ step: "sync", state: "done", error: null });
    expect(meta.numbers()[0]).toMatchObject({ synced: ["smb_app_state_sync", "history"] });
  });

  it("keeps a number of the app connected when Meta grants no history, and asks again with the next try", async () => {
    const shared = { ...NUMBER, isOnBusinessApp: true, isSubscribed: false };
    const connecting = await startConnecting({ meta: { numbers: [shared] } });
    connecting.channel.meta.faults.next({ on: "smb_app_data", do: { error: { code: 2 } } });

    const { body } = await connecting.popup({ code: connecting.channel.meta.login.code() });

    expect(body.onboarding.state).toBe("done");
    expect(body.onboarding.steps.at(-1)).toMatchObject({
      step: "sync",
      state: "failed",
      error: { code: "GRAPH_REJECTED" },
    });
    const again = await connecting.goOn();
    expect(again.body.onboarding.steps.at(-1)).toMatchObject({ step: "sync", state: "done" });
  });
});
