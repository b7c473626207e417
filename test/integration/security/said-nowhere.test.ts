/** P9, T68: who writes and what they write is in no log, error or answer; and what looks for it after every test finds it. */
import { describe, expect, it } from "vitest";
import { leaksIn } from "../../support/canaries.ts";
import { ACCESS_TOKEN, APP_SECRET, quiet, startChannel, TENANT } from "../../support/channel.ts";
import { post } from "../receiving/deliveries.ts";

const PHONE = "447700900123";
const TEXT = "nobody may read this in a log";
const SECRETS = { "the app secret": APP_SECRET, "the access token": ACCESS_TOKEN };

describe("secrets, numbers and texts", () => {
  it("are in no log, error or answer, whatever goes wrong with them", async () => {
    let tries = 0;
    const channel = await startChannel({
      reply({ messages }) {
        if (++tries === 1) throw new Error(`no answer to ${PHONE}: ${messages[0]?.text}`);
        return `you said: ${TEXT}`;
      },
    });
    const { meta, url } = channel;
    const answers: string[] = [];
    const ask = async (path: string, body: object) => {
      const headers = { "x-tenant": TENANT, "content-type": "application/json" };
      const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      answers.push(await answer.text());
    };

    // The host throws, Meta refuses what it quotes, and then for good; a delivery is cut, one is forged.
    meta.faults.next({
      do: { error: { code: 131_000, message: `to ${PHONE}: ${TEXT}`, details: `${PHONE} ${TEXT}` } },
    });
    meta.faults.next({
      do: { error: { code: 131_026, message: `to ${PHONE}: ${TEXT}`, details: `${PHONE} ${TEXT}` } },
    });
    meta.person({ name: "Ada", phoneNumber: PHONE }).says(TEXT);
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state = 'failed'"))[0],
      "the refusal",
    );
    const cut = Buffer.from(`{"from":"${PHONE}","text":"${TEXT}"`);
    answers.push((await post(channel, cut)).body);
    answers.push((await post(channel, cut, { "x-hub-signature-256": `sha256=${"0".repeat(64)}` })).body);
    await ask("/send", { conversationId: PHONE, text: TEXT, accessToken: ACCESS_TOKEN });
    await ask("/templates", { name: TEXT, body: PHONE });
    await ask("/webhooks/1/replay", { reason: TEXT, phone: PHONE });
    await quiet(channel);

    expect(tries).toBeGreaterThan(1);
    expect(channel.logs.length).toBeGreaterThan(5);
    expect(leaksIn(answers.join("\n"), SECRETS, meta, [TEXT])).toEqual([]);
    // What it has logged is looked through as after every test.
    await channel.stop();
  });

  it.each([
    ["a person's phone number", PHONE, "a person's phone number"],
    ["a person's user id", "GB.Ada1234567890", "a person's user id"],
    ["what a person wrote", `said: ${TEXT}`, "the text of a message"],
    ["what a person was answered", `answered: You said: ${TEXT}`, "the text of a message"],
    ["the app secret", APP_SECRET, "the app secret"],
    ["an access token", `Bearer ${ACCESS_TOKEN}`, "the configured access token"],
  ])("are found after any test that logs them: %s", async (_what, said, name) => {
    const channel = await startChannel();
    channel.meta.person({ name: "Ada", phoneNumber: PHONE }).says(TEXT);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    channel.logs.push({ level: "debug", message: "something", fields: { said } });

    await expect(channel.stop()).rejects.toMatchObject({ actual: [name] });
  });
});
