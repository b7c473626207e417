/** Keys that seal tokens, changed under a running channel: nothing is lost, nothing is overwritten, nothing is guessed. */
import { randomBytes, randomUUID } from "node:crypto";
import { createWhatsAppPlugin, rotateKeys } from "@omniops/whatsapp";
import { afterEach, describe, expect, it } from "vitest";
import { createDatabase } from "../../adapters/postgres/database.ts";
import { createSealedValues } from "../../adapters/postgres/sealed-values.ts";
import { createSecretBox } from "../../adapters/secret-box/secret-box.ts";
import {
  ACCESS_TOKEN,
  APP_SECRET,
  NUMBER,
  quiet,
  startChannel,
  TENANT,
  type TestChannel,
  until,
  VERIFY_TOKEN,
} from "../support/channel.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

const K1 = { kid: "k1", key: randomBytes(32) };
const K2 = { kid: "k2", key: randomBytes(32) };
const spelled = (...keys: readonly (typeof K1)[]) =>
  keys.map(({ kid, key }) => `${kid}:${Buffer.from(key).toString("base64")}`).join(",");
const configOf = (tokenKeys: string) => ({ metaAppSecret: APP_SECRET, verifyToken: VERIFY_TOKEN, tokenKeys });

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function database(): Promise<TestDatabase> {
  const made = await createTestDatabase();
  stops.push(made.drop);
  return made;
}

/** Connections with a token and a PIN, and onboardings with both, sealed with the given keys. */
async function fill({ knex }: TestDatabase, amount: number, key = K1): Promise<readonly string[]> {
  const box = createSecretBox([key]);
  const ids = Array.from({ length: amount }, () => randomUUID());
  const seal = (rowId: string, field: string) =>
    box.seal(`${field} of ${rowId}`, { customerConfigId: TENANT, rowId, field });
  for (const [i, id] of ids.entries()) {
    await knex("whatsapp_connections").insert({
      id,
      customer_config_id: TENANT,
      phone_number_id: `30177700${String(i).padStart(7, "0")}`,
      waba_id: NUMBER.wabaId,
      display_phone_number: "+1 555-777-0100",
      pin_enc: seal(id, "pin"),
    });
    await knex("whatsapp_oauth_tokens").insert({
      customer_config_id: TENANT,
      connection_id: id,
      access_token_enc: seal(id, "access_token"),
    });
  }
  const onboarding = randomUUID();
  await knex("whatsapp_onboardings").insert({
    id: onboarding,
    customer_config_id: TENANT,
    flow: "popup",
    access_token_enc: seal(onboarding, "access_token"),
    progress: JSON.stringify({
      chosen: ["1", "2"],
      pins: { "301777000000001": seal(onboarding, "pin"), "301777000000002": seal(onboarding, "pin") },
    }),
  });
  return ids;
}

async function allSealed({ knex }: TestDatabase) {
  return collect(createSealedValues(createDatabase(knex, { schema: "public", hostSchema: "public" })));
}

async function collect(values: ReturnType<typeof createSealedValues>) {
  const found = [];
  let page = await values.after(null, 7);
  while (page.length > 0) {
    found.push(...page);
    page = await values.after(page.at(-1)!.place, 7);
  }
  return found;
}

