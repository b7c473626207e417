/** The channel's data sheet. `plugin.manifest.json` is written from it and compared with it by a test. */
import { z } from "zod";
import { OPTIONS } from "./config.ts";
import type { PluginManifest } from "./contract.ts";
import { ROUTES } from "./http/route-table.ts";
import { MESSAGE_KINDS } from "./messages/check-message.ts";
import { VERSION } from "./version.ts";
import { WEBHOOK_FIELDS } from "./webhook/fields.ts";
import { MESSAGE_TYPES } from "./webhook/parse-content.ts";

/** `plugin.manifest.json` as a value: who the channel is, what it can do and what it needs. */
export const manifest: PluginManifest = {
  id: "whatsapp",
  name: "WhatsApp",
  version: VERSION,
  contract: "1.0",
  entry: "@omniops/whatsapp",
  migrations: "@omniops/whatsapp/migrations",
  capabilities: { inbound: MESSAGE_TYPES, outbound: MESSAGE_KINDS },
  routes: ROUTES.map(({ method, path, auth }) => ({ method, path, auth })),
  oauthScopes: ["whatsapp_business_management", "whatsapp_business_messaging"],
  webhookFields: WEBHOOK_FIELDS,
  tables: {
    owned: [
      "whatsapp_alarms",
      "whatsapp_connections",
      "whatsapp_contact_aliases",
      "whatsapp_contacts",
      "whatsapp_erased_messages",
      "whatsapp_erasures",
      "whatsapp_events",
      "whatsapp_host_changes",
      "whatsapp_host_events",
      "whatsapp_lanes",
      "whatsapp_media",
      "whatsapp_media_leftovers",
      "whatsapp_media_uploads",
      "whatsapp_migrations",
      "whatsapp_migrations_lock",
      "whatsapp_oauth_states",
      "whatsapp_oauth_tokens",
      "whatsapp_onboardings",
      "whatsapp_outbox",
      "whatsapp_paces",
      "whatsapp_preferences",
      "whatsapp_send_attempts",
      "whatsapp_sends",
      "whatsapp_sessions",
      "whatsapp_templates",
      "whatsapp_turns",
      "whatsapp_upkeep",
      "whatsapp_webhooks",
    ],
    extended: ["conversations", "customer_configs", "messages"],
  },
  config: configSchema(),
};

function configSchema(): Readonly<Record<string, unknown>> {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  for (const { env, schema, description, ...rest } of Object.values(OPTIONS)) {
    const { $schema: _schema, ...shape } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    properties[env] = { ...shape, description, ...("secret" in rest ? { secret: true } : {}) };
    if (!schema.safeParse(undefined).success) required.push(env);
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties,
    required,
    // Either names the app secret.
    anyOf: [OPTIONS.metaAppSecret, OPTIONS.appSecret].map(({ env }) => ({ required: [env] })),
  };
}
