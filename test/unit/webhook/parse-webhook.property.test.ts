/** What holds for every payload, P1 to P6. Seeds are printed on failure; FC_RUNS raises the number of runs. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { quoteLongIntegers } from "../../../plugin/webhook/long-integers.ts";
import { MESSAGE_TYPES } from "../../../plugin/webhook/parse-content.ts";
import { parseWebhook } from "../../../plugin/webhook/parse-webhook.ts";
import { readPayload } from "../../../plugin/webhook/read-payload.ts";
import { verifySignature } from "../../../plugin/webhook/verify-signature.ts";
import { webhookType } from "../../../plugin/webhook/webhook-type.ts";
import { EVENT_KINDS } from "./event-kinds.ts";
import { fixtures, mutatedFixture, respelled } from "./fixture-mutations.ts";

const numRuns = Number(process.env.FC_RUNS ?? 1000);
vi.setConfig({ testTimeout: Math.max(30_000, numRuns * 20) });
const anyPayload = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 6 }) },
  { weight: 4, arbitrary: mutatedFixture },
);

/** What a careless merge would write into every object. */
const POISON = { polluted: true, id: "wamid.poison", type: "text", object: "whatsapp_business_account" };

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What of it Postgres would refuse: NUL and lone surrogates, in keys and values. */
function unstorable(value: unknown): readonly string[] {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed() ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...unstorable(key), ...unstorable(inner)]);
}

/** Through the front door: signed, verified, read, parsed. */
function parse(json: string) {
  const bytes = Buffer.from(json);
  const payload = readPayload(verifySignature(bytes, signatureOf(bytes, "an-app-secret"), ["an-app-secret"]));
  return parseWebhook(payload.kind === "json" ? payload.value : expect.fail(payload.reason));
}

/** Says nothing: no value, or only empty lists of what it could have said. */
function isEmptyChange(entry: Json, { field, value }: Json): boolean {
  if (!isObject(value)) return true;
  const isNamed = [field, entry.field, value.field].some(
    (name) => (typeof name === "string" && name !== "") || Number.isFinite(name),
  );
  const isWrapper = (name: string, inner: unknown) =>
    name === "contacts" || (["messaging_product", "metadata"].includes(name) && objects(inner).length === 0);
  const lists = Object.entries(value).filter(([name, inner]) => !isWrapper(name, inner));
  const isMessages = isNamed ? field === "messages" : "messages" in value || "statuses" in value;
  return isMessages && lists.length > 0 && lists.every(([, list]) => Array.isArray(list) && list.length === 0);
}

/** Fields whose events are the elements of lists, and where the lists are. */
const LISTED: Readonly<Record<string, (value: Json) => Json>> = {
  messages: (value) => value,
  calls: (value) => value,
  user_preferences: (value) => value,
  user_id_update: (value) => value,
  automatic_events: (value) => value,
  smb_message_echoes: (value) => value,
  message_echoes: (value) => value,
  smb_app_state_sync: (value) => value,
  group_participants_update: (value) => value,
  standby: (value) => ({ ...value, ...(isObject(value.standby) ? value.standby : {}) }),
  history: ({ history, ...value }) => ({
    ...value,
    history: objects(history).flatMap((chunk) => (objects(chunk.threads).length > 0 ? chunk.threads : chunk)),
  }),
};

/** Everything in a change that must come back as an event of its own. */
function itemsOf({ field, value }: Json): readonly Json[] {
  const lists = typeof field === "string" && Object.hasOwn(LISTED, field) && isObject(value) && LISTED[field]?.(value);
  return Object.entries(lists || {}).flatMap(([name, list]) => (name === "contacts" ? [] : objects(list)));
}

