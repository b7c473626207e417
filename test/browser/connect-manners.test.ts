/** `<whatsapp-connect>` as a guest in somebody's page: keyboard, screen reader, policy, hostile words, own texts and looks. */
import type { Locator } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { faultsOf } from "../support/accessibility.ts";
import { useBrowser, type WatchedPage } from "../support/browser.ts";
import { CONNECTED, EMPTY, loginOf, POLICY, refusal, startConnectStub, statusOf } from "../support/connect-stub.ts";
import { ONBOARDING, offered, step } from "../support/onboardings.ts";
import { held } from "../support/page-views.ts";

const browser = useBrowser();
const stub = await startConnectStub();
beforeEach(() => stub.reset());

const open = (query = "", options = {}) => browser.open(`${stub.url}/dashboard/integrations${query}`, options);
const onboarding = (changes: object) => ({ onboarding: { ...ONBOARDING, ...changes }, login: loginOf(stub.url) });
const DEAD = {
  ...CONNECTED,
  phone_number_id: "302",
  quality_rating: "RED",
  state: "reauth_required",
  reason: "Meta refuses the access token.",
};
const PIN_ERROR = { code: "PIN_REQUIRED", message: "" };

/** Each as a page shows it, by the routes' answers. */
const STATES: Readonly<Record<string, () => void>> = {
  empty: () => {},
  "load failed": () => stub.answer("GET /status", refusal(500, "INTERNAL")),
  numbers: () => stub.answer("GET /status", statusOf(CONNECTED, { ...DEAD, quality_rating: "YELLOW" }, DEAD)),
  running: () =>
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({ state: "running", steps: [...ONBOARDING.steps, step("subscribe", "waiting")] }),
    ),
  choice: () =>
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({ state: "choice", numbers: [offered(1), offered(2, { held: "elsewhere" })] }),
    ),
  pin: () =>
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({
        state: "pin",
        error: PIN_ERROR,
        numbers: [offered(1)],
        chosen: ["3001"],
        steps: [step("register", "failed", { phone_number_id: "3001", error: PIN_ERROR })],
      }),
    ),
  takeover: () =>
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({ state: "takeover", numbers: [offered(1, { held: "elsewhere" })], chosen: ["3001"] }),
    ),
  failed: () =>
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({ state: "failed", error: { code: "GRAPH_REJECTED", message: "" } }),
    ),
};

describe("every state", () => {
  it.each(Object.entries(STATES))(
    "has names, labels and contrast, in light and dark and on a phone: %s",
    async (_name, answer) => {
      answer();
      for (const options of [{}, { colorScheme: "dark" }, { viewport: { width: 320, height: 640 } }]) {
        const page = await open("", options);
        await page.locator("whatsapp-connect [aria-busy=false]").waitFor();

        expect(await faultsOf(page)).toEqual([]);
      }
    },
  );

  it("is checked by something that finds faults", async () => {
    stub.page.body = `<button></button><label for="nothing">x</label><p style="color:#bbb;background:#fff">pale</p>`;
    stub.page.policy = "";
    const page = await open();

    expect(await faultsOf(page)).toEqual([
      "no name: <button>",
      "too small: <button>",
      "for leads nowhere: <label>x",
      expect.stringMatching(/^contrast 1\.9\d: pale$/),
    ]);
  });
});

