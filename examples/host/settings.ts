/** The example host's environment, read once, with every problem in it. */
import { ChannelError, createWhatsAppPlugin, whatsappConfigFromEnv } from "@omniops/whatsapp";
import knexFactory from "knex";

export type HostSettings = {
  readonly port: number;
  readonly host: string;
  /** Absent: an embedded Postgres. */
  readonly databaseUrl: string | undefined;
  /** Absent: the built-in bot answers. */
  readonly chatApiUrl: string | undefined;
  readonly apiKey: string;
  /** Connects the demo tenant at start; absent: the number is connected some other way. */
  readonly connect:
    | { readonly accessToken: string; readonly phoneNumberId: string; readonly wabaId: string }
    | undefined;
  /** Passed on to the channel. */
  readonly env: Environment;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** The demo tenant, a `customer_configs.id`. */
export const DEMO_TENANT = "00000000-0000-4000-8000-000000000001";

/** Known to everybody who reads the documentation: for development only. */
export const DEMO_API_KEY = "demo-key";

export function readSettings(env: Environment): HostSettings {
  const {
    WHATSAPP_ACCESS_TOKEN: accessToken,
    WHATSAPP_PHONE_NUMBER_ID: phoneNumberId,
    WHATSAPP_BUSINESS_ACCOUNT_ID: wabaId,
  } = env;
  const port = Number(env.PORT || 4700);
  return {
    port,
    host: env.HOST || "127.0.0.1",
    databaseUrl: env.DATABASE_URL || undefined,
    chatApiUrl: env.CHAT_API_URL || undefined,
    apiKey: env.HOST_API_KEY || DEMO_API_KEY,
    connect: accessToken && phoneNumberId && wabaId ? { accessToken, phoneNumberId, wabaId } : undefined,
    // Without an address of its own it is this machine's, which Meta's simulator and a browser here can reach.
    env: port > 0 ? { ...env, NEXT_PUBLIC_APP_URL: env.NEXT_PUBLIC_APP_URL || `http://127.0.0.1:${port}` } : env,
  };
}

/** Everything that is wrong or missing, each with its fix: nothing has been started or asked yet. */
export function problemsOf({ port, databaseUrl, chatApiUrl, env }: HostSettings): readonly string[] {
  const problems: string[] = [];
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    problems.push("PORT must be a number from 0 to 65535; 0 takes any free one.");
  if (databaseUrl !== undefined && !isUrl(databaseUrl, ["postgres:", "postgresql:"]))
    problems.push(
      "DATABASE_URL must look like postgres://user:password@host:5432/database. Leave it out for an embedded Postgres.",
    );
  if (chatApiUrl !== undefined && !isUrl(chatApiUrl, ["http:", "https:"]))
    problems.push("CHAT_API_URL must be an http or https address. Leave it out for the built-in bot.");
  const trio = ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_BUSINESS_ACCOUNT_ID"];
  const missing = trio.filter((name) => !env[name]);
  if (missing.length > 0 && missing.length < trio.length)
    problems.push(`${missing.join(" and ")} missing: set ${trio.join(", ")} together, or none of them.`);
  return [...problems, ...channelProblemsOf(env)];
}

/** The channel refuses to be constructed without its secrets; constructing it opens nothing. */
function channelProblemsOf(env: Environment): readonly string[] {
  const knex = knexFactory({ client: "pg" });
  try {
    createWhatsAppPlugin({ knex, config: whatsappConfigFromEnv(env), reply: () => null });
    return [];
  } catch (error) {
    if (error instanceof ChannelError && error.code === "CONFIG_INVALID") return error.message.split("\n- ").slice(1);
    throw error;
  }
}

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|::ffff:127(?:\.\d{1,3}){3})$/.test(host);
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
