/** Whose delivery it is: one number, one tenant, however Meta mixes them; and nobody's is kept until it is somebody's. */
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, NUMBER, quiet, startChannel, TENANT, type TestChannel } from "../../support/channel.ts";
import { bytesOf, change, delivery, inboxOf, post, stored, tenantRows, textOf } from "./deliveries.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const OTHER_NUMBER = {
  phoneNumberId: "301777000333555",
  wabaId: "201555000111333",
  displayPhoneNumber: "15557770200",
  verifiedName: "Other Shop",
};

function connect(channel: TestChannel, customerConfigId: string, number: typeof NUMBER) {
  const { phoneNumberId, wabaId } = number;
  return channel.plugin.connect({ customerConfigId, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });
}

describe("a delivery for a number that nobody has connected", () => {
  it("is acknowledged and kept as unrouted without touching any tenant, and applied in order once it is connected", async () => {
    const channel = await startChannel({ reply: () => null, connect: false });
    const texts = ["first", "second", "third"];

    for (const text of texts) {
      expect(await post(channel, textOf({ id: `wamid.${text}`, text }))).toMatchObject({ status: 200, body: "" });
    }

    expect(await stored(channel)).toEqual(
      texts.map(() => expect.objectContaining({ processed: false, error: expect.stringMatching(/^unrouted: /) })),
    );
    expect(await tenantRows(channel)).toBe(0);
    await connect(channel, TENANT, NUMBER);
    await quiet(channel);
    expect(await stored(channel)).toEqual(texts.map(() => expect.objectContaining({ processed: true, error: null })));
    expect(await inboxOf(channel)).toEqual(texts);
  });

  it("stays a duplicate when Meta sends it again, before and after the number is connected", async () => {
    const channel = await startChannel({ reply: () => null, connect: false });
    const bytes = textOf({ id: "wamid.again", text: "hello" });

    await post(channel, bytes);
    await post(channel, bytes);
    await connect(channel, TENANT, NUMBER);
    await post(channel, bytes);
    await quiet(channel);

    expect(await inboxOf(channel)).toEqual(["hello"]);
  });
});

