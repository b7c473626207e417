/** Configuration: unknown in, frozen value out, every problem in one error with its fix. */
import { z } from "zod";
import { ChannelError } from "./errors.ts";

/** Options as a plain object; `whatsappConfigFromEnv` makes one from environment variables. */
export type WhatsAppConfigInput = { readonly [Option in keyof typeof OPTIONS]?: string | number | undefined };

type TokenKey = { readonly kid: string; readonly key: Uint8Array };

export type WhatsAppConfig = {
  /** The Meta app; null where numbers are connected with tokens only and nobody presses a button. */
  readonly appId: string | null;
  /** The configuration of Facebook Login for Business; null for the classic scopes. */
  readonly loginConfigId: string | null;
  /** The origin that people's browsers know this app by; null where there is no button. */
  readonly appUrl: string | null;
  /** Where the router is mounted, as Meta and browsers see it. */
  readonly basePath: string;
  /** Pages of the host's to which a browser may come back from Meta; the first unless another is asked for. */
  readonly returnPaths: readonly string[];
  /** The origin of Meta's login dialog. */
  readonly dialogUrl: string;
  /** Whether codes are bound to us by PKCE. */
  readonly usesPkce: boolean;
  /** Each may have signed webhooks and Meta's callbacks: the current one first, with which calls are made too. */
  readonly appSecrets: readonly string[];
  /** The variable that holds the first, and how many that one holds. */
  readonly appSecretFrom: { readonly env: string; readonly count: number };
  readonly verifyToken: string;
  /** The first encrypts, all decrypt. */
  readonly tokenKeys: readonly TokenKey[];
  /** Where media are kept when the host names no store. */
  readonly mediaDir: string;
  readonly graphUrl: string;
  readonly graphVersion: string;
  readonly leaseMs: number;
  readonly reconcileMs: number;
  readonly coalesceMs: number;
};

type Option = {
  readonly env: string;
  readonly schema: z.ZodType;
  readonly secret?: true;
  readonly description: string;
};

const RANDOM_HEX = `node -e "console.log(require('crypto').randomBytes(32).toString('hex'))"`;
const RANDOM_KEY = `node -e "console.log('k1:' + require('crypto').randomBytes(32).toString('base64'))"`;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

const LONGER = "must have 8 characters or more";

const appSecret = z
  .string()
  .min(1)
  .transform((text) => text.split(",").map((part) => part.trim()))
  .pipe(z.array(z.string().min(8, LONGER)).min(1).max(2, "must be one secret, or two while you rotate it"));

const tokenKeys = z
  .string()
  .min(1)
  .transform((text) => text.split(",").map(readTokenKey))
  .refine((keys) => keys.every((key) => key !== null), "must be kid:base64 with 32 bytes each")
  .refine((keys) => new Set(keys.map((key) => key?.kid)).size === keys.length, "must not use a key id twice");

const origin = (example: string) =>
  z.string().refine(isOrigin, `must be an https origin such as ${example} (http on loopback only)`);
const digits = z.string().regex(/^\d{1,20}$/, "must be digits");
const path = z.string().regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, "must be a path such as /api/whatsapp");
const milliseconds = (least: number) => z.coerce.number().int().min(least).max(3_600_000);

