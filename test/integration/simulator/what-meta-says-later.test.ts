/** What Meta takes with 200 and then does not deliver, what it charges, and what it gives up. */
import { describe, expect, it } from "vitest";
import {
  ADA,
  handMade,
  NUMBER,
  payloads,
  send,
  startHost,
  startSimulator,
  statuses,
  textTo,
  untilIn,
  values,
  wamidOf,
} from "./simulated.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function template(name: string, components: readonly object[] = []) {
  return {
    ...textTo(ADA.phoneNumber, ""),
    type: "template",
    template: { name, language: { code: "en_GB" }, components },
  };
}
const MENU = template("spring_menu", [
  { type: "header", parameters: [{ type: "image", image: { link: "https://bakery.example/tart.jpg" } }] },
  { type: "body", parameters: [{ type: "text", text: "Ada" }] },
  { type: "button", sub_type: "copy_code", index: "2", parameters: [{ type: "coupon_code", coupon_code: "LEMON20" }] },
]);
const reaction = (wamid: string) => ({
  ...textTo(ADA.phoneNumber, ""),
  type: "reaction",
  reaction: { message_id: wamid, emoji: "👍" },
});

describe("a reaction of the business", () => {
  it("arrives on what a person wrote to this number in the last 30 days, and else fails with 131009", async () => {
    const host = await startHost();
    const cafe = { ...NUMBER, phoneNumberId: "301777000333555" };
    const meta = await startSimulator({ webhookUrl: host.url, numbers: [NUMBER, cafe] });
    const ada = meta.person(ADA);
    const old = ada.says("hello");
    const elsewhere = ada.says("hello", { to: cafe.phoneNumberId });
    const own = wamidOf(await send(meta, textTo(ADA.phoneNumber, "hi")));
    const fates = async (...wamids: readonly string[]) => {
      const sent = [];
      for (const wamid of wamids) sent.push(wamidOf(await send(meta, reaction(wamid))));
      await meta.idle();
      return sent.map((id) => statuses(host).find((status) => status.id === id)?.errors?.[0]?.code ?? "arrives");
    };

    expect(await fates(old)).toEqual(["arrives"]);
    // Meta says no more of a reaction than that it was sent.
    expect(statuses(host).filter(({ id }) => id !== own)).toMatchObject([{ status: "sent" }]);
    const reacted = ada.reacts("😍", own);
    expect(await fates("wamid.nothing", elsewhere, own, reacted)).toEqual([131009, 131009, 131009, 131009]);
    meta.clock.moveOn(30 * DAY_MS + 1);
    ada.says("back again");
    expect(await fates(old, ada.transcript().at(-1)?.wamid ?? "")).toEqual([131009, "arrives"]);
  });
});

describe("somebody who switches offers off", () => {
  it("is told of by user_preferences, and gets no marketing template until they are on again", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.says("hello");

    ada.stopsMarketing();
    const refused = wamidOf(await send(meta, MENU));
    const service = wamidOf(await send(meta, template("hello_again")));
    await meta.idle();
    ada.resumesMarketing();
    const taken = wamidOf(await send(meta, MENU));
    await meta.idle();

    const told = payloads(host)
      .flatMap(({ entry }) => entry.flatMap(({ changes }) => changes as readonly object[]))
      .filter((change) => (change as { field: string }).field === "user_preferences");
    expect(told).toMatchObject(
      ["stop", "resume"].map((value) => ({
        value: {
          contacts: [{ wa_id: ADA.phoneNumber, user_id: ADA.userId }],
          user_preferences: [{ wa_id: ADA.phoneNumber, category: "marketing_messages", value }],
        },
      })),
    );
    const last = (wamid: string) => statuses(host).findLast(({ id }) => id === wamid);
    expect(last(refused)).toMatchObject({ status: "failed", errors: [{ code: 131050 }] });
    expect([last(service)?.status, last(taken)?.status]).toEqual(["read", "read"]);
  });
});

describe("what Meta charges", () => {
  it("is nothing for utility inside the service window, and something for marketing", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    await send(meta, template("hello_again"));
    ada.says("hello");
    await send(meta, template("hello_again"));
    await send(meta, MENU);
    await meta.idle();

    const sent = statuses(host).filter(({ status }) => status === "sent");
    expect(sent.map((status) => (status as unknown as { pricing: object }).pricing)).toMatchObject([
      { billable: true, type: "regular", category: "utility" },
      { billable: false, type: "free_customer_service", category: "utility" },
      { billable: true, type: "regular", category: "marketing" },
    ]);
  });
});

describe("a webhook that the host does not take", () => {
  it("is given up after seven days, and nobody hears of it again", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    host.answers.push(...Array<number>(1_000).fill(500));

    meta.person(ADA).says("hello");
    await meta.waitFor(() => (meta.deliveries[0]?.attempts.length ?? 0) > 1);
    meta.clock.moveOn(7 * DAY_MS - 60_000);
    const before = host.received.length;
    await meta.waitFor(() => host.received.length > before + 1);
    expect(meta.deliveries).toMatchObject([{ outcome: "pending" }]);
    meta.clock.moveOn(60_000);
    await meta.idle();

    expect(meta.deliveries).toMatchObject([{ outcome: "given-up" }]);
  });

  it("comes again with others, 1,000 of them and 3 MB at most", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, webhookConcurrency: 64, retryDelayMs: untilIn(2_000) });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ rebatchRetries: true });
    host.answers.push(...Array<number>(1_150).fill(500));

    // 24 kB each once they are escaped, so that the first hundred fill one delivery and some more.
    for (let count = 0; count < 150; count += 1) ada.says("é".repeat(4_000));
    for (let count = 0; count < 1_000; count += 1) ada.says("short");
    await meta.idle();

    const sizes = host.received.map(({ bytes }) => bytes.byteLength);
    const counts = payloads(host).map(({ entry }) => entry.flatMap(({ changes }) => changes).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3 * 1024 * 1024);
    expect(Math.max(...counts)).toBeGreaterThan(100);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1_000);
    expect(meta.deliveries.every(({ outcome }) => outcome === "acknowledged")).toBe(true);
  });
});

describe("a payload made by hand", () => {
  it("opens no window by the messages of another field", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const payload = JSON.parse(JSON.stringify(handMade(ADA.phoneNumber, "wamid.old")));
    payload.entry[0].changes[0].field = "history";

    meta.deliver(payload);
    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host)).toMatchObject([{ status: "failed", errors: [{ code: 131047 }] }]);
    expect(values(host)).toHaveLength(2);
  });
});
