/** The guard for hosts that write JavaScript: whatever they hand over, it answers and never throws. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutboundMessage } from "../../../plugin/contract.ts";
import { adviseOn, checkMessage } from "../../../plugin/messages/check-message.ts";
import { encodeMessage } from "../../../plugin/messages/encode-message.ts";
import { LIMITS, type Limit } from "../../../plugin/messages/limits.ts";
import { mutated, RECORDED } from "./recorded.ts";

const raw = (payload: unknown) => ({ kind: "raw", type: "interactive", content: "", payload });
const paths = (message: unknown) => checkMessage(message).map(({ path }) => path);

function circle(): object {
  const message: Record<string, unknown> = { kind: "buttons", text: "Yes?" };
  message.buttons = [message];
  return message;
}

const throwing = {
  get kind(): string {
    throw new Error("no");
  },
};

describe("checking a message", () => {
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", "Hello"],
    ["a number", Number.NaN],
    ["a symbol", Symbol("text")],
    ["a function", () => ({ kind: "text" })],
    ["a list", [{ kind: "text" }]],
    ["an object without prototype", Object.create(null)],
    ["a kind that is an object", { kind: { toString: () => "text" } }],
    ["a message that is part of itself", circle()],
    ["members that throw", throwing],
    ["a proxy that throws", new Proxy({}, { get: () => expect.fail("no") })],
    ["a revoked proxy", revoked()],
    ["a list with holes", { kind: "buttons", text: "Yes?", buttons: Array(3) }],
    ["a big integer", { kind: "location", latitude: 1n, longitude: 2n }],
    [
      "a date that is none",
      {
        kind: "template",
        name: "a",
        language: "en",
        params: { limitedTimeOffer: { expiresAt: Object.create(Date.prototype) } },
      },
    ],
  ])("finds problems with %s, and throws nothing", (_what, message) => {
    expect(checkMessage(message).length).toBeGreaterThan(0);
    expect(adviseOn(message)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["refers back to what it is part of", { interactive: self() }, "payload.interactive.self"],
    ["is a function", { interactive: () => "x" }, "payload.interactive"],
    ["would be another with toJSON", { interactive: {}, toJSON: () => ({ to: "447700900123" }) }, "payload.toJSON"],
    ["is a date", { interactive: { at: new Date(0) } }, "payload.interactive.at"],
    ["is a big integer", { interactive: { count: 1n } }, "payload.interactive.count"],
    ["is not a number", { interactive: [Number.NaN] }, "payload.interactive[0]"],
    ["is nothing inside a list", { interactive: [undefined] }, "payload.interactive[0]"],
    ["branches without end", { interactive: bush(40) }, "payload"],
  ])("refuses a payload that %s", (_what, payload, path) => {
    expect(paths(raw(payload))).toEqual([path]);
  });

  it("refuses a template as raw JSON: what is promised of templates is kept by their own kind", () => {
    const template = { name: "spring_menu", language: { code: "en_GB" } };

    expect(checkMessage({ ...raw({ template }), type: "template" })).toEqual([
      expect.objectContaining({ path: "type", fix: "Send it as kind template, by its name and parameters." }),
    ]);
  });

  it("takes JSON that has undefined members, shared parts and no prototype", () => {
    const shared = { text: "Hi" };
    const payload = {
      interactive: Object.assign(Object.create(null), { body: shared, footer: shared, header: undefined }),
    };

    expect(checkMessage(raw(payload))).toEqual([]);
  });

  it("takes an undefined member as absent, for the check and for what is posted", () => {
    const flow = {
      kind: "flow",
      text: "Book",
      label: "Book",
      flow: { id: undefined, name: "book" },
      header: undefined,
    };
    const header = { text: undefined, media: "image", url: "https://media.example/cat.jpg" };

    expect(checkMessage(flow)).toEqual([]);
    expect(encodeMessage(flow as unknown as OutboundMessage)).toMatchObject({
      interactive: { action: { parameters: { flow_name: "book" } } },
    });
    expect(checkMessage({ ...flow, header })).toEqual([]);
    expect(encodeMessage({ ...flow, header } as unknown as OutboundMessage)).toMatchObject({
      interactive: { header: { type: "image", image: { link: header.url } } },
    });
  });

  it("takes a Date where a moment is wanted", () => {
    const params = { limitedTimeOffer: { expiresAt: new Date(1_798_135_200_000) } };
    const message = { kind: "template", name: "spring_offer", language: "en_GB", params } as const;

    expect(checkMessage(message)).toEqual([]);
    expect(JSON.stringify(encodeMessage(message))).toContain('"expiration_time_ms":1798135200000');
  });

  it("lists a hundred problems and no more", () => {
    const contacts = Array.from({ length: 100_000 }, () => null);

    expect(checkMessage({ kind: "contacts", contacts })).toHaveLength(100);
  });

  it("never repeats what somebody wrote, be it a value or a name", () => {
    const secret = "Call me at +44 7700 900123";
    const anywhere = fc.sample(
      fc.constantFrom(...RECORDED).chain((message) => mutated(message, fc.constant(secret))),
      { numRuns: Number(process.env.FC_RUNS ?? 500), seed: 7 },
    );

    for (const message of [...anywhere, { kind: secret }, { kind: "text", [secret]: 1 }])
      expect(JSON.stringify([checkMessage(message), adviseOn(message)])).not.toContain("7700");
  });

  it("answers anything, and what it passes can be encoded as JSON", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
    });
    const messages = fc.constantFrom(...RECORDED).chain((message) => mutated(message, anything));

    fc.assert(
      fc.property(fc.oneof(anything, messages), (message) => {
        if (checkMessage(message).length > 0) return;
        expect(JSON.parse(JSON.stringify(encodeMessage(message as OutboundMessage)))).toHaveProperty("type");
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 3_000) },
    );
  });
});

describe("every limit", () => {
  it("has its source above it, but for our own", () => {
    const source = readFileSync(new URL("../../../plugin/messages/limits.ts", import.meta.url), "utf8");
    const rows = source.slice(source.indexOf("export const LIMITS")).split(/^ {2}(?=\w+: \{)/m);
    const names = Object.keys(LIMITS);

    // The text before a row ends the piece before it.
    const without = names.filter(
      (_, index) => !/@see https:\/\/developers\.facebook\.com\/\S+[\s*/]*$/.test(rows[index]!),
    );
    expect(names).toHaveLength(rows.length - 1);
    expect(without).toEqual(["rawJson"]);
  });

  it("is above its least and its advice", () => {
    for (const [name, limit] of Object.entries<Limit>(LIMITS)) {
      const { max, min = max, advised = max } = limit;
      expect([name, min <= max, advised <= max]).toEqual([name, true, true]);
    }
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function self(): object {
  const one: Record<string, unknown> = {};
  one.self = one;
  return one;
}

/** Few objects, and without end when walked: each holds the next one twice. */
function bush(depth: number): object {
  return depth === 0 ? {} : ((next) => ({ a: next, b: next }))(bush(depth - 1));
}