describe("rotating keys", () => {
  it("seals everything again with the first key: tokens, PINs, and those of onboardings", async () => {
    const db = await database();
    const ids = await fill(db, 120);

    const rotation = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });

    expect(rotation).toEqual({
      before: [{ kid: "k1", values: 243 }],
      after: [{ kid: "k2", values: 243 }],
      resealed: 243,
      unreadable: [],
      removable: ["k1"],
      neededForSignIns: [],
    });
    const box = createSecretBox([K2]);
    const opened = (await allSealed(db)).map(({ sealed, context }) => [box.open(sealed, context), context] as const);
    expect(opened).toHaveLength(243);
    for (const [secret, { rowId, field }] of opened) expect(secret).toBe(`${field} of ${rowId}`);
    expect(new Set(opened.map(([secret]) => secret))).toEqual(
      new Set([
        ...ids.flatMap((id) => [`access_token of ${id}`, `pin of ${id}`]),
        ...opened.filter(([, { rowId }]) => !ids.includes(rowId)).map(([secret]) => secret),
      ]),
    );
    const [onboarding] = await db.knex("whatsapp_onboardings").select("progress");
    expect(onboarding.progress.chosen).toEqual(["1", "2"]);
  });

  it("does nothing the second time, and only counts when told to", async () => {
    const db = await database();
    await fill(db, 2);
    const before = await allSealed(db);

    const checked = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)), checkOnly: true });

    expect(checked).toMatchObject({ resealed: 0, before: [{ kid: "k1", values: 7 }], removable: [] });
    expect(await allSealed(db)).toEqual(before);
    await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });
    const rotated = await allSealed(db);
    expect(await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) })).toMatchObject({ resealed: 0 });
    expect(await allSealed(db)).toEqual(rotated);
  });

  it("goes on where it was broken off", async () => {
    const db = await database();
    await fill(db, 3);
    const values = createSealedValues(createDatabase(db.knex, { schema: "public", hostSchema: "public" }));
    const box = createSecretBox([K2, K1]);
    for (const value of (await collect(values)).slice(0, 4))
      expect(await values.replace(value, box.seal(box.open(value.sealed, value.context), value.context))).toBe(true);

    const rotation = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });

    expect(rotation).toMatchObject({
      before: [
        { kid: "k1", values: 5 },
        { kid: "k2", values: 4 },
      ],
      after: [{ kid: "k2", values: 9 }],
      resealed: 5,
    });
  });

  it("never overwrites what was renewed since it was read", async () => {
    const db = await database();
    await fill(db, 1);
    const values = createSealedValues(createDatabase(db.knex, { schema: "public", hostSchema: "public" }));
    const read = await collect(values);
    await db.knex("whatsapp_oauth_tokens").update({ access_token_enc: "renewed" });
    await db.knex("whatsapp_connections").update({ pin_enc: "renewed" });
    await db.knex.raw(
      `update whatsapp_onboardings set access_token_enc = 'renewed',
         progress = jsonb_set(jsonb_set(progress, '{pins,301777000000001}', '"renewed"'), '{chosen}', '["3"]')`,
    );

    const replaced = await Promise.all(read.map((value) => values.replace(value, "old, sealed again")));

    expect(read.map(({ place }, i) => [place.kind, place.member, replaced[i]])).toEqual([
      ["onboarding-pin", "301777000000001", false],
      ["onboarding-pin", "301777000000002", true],
      ["onboarding-token", "", false],
      ["pin", "", false],
      ["token", "", false],
    ]);
    const [onboarding] = await db.knex("whatsapp_onboardings").select("progress");
    expect(onboarding.progress).toEqual({
      chosen: ["3"],
      pins: { "301777000000001": "renewed", "301777000000002": "old, sealed again" },
    });
  });

  it("names what does not open, leaves it, and does the rest", async () => {
    const db = await database();
    const [mine, lost, plain] = (await fill(db, 3)) as [string, string, string];
    const stranger = createSecretBox([{ kid: "k0", key: randomBytes(32) }]).seal("x", {
      customerConfigId: TENANT,
      rowId: lost,
      field: "access_token",
    });
    await db.knex("whatsapp_oauth_tokens").where({ connection_id: lost }).update({ access_token_enc: stranger });
    await db.knex("whatsapp_connections").where({ id: plain }).update({ pin_enc: "123456" });
    const [token] = await db.knex("whatsapp_oauth_tokens").where({ connection_id: lost }).select("id");

    const rotation = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });

    expect(rotation.resealed).toBe(7);
    expect(rotation.removable).toEqual(["k1"]);
    expect(rotation.after).toEqual([
      { kid: null, values: 1 },
      { kid: "k0", values: 1 },
      { kid: "k2", values: 7 },
    ]);
    expect(rotation.unreadable).toEqual([
      expect.objectContaining({ kind: "pin", id: plain, kid: null }),
      expect.objectContaining({ kind: "token", id: token.id, kid: "k0", error: expect.stringContaining("key id") }),
    ]);
    expect(JSON.stringify(rotation)).not.toContain("123456");
    const kept = await allSealed(db);
    expect(kept.map(({ sealed }) => sealed)).toEqual(expect.arrayContaining([stranger, "123456"]));
    expect(mine).toBeDefined();
  });

  it("keeps a key that a sign-in under way still needs", async () => {
    const db = await database();
    const state = (hash: string, ends: string, kid: string) => ({
      state_hash: hash,
      customer_config_id: TENANT,
      session_hash: "s",
      app_id: "1",
      redirect_uri: "https://host.test",
      return_to: "/",
      pkce_verifier_enc: `v1.${kid}.AA.AA`,
      expires_at: db.knex.raw(`now() + interval '${ends}'`),
    });
    await db.knex("whatsapp_oauth_states").insert([state("a", "5 minutes", "k1"), state("b", "-1 minute", "k0")]);
    const keys = spelled(K2, K1, { kid: "k0", key: randomBytes(32) });

    const rotation = await rotateKeys(db.knex, { config: configOf(keys) });

    expect(rotation).toMatchObject({ removable: ["k0"], neededForSignIns: ["k1"] });
  });

  it("leaves to whoever is busy with it what they would write back", async () => {
    const db = await database();
    await fill(db, 1);
    await db.knex.raw("update whatsapp_onboardings set busy_until = now() + interval '1 minute'");

    const during = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });
    await db.knex.raw("update whatsapp_onboardings set busy_until = now()");
    const after = await rotateKeys(db.knex, { config: configOf(spelled(K2, K1)) });

    expect(during).toMatchObject({ resealed: 2, removable: [], neededForSignIns: ["k1"] });
    expect(during.after).toContainEqual({ kid: "k1", values: 3 });
    expect(after).toMatchObject({ resealed: 3, removable: ["k1"], neededForSignIns: [] });
  });
});