/** Every option, once: what it is called, what it may be, and whether it is a secret. */
export const OPTIONS = {
  metaAppId: {
    env: "META_APP_ID",
    schema: digits.optional(),
    description: "App id (Meta app, Settings, Basic). Needed for the Connect button.",
  },
  metaAppSecret: {
    env: "META_APP_SECRET",
    schema: appSecret.optional(),
    secret: true,
    description:
      "App secret (Meta app, Settings, Basic). A second value after a comma is accepted too while you rotate it.",
  },
  metaConfigId: {
    env: "META_CONFIG_ID",
    schema: digits.optional(),
    description:
      "Configuration id of Facebook Login for Business, with the WhatsApp Embedded Signup variation. Without it the classic scopes are asked for.",
  },
  appSecret: {
    env: "WHATSAPP_APP_SECRET",
    schema: appSecret.optional(),
    secret: true,
    description:
      "Not needed: it is the same secret. Where both are set, webhooks signed with either are taken, and calls are made with META_APP_SECRET.",
  },
  verifyToken: {
    env: "WHATSAPP_VERIFY_TOKEN",
    schema: z.string().min(8, LONGER),
    secret: true,
    description: `The verify token entered in the Meta app. Make one: ${RANDOM_HEX}`,
  },
  tokenKeys: {
    env: "WHATSAPP_TOKEN_KEYS",
    schema: tokenKeys,
    secret: true,
    description: `Keys that encrypt access tokens, kid:base64, comma-separated; the first encrypts. Make one: ${RANDOM_KEY}`,
  },
  appUrl: {
    env: "NEXT_PUBLIC_APP_URL",
    schema: origin("https://your-domain.com").optional(),
    description: "The origin that browsers and Meta know this app by. Needed for the Connect button.",
  },
  basePath: {
    env: "WHATSAPP_BASE_PATH",
    schema: path.default("/api/whatsapp"),
    description: "Where the router is mounted, as browsers and Meta see it.",
  },
  returnPaths: {
    env: "WHATSAPP_RETURN_PATHS",
    schema: z
      .string()
      .default("/dashboard/integrations")
      .transform((text) => text.split(",").map((part) => part.trim()))
      .pipe(z.array(path).min(1)),
    description: "Pages of yours to which a browser may come back from Meta, comma-separated; the first by default.",
  },
  dialogUrl: {
    env: "META_DIALOG_URL",
    schema: origin("https://www.facebook.com").default("https://www.facebook.com"),
    description: "Origin of Meta's login dialog; the simulator's in development.",
  },
  pkce: {
    env: "META_PKCE",
    schema: z.enum(["S256"], "must be S256, or not set").optional(),
    description:
      "S256 binds codes to this app by PKCE. Meta documents it for the OpenID flow only, so it is off unless you set it.",
  },
  graphUrl: {
    env: "META_GRAPH_URL",
    schema: origin("https://graph.facebook.com").default("https://graph.facebook.com"),
    description: "Graph API origin; the simulator's in development.",
  },
  graphVersion: {
    env: "META_GRAPH_VERSION",
    schema: z
      .string()
      .regex(/^v\d{1,3}\.\d$/, "must look like v25.0")
      .default("v25.0"),
    description: "Graph API version.",
  },
  mediaDir: {
    env: "WHATSAPP_MEDIA_DIR",
    schema: z
      .string()
      .regex(/^[^\0]+$/, "must be a path")
      .default(".data/media"),
    description:
      "Folder for pictures, voice notes and documents, where no mediaStore is given; shared by all instances.",
  },
  leaseMs: {
    env: "WHATSAPP_LEASE_MS",
    schema: milliseconds(300).default(30_000),
    description: "How long after a crash a conversation waits at most, in milliseconds.",
  },
  reconcileMs: {
    env: "WHATSAPP_RECONCILE_MS",
    schema: milliseconds(100).default(120_000),
    description:
      "How long a status webhook may take to tell what became of a send whose answer was lost, in milliseconds.",
  },
  coalesceMs: {
    env: "WHATSAPP_COALESCE_MS",
    schema: milliseconds(0).default(700),
    description: "How long to wait for more messages before the AI is asked, in milliseconds.",
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Reads the variables of `docs/reference/options.md`; an empty or blank one counts as not set. It checks nothing: `createWhatsAppPlugin` does. */
export function whatsappConfigFromEnv(env: Readonly<Record<string, string | undefined>>): WhatsAppConfigInput {
  return Object.fromEntries(
    Object.entries(OPTIONS).map(([option, { env: name }]) => [option, env[name]?.trim() || undefined]),
  );
}

/** @throws ChannelError CONFIG_INVALID naming every problem and its fix. */
export function parseConfig(input: WhatsAppConfigInput): WhatsAppConfig {
  const values: Record<string, unknown> = {};
  const problems: string[] = misspelled(input);
  for (const [option, { env, schema, description }] of Object.entries(OPTIONS)) {
    const value = input[option as keyof typeof OPTIONS];
    // A blank text would otherwise count as the number zero.
    const given = typeof value === "string" && value.trim() === "" ? undefined : value;
    const result = schema.safeParse(given);
    const isText = given === undefined || typeof given === "string" || typeof given === "number";
    // An empty list, say, would count as the number zero.
    if (!isText) problems.push(`${env} (${option}) must be a text or a number. ${description}`);
    else if (result.success) values[option] = result.data;
    else if (given === undefined) problems.push(`${env} (${option}) is missing. ${description}`);
    // The value itself may be a secret, so only the rule is quoted.
    else problems.push(`${env} (${option}) ${result.error.issues[0]?.message ?? "is invalid"}. ${description}`);
  }
  const secretsOf = (option: "metaAppSecret" | "appSecret") => (values[option] ?? []) as readonly string[];
  // Who changes one of the two variables and forgets the other must not lose what Meta signs meanwhile.
  const appSecrets = [...new Set([...secretsOf("metaAppSecret"), ...secretsOf("appSecret")])];
  const current = secretsOf("metaAppSecret").length > 0 ? "metaAppSecret" : "appSecret";
  if (appSecrets.length === 0 && problems.every((problem) => !problem.includes("APP_SECRET")))
    problems.push(
      `META_APP_SECRET (metaAppSecret) is missing. ${OPTIONS.metaAppSecret.description} Without it anybody could post webhooks.`,
    );
  if (problems.length > 0)
    throw new ChannelError("CONFIG_INVALID", `The WhatsApp channel is not configured:\n- ${problems.join("\n- ")}`, {
      retry: "fix",
    });
  return Object.freeze({
    appId: (values.metaAppId as string | undefined) ?? null,
    loginConfigId: (values.metaConfigId as string | undefined) ?? null,
    appUrl: values.appUrl === undefined ? null : new URL(values.appUrl as string).origin,
    basePath: values.basePath as string,
    returnPaths: Object.freeze(values.returnPaths as readonly string[]),
    dialogUrl: values.dialogUrl as string,
    usesPkce: values.pkce !== undefined,
    appSecrets: Object.freeze(appSecrets),
    appSecretFrom: Object.freeze({ env: OPTIONS[current].env, count: secretsOf(current).length }),
    verifyToken: values.verifyToken as string,
    tokenKeys: Object.freeze((values.tokenKeys as WhatsAppConfig["tokenKeys"]).map((key) => Object.freeze(key))),
    mediaDir: values.mediaDir as string,
    graphUrl: values.graphUrl as string,
    graphVersion: values.graphVersion as string,
    leaseMs: values.leaseMs as number,
    reconcileMs: values.reconcileMs as number,
    coalesceMs: values.coalesceMs as number,
  });
}

/**
 * Other settings of the host's may be there as well; but one that is spelled almost like ours is meant for us.
 * @returns a sentence for each that has no right one beside it.
 */
function misspelled(input: WhatsAppConfigInput): string[] {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]|s$/g, "");
  const known = Object.keys(OPTIONS).filter((option) => input[option as keyof typeof OPTIONS] === undefined);
  return Object.keys(input).flatMap((name) => {
    if (Object.hasOwn(OPTIONS, name)) return [];
    const meant = known.find((option) => plain(option) === plain(name));
    return meant === undefined ? [] : [`config.${name} is no option: it is called ${meant}.`];
  });
}

function readTokenKey(text: string): TokenKey | null {
  const [, kid, base64] = /^\s*([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+=*)\s*$/.exec(text) ?? [];
  const key = Buffer.from(base64 ?? "", "base64");
  return kid === undefined || key.length !== 32 ? null : { kid, key };
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const bare =
    url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return bare && (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname)));
}
