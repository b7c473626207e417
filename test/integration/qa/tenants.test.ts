/** A recording of one tenant's: nothing of what came for the others in the same deliveries. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTraffic } from "@omniops/whatsapp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { recordCommand } from "../../../cli/record.ts";
import { allQuiet, NUMBER, TENANT, type TestChannel } from "../../support/channel.ts";
import { posted } from "../leaving/canaries.ts";
import { connectNumber, OTHER_TENANT, SECOND_NUMBER, startLeaving } from "../leaving/leaving.ts";

let channel: TestChannel;
let folder: string;

const wrote = (number: typeof NUMBER, phone: string, name: string, body: string) => ({
  field: "messages",
  value: {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: number.displayPhoneNumber, phone_number_id: number.phoneNumberId },
    contacts: [{ profile: { name }, wa_id: phone }],
    messages: [
      {
        from: phone,
        id: `wamid.${Buffer.from(body).toString("base64url")}`,
        timestamp: String(Math.floor(Date.now() / 1000)),
        type: "text",
        text: { body },
      },
    ],
  },
});
const delivery = (...changes: object[]) => ({
  object: "whatsapp_business_account",
  entry: [{ id: NUMBER.wabaId, changes }],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omniops-tenants-"));
  channel = await startLeaving({ reply: ({ messages }) => `You said: ${messages[0]?.text}` });
  await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);
  await posted(channel, delivery(wrote(SECOND_NUMBER, "447700900999", "Zebedee Quux", "hi")));
  await posted(
    channel,
    delivery(
      wrote(NUMBER, "447700900123", "Ada", "please give this to Zebedee Quux"),
      wrote(SECOND_NUMBER, "447700900456", "Ben", "my diagnosis"),
    ),
  );
  await allQuiet(channel);
});
afterAll(async () => {
  await channel.stop();
  await rm(folder, { recursive: true, force: true });
});

test("holds of a delivery with others' changes only the tenant's, and is clean of people whom only another tenant knows", async () => {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  const out = join(folder, "out");
  const code = await recordCommand.run([
    ...["--tenant", TENANT, "--text", "keep", "--out", out, "--database-url", channel.database.url],
  ]);
  printed.mockRestore();

  expect(code).toBe(0);
  const files = await readdir(out);
  const texts = (await Promise.all(files.map((file) => readFile(join(out, file), "utf8")))).join("\n");
  expect(texts).toContain("please give this to");
  expect(texts).not.toMatch(/diagnosis|Zebedee|Quux/);
});

test("is read with the turns and people of that tenant alone, and without a tenant whole", async () => {
  const own = await readTraffic(channel.database.knex, { customerConfigId: TENANT });
  const all = await readTraffic(channel.database.knex);

  const bodies = ({ deliveries }: typeof own) => deliveries.map(({ body }) => Buffer.from(body).toString("utf8"));
  expect(bodies(own).join()).not.toContain("diagnosis");
  expect(own.turns.map(({ phoneNumber }) => phoneNumber)).toEqual(["447700900123"]);
  expect(own.people.map(({ name }) => name)).toEqual(["Ada"]);
  const stored = await channel.rows<{ body: string }>(
    "select convert_from(body, 'UTF8') as body from whatsapp_webhooks order by id",
  );
  expect(bodies(all)).toEqual(stored.map(({ body }) => body));
});