describe("a key's life", () => {
  /** Another process of the host on the same database, with other keys. */
  function process(channel: TestChannel, tokenKeys: string) {
    return createWhatsAppPlugin({
      knex: channel.database.knex,
      config: { ...configOf(tokenKeys), graphUrl: channel.meta.url, coalesceMs: 0, leaseMs: 2_000, reconcileMs: 500 },
      reply: ({ messages }) => `You said: ${messages.map(({ text }) => text).join(" / ")}`,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      pollMs: 50,
    });
  }

  it("goes from the old key to the new one while people write and are answered", async () => {
    const channel = await startChannel({ config: { tokenKeys: spelled(K1, K2) } });
    stops.push(() => channel.stop());
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    let said = 0;
    let goOn = true;
    const chatting = (async () => {
      while (goOn) {
        said += 1;
        const expected = said;
        ada.says(`message ${said}`);
        await channel.meta.waitFor(() => channel.meta.accepted.length >= expected);
      }
    })();

    await until(() => channel.meta.accepted.length >= 3, "a few answers");
    const second = process(channel, spelled(K2, K1));
    await second.start();
    await channel.plugin.stop();
    const rotation = await rotateKeys(channel.database.knex, { config: configOf(spelled(K2, K1)) });
    const third = process(channel, spelled(K2));
    await third.start();
    await second.stop();
    const reached = channel.meta.accepted.length + 3;
    await until(() => channel.meta.accepted.length >= reached, "answers with the new key alone");
    goOn = false;
    await chatting;
    await quiet(channel);
    await third.stop();

    expect(rotation).toMatchObject({ resealed: 1, unreadable: [], removable: ["k1"] });
    const answers = channel.meta.accepted.map(({ body }) => (body as { text: { body: string } }).text.body);
    expect(answers).toEqual(Array.from({ length: said }, (_, i) => `You said: message ${i + 1}`));
    const [row] = await channel.rows<{ state: string; access_token_enc: string; connection_id: string }>(
      "select c.state, t.access_token_enc, t.connection_id from whatsapp_connections c join whatsapp_oauth_tokens t on t.connection_id = c.id",
    );
    expect(row?.state).toBe("connected");
    expect(
      createSecretBox([K2]).open(row!.access_token_enc, {
        customerConfigId: TENANT,
        rowId: row!.connection_id,
        field: "access_token",
      }),
    ).toBe(ACCESS_TOKEN);
  });
});
