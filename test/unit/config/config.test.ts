/** Configuration: all problems at once, each with its fix and none with a value. */
import { describe, expect, it } from "vitest";
import { OPTIONS, parseConfig, type WhatsAppConfigInput, whatsappConfigFromEnv } from "../../../plugin/config.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const OTHER_KEY = Buffer.alloc(32, 9).toString("base64");
const GOOD = { metaAppSecret: "an-app-secret", verifyToken: "a-verify-token", tokenKeys: `k1:${KEY}` };

function problemsOf(input: WhatsAppConfigInput): readonly string[] {
  try {
    parseConfig(input);
  } catch (error) {
    expect(error).toMatchObject({ name: "ChannelError", code: "CONFIG_INVALID", retry: "fix" });
    return (error as Error).message.split("\n- ").slice(1);
  }
  return [];
}

describe("a configuration", () => {
  it("needs an app secret, a verify token and a token key, and nothing else", () => {
    expect(parseConfig(GOOD)).toEqual({
      appId: null,
      loginConfigId: null,
      appUrl: null,
      basePath: "/api/whatsapp",
      returnPaths: ["/dashboard/integrations"],
      dialogUrl: "https://www.facebook.com",
      usesPkce: false,
      appSecrets: ["an-app-secret"],
      appSecretFrom: { env: "META_APP_SECRET", count: 1 },
      verifyToken: "a-verify-token",
      tokenKeys: [{ kid: "k1", key: Buffer.from(KEY, "base64") }],
      mediaDir: ".data/media",
      graphUrl: "https://graph.facebook.com",
      graphVersion: "v25.0",
      leaseMs: 30_000,
      reconcileMs: 120_000,
      coalesceMs: 700,
    });
  });

  it("says of a secret that is too short or one too many what it must be", () => {
    const [short, token] = problemsOf({ ...GOOD, metaAppSecret: "short", verifyToken: "1234567" });
    const [many] = problemsOf({ ...GOOD, metaAppSecret: "the-first-one,the-second-one,the-third-one" });

    expect(short).toMatch(/^META_APP_SECRET \(metaAppSecret\) must have 8 characters or more/);
    expect(token).toMatch(/^WHATSAPP_VERIFY_TOKEN \(verifyToken\) must have 8 characters or more/);
    expect(many).toMatch(/^META_APP_SECRET \(metaAppSecret\) must be one secret, or two while you rotate it/);
  });

  it("reports every problem at once, each by its variable and with its fix", () => {
    const problems = problemsOf({
      graphUrl: "http://graph.facebook.com",
      graphVersion: "25",
      leaseMs: 1,
      reconcileMs: "soon",
      coalesceMs: -1,
      metaAppId: "my app",
      metaConfigId: "my config",
      appUrl: "https://your-domain.com/app",
      basePath: "/api/whatsapp/",
      returnPaths: "/dashboard,//evil.example",
      dialogUrl: "http://www.facebook.com",
      pkce: "plain",
      mediaDir: "media\0",
    });

    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "META_APP_ID",
      "META_CONFIG_ID",
      "WHATSAPP_VERIFY_TOKEN",
      "WHATSAPP_TOKEN_KEYS",
      "NEXT_PUBLIC_APP_URL",
      "WHATSAPP_BASE_PATH",
      "WHATSAPP_RETURN_PATHS",
      "META_DIALOG_URL",
      "META_PKCE",
      "META_GRAPH_URL",
      "META_GRAPH_VERSION",
      "WHATSAPP_MEDIA_DIR",
      "WHATSAPP_LEASE_MS",
      "WHATSAPP_RECONCILE_MS",
      "WHATSAPP_COALESCE_MS",
      "META_APP_SECRET",
    ]);
    expect(problems.filter((problem) => problem.includes("is missing"))).toHaveLength(3);
    expect(problems[2]).toContain("node -e");
    expect(problems[3]).toContain("node -e");
    for (const [option, { env, description }] of Object.entries(OPTIONS)) {
      const problem = problems.find((one) => one.startsWith(`${env} (${option})`));
      if (env !== "WHATSAPP_APP_SECRET") expect(problem).toContain(description);
    }
  });

  it("is frozen, lists included", () => {
    const config = parseConfig(GOOD);

    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.appSecrets)).toBe(true);
    expect(Object.isFrozen(config.tokenKeys)).toBe(true);
    expect(Object.isFrozen(config.tokenKeys[0])).toBe(true);
  });

  it("takes an explicit undefined for the default", () => {
    const defaults = Object.fromEntries(Object.keys(OPTIONS).map((option) => [option, undefined]));

    expect(parseConfig({ ...defaults, ...GOOD })).toEqual(parseConfig(GOOD));
  });

  it("takes an empty or blank variable for one that is not set", () => {
    const env = Object.fromEntries(Object.values(OPTIONS).map(({ env: name }, i) => [name, i % 2 === 0 ? "" : "  "]));

    expect(whatsappConfigFromEnv(env)).toEqual(whatsappConfigFromEnv({}));
    expect(problemsOf(whatsappConfigFromEnv(env)).every((problem) => problem.includes("is missing"))).toBe(true);
    expect(parseConfig({ ...whatsappConfigFromEnv(env), ...GOOD })).toEqual(parseConfig(GOOD));
  });

  it("does not take a blank text for the number zero", () => {
    expect(parseConfig({ ...GOOD, coalesceMs: " " }).coalesceMs).toBe(700);
    expect(parseConfig({ ...GOOD, coalesceMs: "" }).coalesceMs).toBe(700);
    expect(parseConfig({ ...GOOD, coalesceMs: 0 }).coalesceMs).toBe(0);
  });

  it("reads each variable, and only its own", () => {
    const env = {
      META_APP_SECRET: "the-meta-secret",
      WHATSAPP_APP_SECRET: "the-whatsapp-secret",
      WHATSAPP_VERIFY_TOKEN: "verify-token",
      WHATSAPP_TOKEN_KEYS: `k1:${KEY}`,
      META_GRAPH_URL: "http://127.0.0.1:4701",
      META_GRAPH_VERSION: "v26.0",
      WHATSAPP_LEASE_MS: "1000",
      WHATSAPP_RECONCILE_MS: "2000",
      WHATSAPP_COALESCE_MS: "0",
      PATH: "/bin",
    };

    expect(parseConfig(whatsappConfigFromEnv(env))).toMatchObject({
      appSecrets: ["the-meta-secret", "the-whatsapp-secret"],
      graphUrl: "http://127.0.0.1:4701",
      graphVersion: "v26.0",
      leaseMs: 1_000,
      reconcileMs: 2_000,
      coalesceMs: 0,
    });
    expect(Object.keys(whatsappConfigFromEnv(env))).toEqual(Object.keys(OPTIONS));
  });
});

