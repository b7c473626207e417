/** The steps from a token to connected numbers: chosen, resumed, taken over, and never to the harm of what works. */
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, NUMBER, quiet, TENANT, until } from "../../support/channel.ts";
import {
  type Connecting,
  FRESH,
  OTHER_TENANT,
  SECOND,
  startConnecting,
  startWithToken,
} from "../../support/connecting.ts";

const THIRD = {
  ...FRESH,
  phoneNumberId: "301777000333666",
  wabaId: "201555000111333",
  displayPhoneNumber: "15557770166",
};

describe("a number whose quality or name Meta changes", () => {
  it("is shown as Meta has it, soon after its webhook", async () => {
    const connecting = await startConnecting();
    const { channel } = connecting;
    await connecting.connect();
    channel.meta.changeNumber(FRESH.phoneNumberId, { verifiedName: "Another Name" });

    channel.meta.changeQuality(FRESH.phoneNumberId, "RED");

    await channel.until(
      async () => (await channel.plugin.connections(TENANT))[0]?.qualityRating === "RED",
      "the number to be looked at",
    );
    expect((await channel.plugin.connections(TENANT))[0]).toMatchObject({ verifiedName: "Another Name" });
  });
});

describe("several numbers", () => {
  it("are a question on the dashboard, and the ones that are chosen are connected", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND, THIRD] } });

    const result = await connecting.connect();
    const asked = await connecting.onboarding();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_choice: asked.id });
    expect(asked).toMatchObject({ state: "choice", chosen: [] });
    expect(asked.numbers).toHaveLength(3);
    expect(connecting.channel.meta.numbers().some(({ isSubscribed }) => isSubscribed)).toBe(false);

    const { body } = await connecting.goOn({ phone_number_ids: [SECOND.phoneNumberId, THIRD.phoneNumberId] });

    expect(body.onboarding.state).toBe("done");
    const { numbers } = await connecting.status();
    expect(numbers.map((number) => number.phone_number_id)).toEqual([SECOND.phoneNumberId, THIRD.phoneNumberId]);
    const pins = connecting.channel.meta.numbers().flatMap(({ pin }) => (pin === null ? [] : [pin]));
    expect(new Set(pins).size).toBe(2);
  });

  it("are no question when all but one are connected: that one is meant", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    await connecting.connect();
    await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] });

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect((await connecting.status()).numbers.map((number) => number.phone_number_id)).toEqual([
      FRESH.phoneNumberId,
      SECOND.phoneNumberId,
    ]);
  });

  it("cannot be chosen when they were not shared", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND, THIRD] } });
    await connecting.connect({ grant: [FRESH.wabaId] });

    const { status, body } = await connecting.goOn({ phone_number_ids: [THIRD.phoneNumberId] });

    expect(status).toBe(403);
    expect(body.error.code).toBe("ACCOUNT_NOT_GRANTED");
  });

  it("are nobody's to choose but the tenant's who has begun", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    await connecting.connect();

    const { status, body } = await connecting.goOn(
      { phone_number_ids: [FRESH.phoneNumberId] },
      { tenant: OTHER_TENANT },
    );

    expect(status).toBe(404);
    expect(body.error.code).toBe("ONBOARDING_MISSING");
    expect(await connecting.onboarding({ tenant: OTHER_TENANT })).toBeNull();
  });

  it("are offered without those of an account that Meta refuses to show", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, THIRD] } });
    const { meta } = connecting.channel;
    meta.faults.next({ on: "phone_numbers", to: THIRD.wabaId, do: { error: { code: 100, subcode: 33 } } });

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect((await connecting.status()).numbers.map((number) => number.phone_number_id)).toEqual([FRESH.phoneNumberId]);
  });

  it("are not looked for in half of the accounts: one that cannot be asked now is asked again", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, THIRD] } });
    const { meta } = connecting.channel;
    meta.faults.next({ on: "phone_numbers", to: THIRD.wabaId, do: { error: { code: 2 } } });

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_error: "graph_rejected" });
    const { body } = await connecting.goOn();

    expect(body.onboarding.numbers).toHaveLength(2);
  });

  it("are all found, also of somebody who shares everything that they have", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, THIRD] } });
    const { meta } = connecting.channel;
    const everything = meta.issueToken({
      omitTargetIds: true,
      scopes: ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"],
    });
    const other = await startWithToken(connecting, everything);

    await other.post("/oauth/embedded-signup", { code: "any" });

    expect((await other.onboarding()).numbers.map((number: { waba_id: string }) => number.waba_id)).toEqual([
      FRESH.wabaId,
      THIRD.wabaId,
    ]);
  });
});

