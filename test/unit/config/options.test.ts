/** Options of a host: whatever is of the wrong kind is refused when the plugin is made, by its name and all at once. */
import { createChatApi, createWhatsAppPlugin, type WhatsAppPluginOptions } from "@omniops/whatsapp";
import createKnex from "knex";
import { pino } from "pino";
import { describe, expect, it } from "vitest";

const CONFIG = {
  metaAppSecret: "an-app-secret",
  verifyToken: "a-verify-token",
  tokenKeys: `k1:${Buffer.alloc(32, 1).toString("base64")}`,
};
const knex = createKnex({ client: "pg" });
const make = (options: object) =>
  createWhatsAppPlugin({ knex, config: CONFIG, reply: () => null, ...options } as WhatsAppPluginOptions);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ name: "ChannelError", code: "CONFIG_INVALID", retry: "fix" });
    return (error as Error).message;
  }
  return expect.fail("it was accepted");
}

describe("the plugin refuses", () => {
  it.each<[string, object, RegExp]>([
    ["no knex", { knex: undefined }, /^knex is missing\.$/],
    ["an address as knex", { knex: "postgres://host" }, /^knex must be the host's knex/],
    ["settings as knex", { knex: { client: "pg" } }, /^knex must be the host's knex/],
    [
      "a knex without a client",
      { knex: { raw() {}, transaction() {} } },
      /^knex must be the host's knex: it has no client\.$/,
    ],
    [
      "a knex of another database",
      { knex: { raw() {}, transaction() {}, client: { dialect: "sqlite3", acquireConnection() {} } } },
      /^knex must be on Postgres\.$/,
    ],
    ["no reply", { reply: undefined }, /^reply is missing\.$/],
    ["a reply that is a text", { reply: "hello" }, /^reply must be a function\.$/],
    ["a text as authenticate", { authenticate: "x" }, /^authenticate must be a function\.$/],
    ["true as allowMetrics", { allowMetrics: true }, /^allowMetrics must be a function\.$/],
    ["an object as onEvent", { onEvent: {} }, /^onEvent must be a function\.$/],
    ["null as onEvent", { onEvent: null }, /^onEvent must be a function\.$/],
    [
      "a logger without methods",
      { logger: {} },
      /^logger must be a logger: it has no debug\(\), info\(\), warn\(\), error\(\)\.$/,
    ],
    ["no media store", { mediaStore: { put() {}, get() {} } }, /^mediaStore .* no remove\(\), sweep\(\), link\(\)\.$/],
    ["null as fetch", { fetch: null }, /^fetch must be a function\.$/],
    ["an empty schema", { schema: "" }, /^schema must be the name of a schema/],
    ["a number as schema", { schema: 5 }, /^schema must be/],
    ["a schema whose name Postgres would cut", { hostSchema: "ä".repeat(32) }, /^hostSchema must be .* 63 bytes\.$/],
    ["a number as retry", { retry: 5 }, /^retry must be an object with any of maxAttempts, baseMs, maxMs\.$/],
    ["null as retry", { retry: null }, /^retry must be an object/],
    ["a misspelled retry", { retry: { max: 5 } }, /^retry\.max is no option: maxAttempts, baseMs, maxMs\.$/],
    ["a misspelled retention", { retention: { days: 1 } }, /^retention\.days is no option/],
    [
      "a misspelled wakeOn",
      { wakeOn: { reaction: true } },
      /^wakeOn\.reaction is no option: reactions, unsupported, late\.$/,
    ],
    ["a text in wakeOn", { wakeOn: { reactions: "no" } }, /^wakeOn\.reactions must be true or false\.$/],
    ["true as alarms", { alarms: true }, /^alarms must be an object with limits, or false for none\.$/],
    ["null as onAmbiguous", { onAmbiguous: null }, /^onAmbiguous must be an object\.$/],
    ["a misspelled limit of Meta's", { metaLimits: { pairs: {} } }, /^metaLimits\.pairs is no option/],
    ["null as a limit of Meta's", { metaLimits: { pair: null } }, /^metaLimits\.pair must be an object/],
    [
      "a text as a rate",
      { metaLimits: { messagesPerSecond: { standard: "80" } } },
      /^metaLimits\.messagesPerSecond\.standard/,
    ],
    ["a number as mediaMaxBytes", { mediaMaxBytes: 5 }, /^mediaMaxBytes must be an object\.$/],
    ["null as mediaTimeouts", { mediaTimeouts: null }, /^mediaTimeouts must be an object/],
    ["an option that there is not", { onevent() {} }, /^onevent is no option: knex, config, reply/],
    ["no config", { config: undefined }, /^config is missing\.$/],
    ["null as config", { config: null }, /^config must be whatsappConfigFromEnv/],
    [
      "a misspelled name in config",
      { config: { ...CONFIG, leaseMS: 5_000 } },
      /\n- config\.leaseMS is no option: it is called leaseMs\.$/,
    ],
    [
      "a list as a time",
      { config: { ...CONFIG, coalesceMs: [] } },
      /WHATSAPP_COALESCE_MS \(coalesceMs\) must be a text or a number/,
    ],
    [
      "null as a time",
      { config: { ...CONFIG, coalesceMs: null } },
      /WHATSAPP_COALESCE_MS \(coalesceMs\) must be a text or a number/,
    ],
  ])("%s", (_what, options, message) => {
    expect(refusal(() => make(options))).toMatch(message);
  });

  it("to be made of nothing", () => {
    for (const nothing of [undefined, null, 5])
      expect(refusal(() => createWhatsAppPlugin(nothing as never))).toMatch(/\{ knex, config, reply \}/);
  });

  it("with every problem in one message, and quotes no value", () => {
    const message = refusal(() =>
      make({
        reply: "a secret",
        pollMs: 0,
        retry: { maxAttempts: 0, max: 1 },
        retention: { rawDays: 0 },
        config: { ...CONFIG, verifyToken: "secret", graphUrl: "secret" },
      }),
    );

    expect(message.split("\n- ")).toEqual([
      "The WhatsApp channel is not configured:",
      "reply must be a function.",
      "retry.max is no option: maxAttempts, baseMs, maxMs.",
      expect.stringMatching(/^WHATSAPP_VERIFY_TOKEN/),
      expect.stringMatching(/^META_GRAPH_URL/),
      "retention.rawDays must be a whole number of days from 1 to 36500.",
      expect.stringMatching(/^pollMs must be/),
    ]);
    expect(message).not.toContain('secret"');
  });
});

describe("the plugin takes", () => {
  class Log {
    debug() {}
    info() {}
    warn() {}
    error() {}
  }

  it.each<[string, object]>([
    [
      "options that are left out by undefined",
      { onEvent: undefined, retry: undefined, schema: undefined, wakeOn: { late: undefined } },
    ],
    ["a logger of a class", { logger: new Log() }],
    ["pino, its children, and the console", { logger: pino({ level: "silent" }).child({}) }],
    ["the console", { logger: console }],
    ["a knex behind a proxy", { knex: new Proxy(knex, {}) }],
    [
      "a knex of the host's own kind",
      {
        knex: Object.assign((...given: [string]) => knex(...given), {
          raw: knex.raw,
          transaction: knex.transaction,
          client: knex.client,
        }),
      },
    ],
    [
      "settings of the host's beside ours",
      { config: { ...CONFIG, databaseUrl: "x", port: 80, appName: null, mediaDirs: 1, mediaDir: "x" } },
    ],
    ["a schema whose name needs quotes", { schema: `Chat "Wa"`, hostSchema: "app" }],
    ["all that may be turned off", { alarms: false, pauseAfterStaffMs: 0, mediaQuotaBytes: Number.POSITIVE_INFINITY }],
  ])("%s", (_what, options) => {
    expect(() => make(options)).not.toThrow();
  });
});

describe("the chat API refuses", () => {
  it.each([undefined, {}, { url: "chat.internal" }, { url: "ftp://chat.internal" }, { url: 5 }])("%j", (options) => {
    expect(refusal(() => createChatApi(options as never))).toMatch(/^url must be the chat API's address/);
  });
});