describe("app secrets", () => {
  it("may be two while one is rotated out, the current one first", () => {
    expect(parseConfig({ ...GOOD, metaAppSecret: "new-app-secret, old-app-secret" }).appSecrets).toEqual([
      "new-app-secret",
      "old-app-secret",
    ]);
  });

  it("of both variables may sign, so that one of them may be rotated alone; calls are made with META_APP_SECRET's first", () => {
    const rotated = parseConfig({
      ...GOOD,
      metaAppSecret: "new-app-secret,old-app-secret",
      appSecret: "old-app-secret",
    });
    expect(rotated.appSecrets).toEqual(["new-app-secret", "old-app-secret"]);
    expect(rotated.appSecretFrom).toEqual({ env: "META_APP_SECRET", count: 2 });

    const other = parseConfig({
      ...GOOD,
      metaAppSecret: "new-app-secret",
      appSecret: "newer-app-secret,old-app-secret",
    });
    expect(other.appSecrets).toEqual(["new-app-secret", "newer-app-secret", "old-app-secret"]);
    expect(other.appSecretFrom).toEqual({ env: "META_APP_SECRET", count: 1 });
  });

  it("are WHATSAPP_APP_SECRET's where that is the only one", () => {
    const config = parseConfig({ ...GOOD, metaAppSecret: undefined, appSecret: "new-app-secret,old-app-secret" });

    expect(config.appSecrets).toEqual(["new-app-secret", "old-app-secret"]);
    expect(config.appSecretFrom).toEqual({ env: "WHATSAPP_APP_SECRET", count: 2 });
  });

  it.each(["first-secret,second-secret,third-secret", "short", "long-enough,short", "long-enough,", ","])(
    "are refused: %j",
    (metaAppSecret) => {
      expect(problemsOf({ ...GOOD, metaAppSecret })).toHaveLength(1);
    },
  );

  it("are refused under the variable that holds them", () => {
    const [problem] = problemsOf({ ...GOOD, metaAppSecret: undefined, appSecret: "short" });

    expect(problem).toMatch(/^WHATSAPP_APP_SECRET/);
  });
});