describe("one delivery for the numbers of two tenants", () => {
  it("gives each tenant its own, and none of the other's", async () => {
    const channel = await startChannel({ reply: () => null, meta: { numbers: [NUMBER, OTHER_NUMBER] } });
    await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    await connect(channel, OTHER_TENANT, OTHER_NUMBER);
    const entry = [NUMBER, OTHER_NUMBER].map((number) => ({
      id: number.wabaId,
      changes: ["one", "two"].map((text) =>
        change({ id: `wamid.${number.phoneNumberId}.${text}`, text: `${text} for ${number.verifiedName}`, number }),
      ),
    }));

    expect(await post(channel, bytesOf({ object: "whatsapp_business_account", entry }))).toMatchObject({ status: 200 });
    await quiet(channel);

    const rows = await channel.rows(
      `select customer_config_id as tenant, array_agg(content order by m.created_at, m.id) as texts
       from messages m join conversations c on c.id = m.conversation_id group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { tenant: TENANT, texts: ["one for Test Shop", "two for Test Shop"] },
      { tenant: OTHER_TENANT, texts: ["one for Other Shop", "two for Other Shop"] },
    ]);
  });

  it("is applied for the one that is connected when the other is not", async () => {
    const channel = await startChannel({ reply: () => null });
    const changes = [NUMBER, OTHER_NUMBER].map((number) =>
      change({ id: `wamid.${number.phoneNumberId}`, text: number.verifiedName, number }),
    );

    expect(await post(channel, delivery(changes))).toMatchObject({ status: 200 });
    await channel.until(async () => (await inboxOf(channel)).length > 0, "the connected number's message");

    expect(await inboxOf(channel)).toEqual(["Test Shop"]);
    expect(await stored(channel)).toMatchObject([{ processed: false, error: expect.stringMatching(/^unrouted: /) }]);
  });
});

describe("a status", () => {
  const failed = (id: string) =>
    delivery([
      {
        field: "messages",
        value: {
          messaging_product: "whatsapp",
          metadata: { phone_number_id: NUMBER.phoneNumberId },
          statuses: [{ id, status: "failed", timestamp: "1790000130", recipient_id: "447700900123", errors: [ERROR] }],
        },
      },
    ]);
  const ERROR = {
    code: 131026,
    title: "Message undeliverable",
    message: "Message undeliverable",
    error_data: { details: "The recipient cannot be reached." },
  };

  it("that a message failed is acknowledged, and the host hears why", async () => {
    const channel = await startChannel({ reply: () => "an answer", meta: { statusDelayMs: 60_000 } });
    await post(channel, textOf({ id: "wamid.asked", text: "hello" }));
    const answer = await channel.until(() => channel.meta.accepted[0], "the answer at Meta");
    await quiet(channel);

    expect(await post(channel, failed(answer.wamid))).toMatchObject({ status: 200, body: "" });
    await quiet(channel);

    expect(await channel.rows("select status from messages where role = 'assistant'")).toEqual([{ status: "failed" }]);
    expect(channel.events).toContainEqual(
      expect.objectContaining({
        kind: "status",
        messageId: answer.wamid,
        state: "failed",
        error: {
          code: "GRAPH_REJECTED",
          message: "Message undeliverable",
          meta: {
            code: 131026,
            subcode: null,
            title: "Message undeliverable",
            details: "The recipient cannot be reached.",
            fbtraceId: null,
          },
        },
      }),
    );
  });

  it("about a message that nobody here has sent is acknowledged too", async () => {
    const channel = await startChannel({ reply: () => null });

    expect(await post(channel, failed("wamid.of.another.app"))).toMatchObject({ status: 200, body: "" });
    await quiet(channel);

    expect(await stored(channel)).toMatchObject([{ processed: true, error: null }]);
  });
});

describe("a change that names a number and not its id", () => {
  /** In the first one's account. */
  const NEIGHBOUR = { ...NUMBER, phoneNumberId: "301777000333999", displayPhoneNumber: "15557770199" };
  const CHANGES = ([NUMBER, NEIGHBOUR] as const).flatMap(({ displayPhoneNumber }) => [
    ...["phone_number_quality_update", "phone_number_name_update", "security"].map((field) => ({
      field,
      value: { display_phone_number: displayPhoneNumber, event: `of …${displayPhoneNumber.slice(-3)}` },
    })),
    { field: "account_update", value: { event: "VERIFIED_ACCOUNT", phone_number: displayPhoneNumber } },
  ]);
  const UNKNOWN = { field: "security", value: { display_phone_number: "15557770777", event: "of nobody" } };

  async function start(neighbours: string) {
    const channel = await startChannel({
      meta: { numbers: [NUMBER, NEIGHBOUR] },
      plugin: {
        authenticate: ({ headers }: { headers: Record<string, string | undefined> }) => ({
          customerConfigId: headers["x-tenant"] ?? "",
          permissions: ["operate"] as const,
        }),
      },
    });
    await channel.rows("insert into customer_configs (id) values (?) on conflict do nothing", [OTHER_TENANT]);
    await connect(channel, neighbours, NEIGHBOUR);
    return channel;
  }

  /** What the only webhook shows to a tenant. */
  async function shown(channel: TestChannel, tenant: string): Promise<Record<string, unknown>> {
    const ask = async (path: string) =>
      (await fetch(`${channel.url}/webhooks${path}`, { headers: { "x-tenant": tenant } })).json();
    const { webhooks } = (await ask("")) as { webhooks: readonly { id: string }[] };
    return (await ask(`/${webhooks[0]?.id}`)) as Record<string, unknown>;
  }

  it.each([
    ["together", [[...CHANGES, UNKNOWN]]],
    ["one by one", CHANGES.map((one) => [one])],
  ])(
    "is shown to the tenant of that number, and not to another with a number in the same account (%s)",
    async (_, posts) => {
      const channel = await start(OTHER_TENANT);

      for (const changes of posts) expect(await post(channel, delivery(changes))).toMatchObject({ status: 200 });
      await quiet(channel);

      const whose = await channel.rows(
        `select c.phone_number_id as of, coalesce(e.payload ->> 'displayPhoneNumber', '') as named, count(*)::int as n
       from whatsapp_events e join whatsapp_connections c on c.id = e.connection_id group by 1, 2 order by 1`,
      );
      expect(whose).toEqual(
        [NUMBER, NEIGHBOUR].map((one) => ({ of: one.phoneNumberId, named: one.displayPhoneNumber, n: 4 })),
      );
      const [mine, theirs] = [await shown(channel, TENANT), await shown(channel, OTHER_TENANT)];
      expect(JSON.stringify(mine)).toContain(NUMBER.displayPhoneNumber);
      expect(JSON.stringify(mine)).not.toMatch(/15557770199|15557770777|of …199|of nobody/);
      expect(JSON.stringify(theirs)).toContain(NEIGHBOUR.displayPhoneNumber);
      expect(JSON.stringify(theirs)).not.toMatch(/15557770100|15557770777|of …100|of nobody/);
    },
  );

  it("is the account's, where nobody else has a number in it and the named one is not connected", async () => {
    const channel = await start(TENANT);

    await post(channel, delivery([UNKNOWN]));
    await quiet(channel);

    expect(await shown(channel, TENANT)).toMatchObject({ shared: false, events: [{ state: "applied" }] });
  });
});