describe("a step that fails", () => {
  it.each([
    ["debug_token", "inspect"],
    ["phone_numbers", "accounts"],
    ["subscribed_apps", "subscribe"],
    ["register", "register"],
  ] as const)("leaves something to go on with: %s", async (endpoint, step) => {
    const connecting = await startConnecting();
    connecting.channel.meta.faults.next({ on: endpoint, do: { error: { code: 2 } } });

    const result = await connecting.connect();
    const failed = await connecting.onboarding();
    const before = { ...connecting.channel.meta.requests };

    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: "graph_rejected" });
    expect(failed).toMatchObject({
      state: "failed",
      error: { code: "GRAPH_REJECTED", message: expect.stringContaining("try again") },
    });
    expect(failed.steps).toContainEqual(expect.objectContaining({ step, state: "failed" }));
    expect(await connecting.status()).toMatchObject({ enabled: false });

    const { body } = await connecting.goOn();

    expect(body.onboarding.state).toBe("done");
    expect(await connecting.status()).toMatchObject({ enabled: true });
    // What was done is not done again.
    const after = connecting.channel.meta.requests;
    if (step === "register")
      expect(after[`GET /${FRESH.wabaId}/phone_numbers`]).toBe(before[`GET /${FRESH.wabaId}/phone_numbers`]);
  });

  it("does not end the connection when it can be made up for later", async () => {
    const connecting = await startConnecting();
    connecting.channel.meta.faults.next({ on: "message_templates", do: { error: { code: 2 } } });
    connecting.channel.meta.faults.next({ on: "profile", do: { error: { code: 2 } } });

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    const { state, steps } = await connecting.onboarding();
    expect(state).toBe("done");
    expect(
      steps.filter((one: { state: string }) => one.state === "failed").map((one: { step: string }) => one.step),
    ).toEqual(["templates", "profile"]);
    const { body } = await connecting.goOn();
    expect(body.onboarding.steps.every((one: { state: string }) => one.state !== "failed")).toBe(true);
  });

  it("registers with the PIN that it has stored, when the answer was lost", async () => {
    const connecting = await startConnecting();
    const { meta } = connecting.channel;
    meta.faults.next({ on: "register", do: "accept-then-reset" });

    await connecting.connect();
    const pin = meta.numbers()[0]?.pin;
    const { body } = await connecting.goOn();

    expect(body.onboarding.state).toBe("done");
    expect(meta.numbers()[0]?.pin).toBe(pin);
  });

  it("asks for the PIN of a number that has one of its own, guesses none, and takes the right one", async () => {
    const connecting = await startConnecting({ meta: { numbers: [{ ...FRESH, pin: "271828" }] } });
    const { meta } = connecting.channel;

    const result = await connecting.connect();
    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: "pin_required" });
    expect((await connecting.onboarding()).state).toBe("pin");
    expect((await connecting.goOn()).body.error.code).toBe("PIN_REQUIRED");
    expect(meta.requests[`POST /${FRESH.phoneNumberId}/register`]).toBe(1);
    expect((await connecting.goOn({ pins: { [FRESH.phoneNumberId]: "12345" } })).status).toBe(400);

    const { body } = await connecting.goOn({ pins: { [FRESH.phoneNumberId]: "271828" } });

    expect(body.onboarding.state).toBe("done");
    expect(JSON.stringify(body)).not.toContain("271828");
  });

  it("says that a number must be verified first", async () => {
    const connecting = await startConnecting({ meta: { numbers: [{ ...FRESH, isVerified: false }] } });

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_error: "number_not_verified" });
  });

  it("is gone on with once, also when two tabs try", async () => {
    const connecting = await startConnecting();
    const { meta } = connecting.channel;
    meta.faults.next({ on: "subscribed_apps", do: { error: { code: 2 } } });
    await connecting.connect();
    const before = meta.requests[`POST /${FRESH.wabaId}/subscribed_apps`] ?? 0;
    meta.faults.next({ on: "subscribed_apps", do: "slow", ms: 200 });

    const answers = await Promise.all([connecting.goOn(), connecting.goOn()]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(meta.requests[`POST /${FRESH.wabaId}/subscribed_apps`]).toBe(before + 2);
    expect(await connecting.channel.rows("select 1 from whatsapp_connections")).toHaveLength(1);
  });

  it.each([
    ["the tenant", TENANT],
    ["another tenant", OTHER_TENANT],
  ])(
    "is made up for when a number of %s has left the account meanwhile: its messages arrive",
    async (_whose, tenant) => {
      const leaves = { ...SECOND, isRegistered: true };
      const connecting = await startConnecting({ meta: { numbers: [{ ...FRESH, pin: "271828" }, leaves] } });
      const { channel } = connecting;
      const { phoneNumberId, wabaId } = leaves;
      await channel.plugin.connect({ customerConfigId: tenant, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });
      await connecting.connect();
      await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] });
      expect((await connecting.onboarding()).state).toBe("pin");

      await connecting.post("/disconnect", { phone_number_id: phoneNumberId }, { tenant });
      expect(channel.meta.numbers()).toContainEqual(
        expect.objectContaining({ phoneNumberId: FRESH.phoneNumberId, isSubscribed: false }),
      );
      const { body } = await connecting.goOn({ pins: { [FRESH.phoneNumberId]: "271828" } });

      expect(body.onboarding.state).toBe("done");
      const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
      ada.says("Hello?", { to: FRESH.phoneNumberId });
      await channel.meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
      await quiet(channel);
    },
  );

  it("loses no PIN that Meta has, when somebody presses Connect again", async () => {
    const connecting = await startConnecting();
    const { channel } = connecting;
    channel.meta.faults.next({ on: "register", do: "accept-then-reset" });
    await connecting.connect();
    const pin = channel.meta.numbers()[0]?.pin;
    await connecting.connect();
    expect(await connecting.status()).toMatchObject({ enabled: true });

    // It is not registered any more, and only this PIN registers it again.
    channel.meta.changeNumber(FRESH.phoneNumberId, { isRegistered: false });
    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect(channel.meta.numbers()).toEqual([expect.objectContaining({ isRegistered: true, pin })]);
  });

  it("is nobody else's while it is worked on, however many numbers there are", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    const { meta, rows } = connecting.channel;
    await connecting.connect();
    meta.faults.next({ on: "register", do: "slow", ms: 1_500, times: 2 });
    const busyUntil = async () =>
      (await rows<{ at: Date }>("select busy_until as at from whatsapp_onboardings"))[0]?.at;

    const going = connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId, SECOND.phoneNumberId] });
    await until(() => meta.requests[`POST /${FRESH.phoneNumberId}/register`] === 1, "the first number");
    const first = await busyUntil();
    await until(() => meta.requests[`POST /${SECOND.phoneNumberId}/register`] === 1, "the second number");
    const second = await busyUntil();
    await going;

    expect(second?.getTime()).toBeGreaterThan(first?.getTime() ?? Number.POSITIVE_INFINITY);
    expect(await rows("select 1 from whatsapp_onboardings where busy_until > now()")).toEqual([]);
  });

  it("is left to who has taken it over after a step that took too long", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    const { meta, rows } = connecting.channel;
    await connecting.connect();
    meta.faults.next({ on: "register", do: "slow", ms: 1_500, times: 3 });

    const first = connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId, SECOND.phoneNumberId] });
    await until(() => meta.requests[`POST /${FRESH.phoneNumberId}/register`] === 1, "the first number");
    await rows("update whatsapp_onboardings set busy_until = now()");
    const second = connecting.goOn();
    const answers = await Promise.all([first, second]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1].body.onboarding.state).toBe("done");
    expect(meta.requests[`POST /${SECOND.phoneNumberId}/register`]).toBe(1);
    expect(await connecting.onboarding()).toMatchObject({ state: "done", error: null });
  });

  describe("beside another one of the tenant, in two tabs", () => {
    const inTwoTabs = () => startConnecting({ meta: { numbers: [FRESH, SECOND] } });

    it("ends well where both come back, one after the other", async () => {
      const connecting = await inTwoTabs();
      const [one, other] = [await connecting.press(), await connecting.press()];
      const { login } = connecting.channel.meta;

      for (const dialog of [other, one])
        expect((await connecting.comeBack(login.decide(dialog))).headers.get("location")).toContain("whatsapp_choice=");
      const { status } = await connecting.goOn({ phone_number_ids: [SECOND.phoneNumberId] });

      expect([status, (await connecting.status()).numbers.length]).toEqual([200, 1]);
    });

    it("is told that the newer one has taken its place, and its answer is not taken for the newer one's", async () => {
      const connecting = await inTwoTabs();
      await connecting.connect();
      const { id: older } = await connecting.onboarding();
      await connecting.connect();
      const { id: newer } = await connecting.onboarding();
      const answer = { phone_number_ids: [FRESH.phoneNumberId] };

      const refused = await connecting.goOn({ onboarding_id: older, ...answer });

      expect([refused.status, refused.body.error.code]).toEqual([409, "ONBOARDING_REPLACED"]);
      expect(await connecting.onboarding()).toMatchObject({ id: newer, state: "choice", chosen: [] });
      expect((await connecting.goOn({ onboarding_id: newer.toUpperCase(), ...answer })).status).toBe(200);
      expect((await connecting.status()).numbers).toHaveLength(1);
    });

    it("is told so too where it was under way", async () => {
      const connecting = await startConnecting();
      const { meta } = connecting.channel;
      const [one, other] = [await connecting.press(), await connecting.press()];
      meta.faults.next({ on: "subscribed_apps", do: "slow", ms: 3_000 });
      const first = connecting.comeBack(meta.login.decide(one));
      await until(() => meta.requests[`POST /${FRESH.wabaId}/subscribed_apps`] === 1, "the first one to be under way");

      const second = await connecting.comeBack(meta.login.decide(other));

      expect(second.headers.get("location")).toContain("whatsapp_connected=true");
      expect((await first).headers.get("location")).toContain("whatsapp_error=onboarding_replaced");
      expect((await connecting.status()).numbers).toMatchObject([{ state: "connected" }]);
    });
  });

  it("cannot be gone on with after a day: its token is forgotten", async () => {
    const connecting = await startConnecting();
    connecting.channel.meta.faults.next({ on: "subscribed_apps", do: { error: { code: 2 } } });
    await connecting.connect();
    await connecting.channel.rows("update whatsapp_onboardings set created_at = now() - interval '25 hours'");

    const { status, body } = await connecting.goOn();

    expect(status).toBe(404);
    expect(body.error.code).toBe("ONBOARDING_MISSING");
  });
});