describe("token keys", () => {
  it("may be several; the first encrypts", () => {
    const { tokenKeys } = parseConfig({ ...GOOD, tokenKeys: ` k2:${OTHER_KEY} , k1:${KEY}` });

    expect(tokenKeys.map(({ kid }) => kid)).toEqual(["k2", "k1"]);
  });

  it("may be written in base64url", () => {
    const key = Buffer.alloc(32, 0xfb);

    expect(parseConfig({ ...GOOD, tokenKeys: `k1:${key.toString("base64url")}` }).tokenKeys[0]?.key).toEqual(key);
  });

  it.each([
    KEY,
    `k1:${Buffer.alloc(31).toString("base64")}`,
    `k1:${Buffer.alloc(33).toString("base64")}`,
    `k.1:${KEY}`,
    `:${KEY}`,
    "k1:",
    `k1:${KEY},`,
    `k1:${KEY},k1:${OTHER_KEY}`,
    `k1:${KEY.slice(0, 20)} ${KEY.slice(20)}`,
  ])("are refused: %j", (tokenKeys) => {
    expect(problemsOf({ ...GOOD, tokenKeys })).toHaveLength(1);
  });
});

describe("the Graph origin", () => {
  it.each(["https://graph.facebook.com", "https://graph.facebook.com/", "https://proxy.internal:8443"])(
    "may be %s",
    (graphUrl) => {
      expect(parseConfig({ ...GOOD, graphUrl }).graphUrl).toBe(graphUrl);
    },
  );

  it.each(["http://localhost:4701", "http://127.0.0.1:4701", "http://[::1]:4701"])(
    "may be without TLS on loopback: %s",
    (graphUrl) => {
      expect(parseConfig({ ...GOOD, graphUrl }).graphUrl).toBe(graphUrl);
    },
  );

  it.each([
    "http://graph.facebook.com",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "http://0.0.0.0",
    "https://user:pass@graph.facebook.com",
    "https://graph.facebook.com/v25.0",
    "https://graph.facebook.com/?a=1",
    "https://graph.facebook.com/#a",
    "ftp://localhost",
    "graph.facebook.com",
    "//graph.facebook.com",
  ])("is refused: %s", (graphUrl) => {
    expect(problemsOf({ ...GOOD, graphUrl })).toHaveLength(1);
  });
});

describe("a problem", () => {
  it("never shows a value, which may be a secret", () => {
    const canary = "CANARY";
    const problems = problemsOf({
      metaAppSecret: `${canary}1,${canary}2-long,${canary}3-long`,
      appSecret: canary.slice(0, 6),
      verifyToken: canary,
      tokenKeys: `${canary}:${canary},${canary}`,
      graphUrl: `https://${canary}:${canary}@graph.facebook.com`,
      graphVersion: canary,
      leaseMs: canary,
    });

    expect(problems.length).toBeGreaterThanOrEqual(7);
    expect(problems.join("\n")).not.toContain(canary);
  });
});
