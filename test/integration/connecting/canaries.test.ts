/** What connecting carries through our hands must stay there: nothing of it in the database in the clear, in a log or in an answer. */
import { describe, expect, it } from "vitest";
import { DUMP } from "../../support/canaries.ts";
import { quiet } from "../../support/channel.ts";
import { FRESH, OTHER_TENANT, SECOND, startConnecting } from "../../support/connecting.ts";

const PIN = "271828";
/** Not as part of a time or a longer number. */
const AS_A_NUMBER = new RegExp(`(?<![\\d.:])${PIN}(?!\\d)`);

describe("a token, a code, a state and a PIN", () => {
  it("are in no answer, no log and no column, however the flow goes", async () => {
    const connecting = await startConnecting({
      config: { pkce: "S256" },
      meta: { numbers: [{ ...FRESH, pin: PIN }, SECOND] },
    });
    const { channel } = connecting;
    const { meta } = channel;
    const answers: string[] = [];
    const carried: string[] = [];
    const keep = async (response: Response) => {
      answers.push(
        `${await response.text()}${JSON.stringify([...response.headers].filter(([name]) => name !== "set-cookie"))}`,
      );
      return response;
    };
    const wayBack = async (decision: Parameters<typeof meta.login.decide>[1] = {}) => {
      const dialog = await connecting.press();
      const back = meta.login.decide(dialog, decision);
      for (const name of ["code", "state"]) {
        const value = back.searchParams.get(name);
        if (value !== null) carried.push(value);
      }
      return back;
    };

    // Every way to go wrong, and then right.
    await keep(await connecting.comeBack(await wayBack({ cancel: true })));
    await keep(await connecting.comeBack(await wayBack(), { session: "another" }));
    await keep(await connecting.comeBack(await wayBack(), { headers: { accept: "text/html" }, user: "eve" }));
    for (const on of ["oauth_access_token", "debug_token", "phone_numbers"] as const) {
      meta.faults.next({ on, do: { error: { code: 190, subcode: 460 } } });
      await keep(await connecting.comeBack(await wayBack()));
    }
    await keep(await connecting.comeBack(await wayBack()));
    await keep(await connecting.post("/oauth/onboarding", { phone_number_ids: [FRESH.phoneNumberId] }));
    await keep(await connecting.post("/oauth/onboarding", { pins: { [FRESH.phoneNumberId]: "31415" } }));
    await keep(await connecting.post("/oauth/onboarding", { pins: { [FRESH.phoneNumberId]: PIN } }));
    await keep(await connecting.get("/oauth/onboarding"));
    await keep(await connecting.get("/status"));
    await keep(await connecting.get("/doctor"));
    const code = meta.login.code();
    carried.push(code);
    await keep(await connecting.post("/oauth/embedded-signup", { code }, { tenant: OTHER_TENANT }));
    await keep(await connecting.post("/oauth/embedded-signup", { code, more: code }, { tenant: OTHER_TENANT }));
    await quiet(channel);

    expect((await connecting.status()).numbers).toEqual([expect.objectContaining({ state: "connected" })]);
    expect(meta.numbers()[0]?.pin).toBe(PIN);
    expect(carried.length).toBeGreaterThan(10);
    const [row] = await channel.rows<{ dump: string }>(DUMP);
    const everything = { log: JSON.stringify(channel.logs), answers: answers.join("\n"), database: row?.dump ?? "" };
    for (const [where, text] of Object.entries(everything)) {
      expect([where, carried.filter((secret) => text.includes(secret))]).toEqual([where, []]);
      expect([where, AS_A_NUMBER.test(text)]).toEqual([where, false]);
    }
    expect(everything.answers).not.toMatch(/EAA[A-Za-z0-9]{100,}|access_token/);
    const pins = meta.numbers().flatMap(({ pin }) => (pin === null ? [] : [pin]));
    expect(pins.filter((pin) => everything.answers.includes(pin))).toEqual([]);
  });

  it("show nothing of themselves when a row, an error or the plugin is printed", async () => {
    const connecting = await startConnecting();
    await connecting.connect();
    const { inspect } = await import("node:util");

    const printed = inspect(connecting.channel.plugin, { depth: 12, showHidden: true });

    expect(printed).not.toMatch(/EAA[A-Za-z0-9]{100,}/);
  });
});