describe("by keyboard alone", () => {
  const press = async (page: WatchedPage, ...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** The name of what has the focus, through every shadow root. */
  const focused = (page: WatchedPage) =>
    page.evaluate<string>(`(() => {
      let at = document.activeElement;
      while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
      return at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
    })()`);

  it("connects: choice, PIN, and the word that it is done, with the focus where the person is", async () => {
    stub.answer("GET /oauth/onboarding", onboarding({ state: "choice", numbers: [offered(1), offered(2)] }));
    const page = await open("?whatsapp_choice=o1");
    await page.getByRole("checkbox").first().waitFor();
    await press(page, "Tab", "Space");
    expect(await focused(page)).toMatch(/\+44 7700 900001/);

    const pin = {
      state: "pin",
      error: PIN_ERROR,
      numbers: [offered(1), offered(2)],
      chosen: ["3001"],
      steps: [step("register", "failed", { phone_number_id: "3001", error: PIN_ERROR })],
    };
    stub.answer("POST /oauth/onboarding", refusal(409, "PIN_REQUIRED"));
    stub.answer("GET /oauth/onboarding", onboarding(pin));
    await press(page, "Tab", "Tab");
    expect(await focused(page)).toBe("Connect these");
    await press(page, "Enter");
    await page.getByText("Six-digit PIN").waitFor();
    expect(await focused(page)).toBe("Two-step verification");

    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("POST /oauth/onboarding", onboarding({ state: "done" }));
    await press(page, "Tab");
    await page.keyboard.type("123456");
    await press(page, "Enter");
    await page.getByText("Test Shop").waitFor();

    await expect.poll(() => focused(page)).toBe("WhatsApp is connected.");
    expect(stub.asked.map(({ sent }) => sent)).toEqual([
      { onboarding_id: "o1", phone_number_ids: ["3001"] },
      { onboarding_id: "o1", pins: { "3001": "123456" } },
    ]);
    expect(page.faults.filter((fault) => !fault.includes("409"))).toEqual([]);
  });

  it("disconnects, after a question that Escape takes back", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("POST /disconnect", EMPTY);
    const page = await open();
    await page.getByText("Test Shop").waitFor();
    await press(page, "Tab", "Enter");
    expect(await focused(page)).toBe("Keep connected");
    await press(page, "Escape");
    expect(await focused(page)).toBe("Disconnect +1 555-777-0100");
    await press(page, "Enter", "Shift+Tab", "Enter");

    await expect.poll(() => focused(page)).toBe("+1 555-777-0100 is disconnected.");
    await press(page, "Tab");
    expect(await focused(page)).toBe("Connect WhatsApp");
  });

  it("keeps the focus while a request is under way, and takes no second one", async () => {
    stub.answer(
      "GET /oauth/onboarding",
      onboarding({ state: "failed", error: { code: "GRAPH_UNREACHABLE", message: "" } }),
    );
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    stub.answer("POST /oauth/onboarding", () => finished.then(() => refusal(502, "GRAPH_UNREACHABLE")));
    const page = await open();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await press(page, "Tab", "Enter");
    await page.locator("[aria-busy=true]").waitFor();
    expect(await focused(page)).toBe("Try again");
    await press(page, "Enter", "Enter");
    finish();
    await page.locator("[aria-busy=false]").waitFor();

    expect(stub.asked).toHaveLength(1);
    expect(await focused(page)).toBe("Try again");
  });
});

describe("hostile words", () => {
  const EVIL = `<img src=x onerror="heard.push('ran')"><b>`;

  it("from a server are text, wherever they stand", async () => {
    stub.answer(
      "GET /status",
      statusOf({ ...DEAD, phone_number: EVIL, verified_name: EVIL, reason: EVIL, quality_rating: EVIL }),
    );
    stub.answer("GET /oauth/onboarding", {
      ...onboarding({
        state: "choice",
        numbers: [offered(1, { phone_number: EVIL, verified_name: EVIL, waba_name: EVIL })],
        steps: [step(EVIL)],
        error: { code: EVIL, message: EVIL },
      }),
    });
    const page = await open();
    await page.getByText("Which numbers should be connected?").waitFor();
    await browser.screenshot(page, "hostile");

    expect(await page.locator("whatsapp-connect img, whatsapp-connect b b").count()).toBe(0);
    expect(await page.getByRole("alert").textContent()).toBe(EVIL);
    expect(await page.evaluate("heard.includes('ran')")).toBe(false);
    expect(page.faults).toEqual([]);
  });

  it("from the address are not repeated at all", async () => {
    const page = await open(`?whatsapp_error=${encodeURIComponent(EVIL)}&whatsapp_choice=${encodeURIComponent(EVIL)}`);
    await page.getByRole("alert").filter({ hasText: "The connection did not succeed." }).waitFor();

    expect(
      await page.evaluate("JSON.stringify(heard) + document.querySelector('whatsapp-connect').shadowRoot.innerHTML"),
    ).not.toMatch(/onerror/);
    expect(page.url()).not.toContain("whatsapp_");
  });
});