describe("any payload", () => {
  it("P1: is parsed without a throw, into events that JSON and Postgres can carry", () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const events = parseWebhook(payload);

        expect(() => JSON.stringify(events)).not.toThrow();
        for (const event of events) {
          expect(EVENT_KINDS).toContain(event.kind);
          expect(event.dedupeKey.length).toBeLessThanOrEqual(400);
          expect(Number.isNaN(event.occurredAt?.getTime() ?? 0)).toBe(false);
          for (const id of [event.phoneNumberId, event.wabaId, "messageId" in event ? event.messageId : null])
            expect(id === null || (id !== "" && id.length <= 512)).toBe(true);
        }
        expect(webhookType(events)).toEqual(expect.any(String));
      }),
      { numRuns },
    );
  });

  it("P1: of whatever characters becomes events that Postgres takes, strings inside of strings included", () => {
    const characters = fc.constantFrom(
      "\0",
      "\ud83d",
      "\udc69",
      "\\u0000",
      "\\ud83d",
      "\\",
      '"',
      "é",
      "👩🏽‍🚀",
      "d83d",
    );
    const text = fc.array(characters, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, mutatedFixture, (body, payload) => {
        const everywhere = (_key: string, value: unknown) => (value === "hi" || value === "Ada Q." ? body : value);
        const response_json = `{"a":${JSON.stringify(body)},"b":"${body}"}`;
        const form = { type: "nfm_reply", nfm_reply: { name: body, response_json } };
        const messages = [
          { from: "447700900123", id: "wamid.T", type: "text", text: { body } },
          { from: "447700900123", id: "wamid.F", type: "interactive", interactive: form },
          { from: "447700900123", id: body, type: body },
        ];
        const json = JSON.stringify(
          [payload, delivery([{ messages, contacts: [{ profile: { name: body } }] }])],
          everywhere,
        );

        for (const one of JSON.parse(json) as unknown[])
          for (const event of parse(JSON.stringify(one))) expect(unstorable(event)).toEqual([]);
      }),
      { numRuns },
    );
  });

  it("P2: leaves every prototype as it was", () => {
    const shared = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
    const before = shared.map((prototype) => Reflect.ownKeys(prototype));
    const polluted = (_key: string, value: unknown) =>
      isObject(value)
        ? Object.fromEntries([["__proto__", POISON], ["constructor", { prototype: POISON }], ...Object.entries(value)])
        : value;
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const events = parse(JSON.stringify(JSON.parse(JSON.stringify(payload), polluted)));

        expect(shared.map((prototype) => Reflect.ownKeys(prototype))).toEqual(before);
        for (const event of events) expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
      }),
      { numRuns },
    );
  });

  it("P3: loses nothing: every change that says something has events, every element of its lists its own", () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        fc.pre(isObject(payload) && (payload.object === undefined || payload.object === "whatsapp_business_account"));
        const entries = objects((payload as Json).entry);

        const perChange = entries.flatMap((entry) =>
          objects(entry.changes).map((change) => {
            const alone = parseWebhook({ entry: [{ ...entry, changes: [change] }] });
            expect(alone.length === 0).toBe(isEmptyChange(entry, change));
            const told = new Set(alone.map(({ raw }) => raw));
            for (const item of itemsOf(change)) expect(told).toContain(item);
            return alone;
          }),
        );

        expect(parseWebhook(payload)).toEqual(perChange.flat());
      }),
      { numRuns },
    );
  });

  it("P3: harms nothing beside it: a text is the same message whatever shares its lists, its change and its entry", () => {
    const text = { from: "447700900123", id: "wamid.T", timestamp: "1790000000", type: "text", text: { body: "hi" } };
    const [alone] = parseWebhook(delivery([{ messages: [text] }]));
    const odd = fc.array(fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...ODD_MESSAGES)), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(odd, odd, odd, mutatedFixture, (before, after, beside, other) => {
        const value = { messages: [...before, text, ...after], statuses: beside, errors: after, polls: before };
        const { entry, object } = delivery([value]);

        const events = parseWebhook({ object, entry: [...beside, other, ...objects(entry), ...after] });

        expect(events).toContainEqual(alone);
      }),
      { numRuns },
    );
  });

  it("P4: with a message type that nobody knows is unsupported, and the raw message is kept", () => {
    const type = fc
      .oneof(fc.string(), fc.constantFrom("__proto__", "toString", "constructor", "Text", "unsupported"))
      .filter((name) => !MESSAGE_TYPES.includes(name));
    fc.assert(
      fc.property(type, fc.jsonValue(), (name, content) => {
        const message = { from: "447700900123", id: "wamid.X", timestamp: "1790000000", type: name, [name]: content };

        const events = parseWebhook(delivery([{ messages: [message] }]));

        expect(events).toEqual([
          expect.objectContaining({ kind: "unsupported", type: `message:${name || "unknown"}`, raw: message }),
        ]);
      }),
      { numRuns },
    );
  });
});

const NUMBER = "301777000333444";

/** Each is of a known type and lacks what the type announces. */
const ODD_MESSAGES = [...MESSAGE_TYPES, "reaction", "edit", "revoke", "system", "unsupported"].map((type) => ({
  id: `wamid.${type}`,
  from: "447700900123",
  type,
  [type]: { type: 7, message: [], body: null, name: {} },
}));

function delivery(values: readonly Json[]): Json {
  const metadata = { phone_number_id: NUMBER };
  const changes = values.map((value) => ({ field: "messages", value: { metadata, ...value } }));
  return { object: "whatsapp_business_account", entry: [{ id: "201555000111222", changes }] };
}

type Item = { readonly phone: string; readonly list: "messages" | "statuses"; readonly item: Json };

const someOf = (...names: readonly string[]) => fc.constantFrom(...names);
const id = someOf("wamid.A", "wamid.a", "wamid.A/x+=", "wamid.A%2Fx", "wamid.é", "wamid.A/text");
const phone = someOf(NUMBER, "301777000333445", "30177700033344");
const timestamp = someOf("1790000000", "1790000001");
const message: fc.Arbitrary<Item> = fc
  .record({ phone, id, timestamp, type: someOf("text", "image", "edit", "text/text") })
  .map(({ phone, ...item }) => ({ phone, list: "messages", item: { from: "447700900123", ...item } }));