describe("a reconnect", () => {
  it("harms nothing when it is abandoned or fails", async () => {
    const connecting = await startConnecting();
    const { channel } = connecting;
    await connecting.connect();
    const before = await channel.rows("select access_token_enc from whatsapp_oauth_tokens");

    await connecting.press();
    await connecting.connect({ cancel: true });
    channel.meta.faults.next({ on: "subscribed_apps", do: { error: { code: 200 } } });
    await connecting.connect();

    expect(await channel.rows("select access_token_enc from whatsapp_oauth_tokens")).toEqual(before);
    expect(await connecting.status()).toMatchObject({ enabled: true, state: "connected" });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("Still there?");
    await channel.meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
    await quiet(channel);
  });

  it("brings back the numbers that wait for it without asking, and nothing is registered again", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    const { channel } = connecting;
    await connecting.connect();
    await connecting.goOn({ phone_number_ids: [FRESH.phoneNumberId] });
    await channel.rows("update whatsapp_connections set state = 'reauth_required', reason = 'x'");

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect((await connecting.status()).numbers).toEqual([
      expect.objectContaining({ phone_number_id: FRESH.phoneNumberId, state: "connected", reason: null }),
    ]);
    expect(channel.meta.requests[`POST /${FRESH.phoneNumberId}/register`]).toBe(1);
  });

  it.each([
    ["the tenant that had it", TENANT],
    ["another tenant", OTHER_TENANT],
  ])("by %s knows the PIN that we have set, though the number was disconnected", async (_who, tenant) => {
    const connecting = await startConnecting();
    const { meta } = connecting.channel;
    await connecting.connect();
    const pin = meta.numbers()[0]?.pin;
    await connecting.post("/disconnect", {});
    meta.changeNumber(FRESH.phoneNumberId, { isRegistered: false });

    const result = await connecting.connect(undefined, { tenant });

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect(meta.numbers()).toEqual([expect.objectContaining({ isRegistered: true, pin })]);
  });

  it("of a number that was paused is told: it sends again", async () => {
    const connecting = await startConnecting();
    const { channel } = connecting;
    await connecting.connect();
    await quiet(channel);
    await channel.rows(
      "update whatsapp_connections set paused_until = now() + interval '1 hour', pause_strikes = 1, reason = 'Meta has blocked it.'",
    );
    const told = () => channel.events.flatMap((event) => (event.kind === "connection" ? [event.connection.state] : []));

    await connecting.connect();
    await quiet(channel);
    expect(told()).toEqual(["connected", "connected"]);
    await connecting.connect();
    await quiet(channel);

    expect(told()).toEqual(["connected", "connected"]);
  });

  it("ends what was begun before, with its token", async () => {
    const connecting = await startConnecting({ meta: { numbers: [FRESH, SECOND] } });
    await connecting.connect();
    await connecting.connect();

    const rows = await connecting.channel.rows<{ has: boolean }>(
      "select access_token_enc is not null as has from whatsapp_onboardings order by created_at",
    );

    expect(rows.map(({ has }) => has)).toEqual([false, true]);
  });
});

