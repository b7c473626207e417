/** Options that are a time or a count: one that no timer, date or column can take is refused when the plugin is made. */
import { createChatApi, createWhatsAppPlugin, type WhatsAppPluginOptions } from "@omniops/whatsapp";
import createKnex from "knex";
import { describe, expect, it } from "vitest";

const make = (options: Partial<WhatsAppPluginOptions>) =>
  createWhatsAppPlugin({
    knex: createKnex({ client: "pg" }),
    config: {
      metaAppSecret: "an-app-secret",
      verifyToken: "a-verify-token",
      tokenKeys: `k1:${Buffer.alloc(32, 1).toString("base64")}`,
    },
    reply: () => null,
    ...options,
  });

type Given = (value: number) => Partial<WhatsAppPluginOptions>;
const OPTIONS: readonly (readonly [string, Given, { readonly least: number; readonly most: number }])[] = [
  ["pollMs", (pollMs) => ({ pollMs }), { least: 10, most: 3_600_000 }],
  ["upkeepMs", (upkeepMs) => ({ upkeepMs }), { least: 10, most: 86_400_000 }],
  ["pauseAfterStaffMs", (pauseAfterStaffMs) => ({ pauseAfterStaffMs }), { least: 0, most: 3_153_600_000_000 }],
  ["retry.maxAttempts", (maxAttempts) => ({ retry: { maxAttempts } }), { least: 1, most: 1_000_000 }],
  ["retry.baseMs", (baseMs) => ({ retry: { baseMs } }), { least: 1, most: 86_400_000 }],
  ["retry.maxMs", (maxMs) => ({ retry: { maxMs } }), { least: 1, most: 86_400_000 }],
  ["replyTimeoutMs", (replyTimeoutMs) => ({ replyTimeoutMs }), { least: 1, most: 2_147_483_647 }],
  ["eventTimeoutMs", (eventTimeoutMs) => ({ eventTimeoutMs }), { least: 1, most: 2_147_483_647 }],
  ["mediaWaitMs", (mediaWaitMs) => ({ mediaWaitMs }), { least: 0, most: 3_600_000 }],
  ["mediaTimeouts.stallMs", (stallMs) => ({ mediaTimeouts: { stallMs } }), { least: 1, most: 3_600_000 }],
  ["mediaTimeouts.totalMs", (totalMs) => ({ mediaTimeouts: { totalMs } }), { least: 1, most: 3_600_000 }],
  ["retention.rawDays", (rawDays) => ({ retention: { rawDays } }), { least: 1, most: 36_500 }],
];

describe.each(OPTIONS)("%s", (name, given, { least, most }) => {
  it.each([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    least - 1,
    most + 1,
    least + 0.5,
    "60000" as unknown as number,
  ])("is not %s", (value) => {
    expect(() => make(given(value))).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        retry: "fix",
        message: expect.stringMatching(new RegExp(`^${name} must be .+ from ${least} to ${most}\\.$`)),
      }),
    );
  });

  it(`may be left out, and anything from ${least} to ${most}`, () => {
    for (const value of [undefined as unknown as number, least, most]) expect(() => make(given(value))).not.toThrow();
  });
});

describe("metaLimits.pair", () => {
  const pair = { intervalMs: 6_000, burst: 45 };

  it.each([
    { intervalMs: Number.POSITIVE_INFINITY },
    { intervalMs: 1e21 },
    { intervalMs: -1 },
    { intervalMs: Number.NaN },
    { burst: 0 },
    { burst: 1e21 },
    { burst: Number.POSITIVE_INFINITY },
  ])("is not %j: no lane could be sent from", (wrong) => {
    const metaLimits = { pair: { ...pair, ...wrong } };

    expect(() => make({ metaLimits })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("the timeout of a chat API", () => {
  it.each([Number.POSITIVE_INFINITY, Number.NaN, 0, 1.5, 2 ** 31])("is not %s milliseconds", (timeoutMs) => {
    expect(() => createChatApi({ url: "http://127.0.0.1:1", timeoutMs })).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});
