/** The example host's environment, read once. */

export type HostSettings = {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  /** Absent: the built-in bot answers. */
  readonly chatApiUrl: string | undefined;
  readonly apiKey: string;
  /** Connects the demo tenant at start; absent: the number is connected some other way. */
  readonly connect:
    | { readonly accessToken: string; readonly phoneNumberId: string; readonly wabaId: string }
    | undefined;
  /** Passed on to the channel. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** The demo tenant, a `customer_configs.id`. */
export const DEMO_TENANT = "00000000-0000-4000-8000-000000000001";

export function readSettings(env: Readonly<Record<string, string | undefined>>, databaseUrl: string): HostSettings {
  const {
    WHATSAPP_ACCESS_TOKEN: accessToken,
    WHATSAPP_PHONE_NUMBER_ID: phoneNumberId,
    WHATSAPP_BUSINESS_ACCOUNT_ID: wabaId,
  } = env;
  const port = Number(env.PORT || 4700);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error("PORT must be a number from 0 to 65535.");
  const given = [accessToken, phoneNumberId, wabaId].filter(Boolean).length;
  if (given > 0 && given < 3)
    throw new Error(
      "Set WHATSAPP_ACCESS_TOKEN, WHATSAPP_PHONE_NUMBER_ID and WHATSAPP_BUSINESS_ACCOUNT_ID together, or none of them.",
    );
  return {
    port,
    host: env.HOST || "127.0.0.1",
    databaseUrl,
    chatApiUrl: env.CHAT_API_URL || undefined,
    apiKey: env.HOST_API_KEY || "demo-key",
    connect: accessToken && phoneNumberId && wabaId ? { accessToken, phoneNumberId, wabaId } : undefined,
    env,
  };
}