describe("a number that another tenant holds", () => {
  async function heldByOther(): Promise<Connecting> {
    const connecting = await startConnecting({ meta: { numbers: [NUMBER] } });
    await connecting.channel.plugin.connect({
      customerConfigId: OTHER_TENANT,
      accessToken: ACCESS_TOKEN,
      phoneNumberId: NUMBER.phoneNumberId,
      wabaId: NUMBER.wabaId,
    });
    return connecting;
  }

  it("stays theirs until somebody who proves it confirms", async () => {
    const connecting = await heldByOther();
    const subscribed = connecting.channel.meta.requests[`POST /${NUMBER.wabaId}/subscribed_apps`];

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: "connection_conflict" });
    // Not even at Meta has anything been changed.
    expect(connecting.channel.meta.requests[`POST /${NUMBER.wabaId}/subscribed_apps`]).toBe(subscribed);
    const { state, numbers } = await connecting.onboarding();
    expect(state).toBe("takeover");
    expect(numbers).toEqual([expect.objectContaining({ held: "elsewhere" })]);
    expect(JSON.stringify(numbers)).not.toContain(OTHER_TENANT);
    expect(await connecting.status()).toMatchObject({ enabled: false });
    expect(await connecting.status({ tenant: OTHER_TENANT })).toMatchObject({ enabled: true, state: "connected" });
  });

  it("changes hands then, the other is told why, and people are answered by the new one", async () => {
    const connecting = await heldByOther();
    const { channel } = connecting;
    await connecting.connect();

    const { body } = await connecting.goOn({ takeover: true });
    await quiet(channel);

    expect(body.onboarding.state).toBe("done");
    expect(await connecting.status()).toMatchObject({ enabled: true, state: "connected" });
    expect(await connecting.status({ tenant: OTHER_TENANT })).toMatchObject({ enabled: false });
    expect(channel.events).toContainEqual({
      kind: "connection",
      connection: expect.objectContaining({
        customerConfigId: OTHER_TENANT,
        state: "disconnected",
        reason: expect.stringContaining("another account"),
      }),
    });
    const tokens = await channel.rows<{ customer_config_id: string }>(
      "select customer_config_id from whatsapp_oauth_tokens",
    );
    expect(tokens).toEqual([{ customer_config_id: TENANT }]);
    const [host] = await channel.rows<{ whatsapp_enabled: boolean }>(
      "select whatsapp_enabled, whatsapp_phone_number from customer_configs where id = ?",
      [OTHER_TENANT],
    );
    expect(host).toEqual({ whatsapp_enabled: false, whatsapp_phone_number: null });
  });

  it("is asked for each: a yes to one is none to the next", async () => {
    const second = { ...SECOND, isRegistered: true };
    const connecting = await startConnecting({ meta: { numbers: [NUMBER, second] } });
    for (const { phoneNumberId, wabaId } of [NUMBER, second])
      await connecting.channel.plugin.connect({
        customerConfigId: OTHER_TENANT,
        accessToken: ACCESS_TOKEN,
        phoneNumberId,
        wabaId,
      });
    connecting.channel.meta.faults.next({ on: "profile", do: { error: { code: 2 } } });
    await connecting.connect();
    await connecting.goOn({ phone_number_ids: [NUMBER.phoneNumberId] });
    expect((await connecting.goOn({ takeover: true })).body.onboarding.state).toBe("done");

    const { body } = await connecting.goOn({ phone_number_ids: [second.phoneNumberId] });

    expect(body.error.code).toBe("CONNECTION_CONFLICT");
    expect((await connecting.status({ tenant: OTHER_TENANT })).numbers).toEqual([
      expect.objectContaining({ phone_number_id: second.phoneNumberId, state: "connected" }),
    ]);
    expect((await connecting.goOn({ takeover: true })).body.onboarding.state).toBe("done");
    expect((await connecting.status({ tenant: OTHER_TENANT })).numbers).toEqual([]);
  });
});
