/** What is asked once a day of each number: how fast it may send, and where its webhooks go. */
import { describe, expect, it } from "vitest";
import { createLookAtNumbers } from "../../../plugin/connect/look-at-numbers.ts";
import { ChannelError } from "../../../plugin/errors.ts";
import type { AccountSubscription, NumberHealth } from "../../../plugin/ports.ts";

const OURS = "https://chat.example.com/api/whatsapp/webhook";
const number = (id: string) => ({
  connectionId: id,
  customerConfigId: "tenant",
  phoneNumberId: `30177700033300${id}`,
  wabaId: "201555000111222",
  accessTokenEnc: id,
});

type AtMeta = {
  readonly callbacks?: Partial<NumberHealth["callbacks"]>;
  readonly subscriptions?: readonly AccountSubscription[];
  readonly webhookUrl?: string | null;
  /** What fails for the first number. */
  readonly fails?: string;
};

function setUp({
  callbacks = {},
  subscriptions = [{ appId: "1", overrideUrl: null }],
  webhookUrl = OURS,
  fails,
}: AtMeta) {
  const paces: string[] = [];
  const elsewhere: unknown[] = [];
  const warned: unknown[] = [];
  const refuse = (step: string, id: string) => {
    if (step === fails && id === "1") throw new ChannelError("GRAPH_REJECTED", "no");
  };
  const look = createLookAtNumbers({
    connections: {
      staleNumbers: async () => [number("1"), number("2")],
      saveLook: async (id) => void paces.push(id),
      saveWebhooksElsewhere: async (id, is) => void elsewhere.push([id, is]),
    },
    secretBox: {
      open(sealed: string) {
        refuse("open", sealed);
        return sealed;
      },
    } as never,
    graphApi: {
      phoneNumber: async ({ accessToken }) => {
        refuse("pace", accessToken);
        return {} as never;
      },
    },
    metaHealth: {
      accountSubscriptions: async () => subscriptions,
      callbacks: async ({ accessToken }) => {
        refuse("callbacks", accessToken);
        return { app: null, account: null, number: null, ...callbacks };
      },
    },
    log: { debug() {}, info() {}, warn: (fields: object) => void warned.push(fields), error() {} },
    appId: "1",
    webhookUrl,
  });
  return { look, paces, elsewhere, warned };
}

describe("the daily look at numbers", () => {
  it.each([
    ["a token that cannot be opened", "open"],
    ["a refusal of Meta's", "pace"],
    ["a refusal to tell where webhooks go", "callbacks"],
  ])("goes on with the other numbers after %s", async (_what, fails) => {
    const { look, paces, elsewhere, warned } = setUp({ fails });

    expect(await look()).toBe(2);
    expect(paces).toContain("2");
    expect(elsewhere).toEqual([["2", false]]);
    expect(warned).toEqual([{ connectionId: "1", code: "GRAPH_REJECTED" }]);
  });

  const FOREIGN = "https://elsewhere.example.net/in";
  it.each([
    ["the app's own address", {}, false],
    ["our address, set at the number", { callbacks: { number: OURS, account: FOREIGN } }, false],
    ["another address, set at the number", { callbacks: { number: FOREIGN } }, true],
    ["another address, set at the account", { callbacks: { account: FOREIGN } }, true],
    ["another address of our subscription", { subscriptions: [{ appId: "1", overrideUrl: FOREIGN }] }, true],
    [
      "another address of another app's",
      {
        subscriptions: [
          { appId: "2", overrideUrl: FOREIGN },
          { appId: "1", overrideUrl: null },
        ],
      },
      false,
    ],
    ["another app alone", { subscriptions: [{ appId: "2", overrideUrl: null }] }, true],
  ] satisfies [string, AtMeta, boolean][])(
    "says of webhooks that go to %s whether that is elsewhere",
    async (_, at, is) => {
      const { look, elsewhere } = setUp(at);
      await look();
      expect(elsewhere[0]).toEqual(["1", is]);
    },
  );

  it("says nothing of webhooks where nobody knows our address", async () => {
    const { look, paces, elsewhere } = setUp({ webhookUrl: null, callbacks: { number: FOREIGN } });
    await look();
    expect([paces, elsewhere]).toEqual([["1", "2"], []]);
  });
});