const status: fc.Arbitrary<Item> = fc
  .record({
    phone,
    id,
    timestamp,
    status: someOf("sent", "read", "failed"),
    recipient_id: someOf("4477001", "4477002"),
  })
  .map(({ phone, ...item }) => ({ phone, list: "statuses", item }));
const items = fc.array(fc.oneof(message, status), { minLength: 1, maxLength: 12 });

/** What Meta's own rules call one change. */
function identityOf({ phone, list, item }: Item): string {
  const { id, type, status, recipient_id, timestamp } = item;
  return JSON.stringify(list === "messages" ? [phone, id, type] : [phone, id, status, recipient_id, timestamp]);
}

/** One item per change, or all of a number in one change, in one entry or several. */
function batched(all: readonly Item[], together: boolean): Json {
  const numbers = [...new Set(all.map(({ phone }) => phone))];
  const groups = together
    ? numbers.map((number) => all.filter(({ phone }) => phone === number))
    : all.map((one) => [one]);
  const values = groups.map((group) => ({
    metadata: { phone_number_id: group[0]?.phone },
    messages: group.filter(({ list }) => list === "messages").map(({ item }) => item),
    statuses: group.filter(({ list }) => list === "statuses").map(({ item }) => item),
  }));
  if (together) return delivery(values);
  return { object: "whatsapp_business_account", entry: values.flatMap((value) => delivery([value]).entry as Json[]) };
}

function keysOf(json: string): readonly string[] {
  return parse(json)
    .map(({ dedupeKey }) => dedupeKey)
    .sort();
}

describe("P5: a dedupe key", () => {
  it("is the same however Meta batches, orders and spells the changes", () => {
    fc.assert(
      fc.property(items, fc.boolean(), fc.boolean(), fc.boolean(), (all, together, reverse, escaped) => {
        const expected = keysOf(JSON.stringify(batched(all, false)));

        expect(keysOf(respelled(batched(all.toReversed(), together), { reverse, escaped }))).toEqual(expected);
      }),
      { numRuns },
    );
  });

  it("is shared by two changes exactly when they are the same change", () => {
    fc.assert(
      fc.property(items, (all) => {
        const keys = keysOf(JSON.stringify(batched(all, false)));

        expect(new Set(keys).size).toBe(new Set(all.map(identityOf)).size);
      }),
      { numRuns },
    );
  });

  it.each(fixtures)("of $name survives another key order, spaces and \\uXXXX", ({ json }) => {
    const expected = keysOf(json);

    for (const reverse of [true, false])
      for (const escaped of [true, false])
        expect(keysOf(respelled(JSON.parse(quoteLongIntegers(json)), { reverse, escaped }))).toEqual(expected);
  });

  it("of a change without an id tells any two different contents apart", () => {
    const content = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(content, content, (one, other) => {
        const keys = [one, other].map((it) => {
          const entry = { id: "201555000111222", time: 1790000000, changes: [{ field: "flows", value: { it } }] };
          return parseWebhook({ entry: [entry] })[0]?.dedupeKey;
        });
        const isSame = respelled(sorted(one), NO_CHANGE) === respelled(sorted(other), NO_CHANGE);

        expect(keys[0] === keys[1]).toBe(isSame);
      }),
      { numRuns },
    );
  });
});

const NO_CHANGE = { reverse: false, escaped: false };

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

describe("P6: an id", () => {
  it("that looks like a number stays the string it was, digit for digit", () => {
    const digits = fc.string({ unit: someOf(..."0123456789"), minLength: 15, maxLength: 30 });
    fc.assert(
      fc.property(digits, digits, digits, (messageId, phoneNumberId, wabaId) => {
        const text = { body: "hi" };
        const message = {
          from: "447700900123",
          id: messageId,
          timestamp: "1",
          type: "text",
          text,
          context: { id: wabaId },
        };
        const value = { metadata: { phone_number_id: phoneNumberId }, messages: [message] };

        const events = parse(JSON.stringify({ entry: [{ id: wabaId, changes: [{ field: "messages", value }] }] }));

        expect(events).toEqual([expect.objectContaining({ messageId, phoneNumberId, wabaId, replyTo: wabaId })]);
      }),
      { numRuns },
    );
  });

  it("that Meta writes as a number beyond 2^53 keeps its digits, so two templates are two changes", () => {
    const update = (templateId: string) =>
      parse(
        `{"entry":[{"id":"201555000111222","time":1790000000,"changes":[{"field":"message_template_status_update",` +
          `"value":{"event":"APPROVED","message_template_id":${templateId}}}]}]}`,
      );

    const [one] = update("16895569081298351");
    const [other] = update("16895569081298353");

    expect(one?.raw).toEqual({ event: "APPROVED", message_template_id: "16895569081298351" });
    expect(other?.dedupeKey).not.toBe(one?.dedupeKey);
  });
});
