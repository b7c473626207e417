/** The manifest against everything it speaks of: no second truth. */
import { readdirSync, readFileSync } from "node:fs";
import { manifest } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { OPTIONS, parseConfig, whatsappConfigFromEnv } from "../../plugin/config.ts";
import type { OutboundMessage } from "../../plugin/contract.ts";
import { parseWebhook } from "../../plugin/webhook/parse-webhook.ts";
import { startChannel } from "../support/channel.ts";
import { createTestDatabase } from "../support/postgres.ts";

type Json = Readonly<Record<string, unknown>>;
const read = (file: string): Json => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));

describe("plugin.manifest.json", () => {
  it("is the manifest in the code: `npm run manifest` writes it", () => {
    expect(read("plugin.manifest.json")).toEqual(JSON.parse(JSON.stringify(manifest)));
  });

  it("names the package's version and entries", () => {
    const { name, version, exports } = read("package.json");

    expect(manifest.version).toBe(version);
    for (const entry of [manifest.entry, manifest.migrations])
      expect(exports).toHaveProperty([entry.replace(String(name), ".")]);
  });
});

describe("the manifest", () => {
  it("lists the routes that the router has, in their order", async () => {
    const channel = await startChannel({ start: false, connect: false });
    type Layer = { readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> } };
    const { stack } = channel.plugin.router as unknown as { readonly stack: readonly Layer[] };

    const routes = stack.map(({ route }) => ({ path: route?.path, methods: Object.keys(route?.methods ?? {}) }));

    expect(routes).toEqual(manifest.routes.map(({ method, path }) => ({ path, methods: [method.toLowerCase()] })));
  });

  it("says truly who may call each route", async () => {
    const channel = await startChannel({ start: false, connect: false });

    for (const { method, path, auth } of manifest.routes) {
      const url = channel.url + path.replace(/:\w+/g, "00000000-0000-4000-8000-00000000000a");
      const { status } = await fetch(url, method === "POST" ? { method, body: "{}" } : { method });
      // A page about something that is not there is still anybody's to ask for.
      // The page is for a browser's eyes: HTTP's own word for somebody who has to sign in.
      if (path === "/ui/") {
        expect(status).toBe(401);
        continue;
      }
      const expected = auth === "public" ? [200, 404] : auth === "tenant" || auth === "host" ? [403] : [401, 403];
      expect([path, expected.includes(status)]).toEqual([path, true]);
    }
  });

  it("has a property for every option, with its secrets marked", () => {
    const { properties } = manifest.config as { properties: Readonly<Record<string, { secret?: true }>> };

    expect(Object.keys(properties)).toEqual(Object.values(OPTIONS).map(({ env }) => env));
    expect(Object.keys(properties).filter((name) => properties[name]?.secret)).toEqual([
      "META_APP_SECRET",
      "WHATSAPP_APP_SECRET",
      "WHATSAPP_VERIFY_TOKEN",
      "WHATSAPP_TOKEN_KEYS",
    ]);
  });

  it("requires exactly what a configuration cannot do without", () => {
    const { required, anyOf } = manifest.config as { required: string[]; anyOf: { required: string[] }[] };
    const whole: Record<string, string> = {
      META_APP_SECRET: "an-app-secret",
      WHATSAPP_VERIFY_TOKEN: "a-verify-token",
      WHATSAPP_TOKEN_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
    };
    const parse = (env: Record<string, string | undefined>) => () => parseConfig(whatsappConfigFromEnv(env));

    expect(parse(whole)).not.toThrow();
    expect([...required, "META_APP_SECRET"].sort()).toEqual(Object.keys(whole).sort());
    for (const name of Object.keys(whole)) expect(parse({ ...whole, [name]: undefined })).toThrow(name);
    expect(anyOf).toEqual([{ required: ["META_APP_SECRET"] }, { required: ["WHATSAPP_APP_SECRET"] }]);
    expect(parse({ ...whole, META_APP_SECRET: undefined, WHATSAPP_APP_SECRET: "an-app-secret" })).not.toThrow();
  });

  it("claims the message kinds that are parsed and encoded, and no other", () => {
    const content: Json = {
      text: { body: "hi" },
      location: { latitude: 51.5, longitude: -0.12 },
      contacts: [{}],
      button: { text: "Yes", payload: "yes" },
      interactive: { type: "button_reply", button_reply: { id: "1", title: "Yes" } },
    };
    const kindOf = (type: string) => {
      const message = {
        id: `wamid.${type}`,
        from: "447700900123",
        timestamp: "1790000000",
        type,
        [type]: content[type] ?? {},
      };
      const value = { metadata: { phone_number_id: "301777000333444" }, messages: [message] };
      const payload = {
        object: "whatsapp_business_account",
        entry: [{ id: "1", changes: [{ field: "messages", value }] }],
      };
      return parseWebhook(payload)[0]?.kind;
    };

    for (const type of manifest.capabilities.inbound) expect([type, kindOf(type)]).toEqual([type, "message"]);
    for (const type of ["reaction", "system", "unsupported", "edit", "revoke", "poll", "constructor"])
      expect([type, kindOf(type)]).toEqual([type, "unsupported"]);
    // Those that are shown to be encoded by a pair of files.
    const folder = new URL("../../fixtures/graph-api/", import.meta.url);
    const encoded = readdirSync(folder)
      .filter((name) => name.endsWith(".body.json"))
      .map((name) => readFileSync(new URL(name.replace(".body.", ".message."), folder), "utf8"))
      .map((text) => (JSON.parse(text) as OutboundMessage).kind);
    expect([...new Set(encoded)].sort()).toEqual([...manifest.capabilities.outbound].sort());
  });

  it("lists the tables that the migrations make, and those of the host that they extend", async () => {
    const { knex } = await createTestDatabase();
    const { rows } = await knex.raw<{ rows: { name: string }[] }>(
      "select table_name as name from information_schema.tables where table_schema = 'public' order by table_name",
    );
    const names = rows.map(({ name }) => name);

    expect(names.filter((name) => name.startsWith("whatsapp_"))).toEqual(manifest.tables.owned);
    expect(names.filter((name) => !name.startsWith("whatsapp_"))).toEqual([...manifest.tables.extended].sort());
  });
});