describe("in somebody's page", () => {
  it("takes the focus from nobody who has gone on in that page", async () => {
    stub.page.body = `<label>Note <input></label><whatsapp-connect></whatsapp-connect>`;
    const pin = {
      state: "pin",
      error: PIN_ERROR,
      numbers: [offered(1)],
      chosen: ["3001"],
      steps: [step("register", "failed", { phone_number_id: "3001", error: PIN_ERROR })],
    };
    stub.answer("GET /oauth/onboarding", onboarding({ state: "running" }));
    const page = await open();
    const note = page.getByLabel("Note");
    const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
    /** Goes on to the page's own field while something is under way, and types there once that has come. */
    const meanwhile = async (route: string, body: object, doing: () => Promise<void>, come: Locator) => {
      const answer = held(body);
      stub.answer(route, answer.route);
      await doing();
      await note.focus();
      answer.release();
      await come.waitFor();
      await page.keyboard.type("x");
      return note.inputValue();
    };
    await page.locator("[aria-current=step]").waitFor();
    const choice = onboarding({ state: "choice", numbers: [offered(1)] });
    const looked = () => page.waitForRequest("**/oauth/onboarding").then(() => {});
    expect(await meanwhile("GET /oauth/onboarding", choice, looked, page.getByRole("checkbox"))).toBe("x");

    const route = "POST /oauth/onboarding";
    const six = page.getByLabel("Six-digit PIN");
    expect(await meanwhile(route, onboarding(pin), () => press("Connect these"), six)).toBe("xx");
    await six.fill("123456");
    const refused = page.getByRole("alert").filter({ hasText: "Meta did not accept this PIN." });
    expect(await meanwhile(route, onboarding(pin), () => press("Continue"), refused)).toBe("xxx");
    await six.fill("654321");
    stub.answer("GET /status", statusOf(CONNECTED));
    const done = onboarding({ state: "done" });
    expect(await meanwhile(route, done, () => press("Continue"), page.getByText("WhatsApp is connected."))).toBe(
      "xxxx",
    );

    await press("Disconnect +1 555-777-0100");
    const gone = page.getByText("+1 555-777-0100 is disconnected.");
    expect(await meanwhile("POST /disconnect", EMPTY, () => press("Disconnect"), gone)).toBe("xxxxx");
  });

  it("needs no more of a policy than its own origin", async () => {
    expect(POLICY).not.toContain("unsafe");
    stub.answer("GET /status", statusOf(CONNECTED));
    const page = await open();
    await page.getByText("Test Shop").waitFor();

    expect(page.faults).toEqual([]);
    const look = `getComputedStyle(document.querySelector("whatsapp-connect").shadowRoot.querySelector(".card")).display`;
    expect(await page.evaluate(look)).toBe("grid");
  });

  it("speaks the page's words, whether they come before it or after", async () => {
    stub.page.policy = "";
    stub.page.body = `<whatsapp-connect></whatsapp-connect><script>
      document.querySelector("whatsapp-connect").texts = { connect: "WhatsApp verbinden", errors: { access_denied: "Abgebrochen." } };
    </script>`;
    const page = await open("?whatsapp_error=access_denied");
    await page.getByRole("button", { name: "WhatsApp verbinden" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("Abgebrochen.");

    await page.evaluate(`document.querySelector("whatsapp-connect").texts = { connect: "Relier WhatsApp" }`);
    expect(await page.getByRole("button").textContent()).toBe("Relier WhatsApp");
  });

  it("wears the page's colours, and follows its colour scheme and not the system's", async () => {
    stub.page.policy = "";
    stub.page.body = `<style>:root { color-scheme: light } whatsapp-connect { --whatsapp-accent: rgb(79, 70, 229) }</style><whatsapp-connect></whatsapp-connect>`;
    const page = await open("", { colorScheme: "dark" });
    const button = page.getByRole("button");
    await button.waitFor();
    await browser.screenshot(page, "themed");

    const look = `(() => { const root = document.querySelector("whatsapp-connect").shadowRoot;
      const of = (at) => getComputedStyle(root.querySelector(at)).backgroundColor; return [of("button"), of(".card")]; })()`;
    expect(await page.evaluate(look)).toEqual(["rgb(79, 70, 229)", "rgb(255, 255, 255)"]);
  });

  it("asks where its router is mounted, anew when that changes, and nobody any more once it is gone", async () => {
    stub.page.body = `<whatsapp-connect base="/nowhere"></whatsapp-connect>`;
    const page = await open();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await page.evaluate(`document.querySelector("whatsapp-connect").setAttribute("base", "/api/whatsapp")`);
    await page.getByRole("button", { name: "Connect WhatsApp" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("");

    await page.evaluate(
      `const gone = document.querySelector("whatsapp-connect"); gone.remove(); document.body.append(gone)`,
    );
    await page.getByRole("button", { name: "Connect WhatsApp" }).waitFor();
    expect(page.faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  });
});
