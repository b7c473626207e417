/** Every pair in fixtures/webhooks: the bytes that Meta posts, and the events we promise to make of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { signatureOf } from "@omniops/whatsapp/simulator";
import { beforeAll, describe, expect, it } from "vitest";
import { manifest } from "../../plugin/manifest.ts";
import { parseWebhook } from "../../plugin/webhook/parse-webhook.ts";
import { readPayload } from "../../plugin/webhook/read-payload.ts";
import { verifySignature } from "../../plugin/webhook/verify-signature.ts";
import { webhookType } from "../../plugin/webhook/webhook-type.ts";
import { APP_SECRET, startChannel, type TestChannel } from "../support/channel.ts";
import { EVENT_KINDS } from "../unit/webhook/event-kinds.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/webhooks/", import.meta.url));
const REQUEST = ".request.json";
const EVENTS = ".events.json";

type Case = { readonly bytes: Buffer; readonly events: unknown };

/** Names of all cases; a file without its partner is an error, not a case less. */
function listCases(folder: string): readonly string[] {
  const files = readdirSync(folder);
  for (const file of files) {
    const [mine, partner] = file.endsWith(REQUEST) ? [REQUEST, EVENTS] : [EVENTS, REQUEST];
    if (!file.endsWith(mine)) throw new Error(`${file} is neither a ${REQUEST} nor an ${EVENTS} file.`);
    const other = file.replace(mine, partner);
    if (!files.includes(other)) throw new Error(`${file} has no partner: add ${other} (see fixtures/README.md).`);
  }
  return files.filter((file) => file.endsWith(REQUEST)).map((file) => file.slice(0, -REQUEST.length));
}

function readCase(name: string): Case {
  const events: unknown = JSON.parse(readFileSync(join(FOLDER, name + EVENTS), "utf8"));
  return { bytes: readFileSync(join(FOLDER, name + REQUEST)), events };
}

function parse(bytes: Buffer) {
  const payload = readPayload(verifySignature(bytes, signatureOf(bytes, APP_SECRET), [APP_SECRET]));
  return parseWebhook(payload.kind === "json" ? payload.value : expect.fail(payload.reason));
}

const cases = listCases(FOLDER);

describe("recorded webhooks, parsed", () => {
  it.each(cases)("%s becomes the promised events", (name) => {
    const { bytes, events } = readCase(name);

    const parsed = parse(bytes);

    expect(JSON.parse(JSON.stringify(parsed))).toEqual(events);
    const keys = parsed.map(({ dedupeKey }) => dedupeKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each(cases)("%s is one line of ASCII with escaped slashes, as Meta writes it", (name) => {
    const text = readCase(name).bytes.toString("latin1");

    expect(text).toMatch(/^\{.+\}$/);
    expect(text).not.toMatch(/[^ -~]|[^\\]\//);
  });
});

describe("recorded webhooks, posted to the mounted router", () => {
  let channel: TestChannel;
  beforeAll(async () => {
    channel = await startChannel({ reply: () => null });
  });

  it.each(cases)("%s is stored byte for byte and worked to its end", async (name) => {
    const { bytes, events } = readCase(name);

    const response = await fetch(`${channel.url}/webhook`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-hub-signature-256": signatureOf(bytes, APP_SECRET) },
      body: new Uint8Array(bytes),
    });

    expect([response.status, await response.text()]).toEqual([200, ""]);
    const stored = await channel.until(async () => {
      const [row] = await channel.rows<{ body: Buffer; processed: boolean; error: string | null; events: string }>(
        `select body, processed, error, (select count(*) from whatsapp_events e where e.webhook_id = w.id) as events
         from whatsapp_webhooks w order by id desc limit 1`,
      );
      return row !== undefined && (row.processed || row.error !== null) && row;
    }, "the delivery to be applied");
    expect(stored.body.equals(bytes)).toBe(true);
    expect(Number(stored.events)).toBe((events as unknown[]).length);
    expect(stored.error ?? "").toMatch(/^(?:unrouted: .*)?$/);
  });
});

describe("the folder of recorded webhooks", () => {
  it("refuses a file without its partner, and says which one to add", () => {
    const folder = mkdtempSync(join(tmpdir(), "recorded-webhooks-"));
    writeFileSync(join(folder, `lonely${REQUEST}`), "{}");

    expect(() => listCases(folder)).toThrow(
      "lonely.request.json has no partner: add lonely.events.json (see fixtures/README.md).",
    );
    rmSync(folder, { recursive: true });
  });

  it("holds every kind of event and every status of a message", () => {
    const told = cases.flatMap((name) => readCase(name).events as { kind: string; status?: string }[]);
    const statuses = told.flatMap(({ kind, status }) => (kind === "status" ? [status] : []));

    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(EVENT_KINDS));
    expect(new Set(statuses)).toEqual(new Set(["sent", "delivered", "read", "played", "failed"]));
  });

  it("holds every message type and every field that the manifest claims, none of them as something unknown", () => {
    const eventsOf = (name: string) => readCase(name).events as { kind: string; type?: string }[];
    const types = cases.flatMap(eventsOf).flatMap(({ kind, type }) => (kind === "message" ? [type] : []));
    const fields = cases.filter((name) => eventsOf(name).some(({ kind }) => kind !== "unsupported")).flatMap(fieldsOf);

    expect(manifest.capabilities.inbound.filter((type) => !types.includes(type))).toEqual([]);
    expect(manifest.webhookFields.filter((field) => !fields.includes(field))).toEqual([]);
  });

  it.each(cases)("finds %s by a word that a person would look for", (name) => {
    const events = parse(readCase(name).bytes);
    const words = events.length === 0 ? ["unknown"] : [...WORDS, ...manifest.webhookFields, ...fieldsOf(name)];

    expect(words).toContain(webhookType(events));
  });
});

/** Meta's fields, and what is told apart inside of `messages`. */
const WORDS = ["message", "status", "system", "errors", "user_actions"];

function fieldsOf(name: string): readonly string[] {
  const { entry } = JSON.parse(readCase(name).bytes.toString()) as { entry: { changes: { field: string }[] }[] };
  return entry.flatMap(({ changes }) => changes.map(({ field }) => field));
}
