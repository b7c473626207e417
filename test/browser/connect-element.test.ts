/** `<whatsapp-connect>` in a real browser: every state it can be in, by redirect, from routes that a test answers. */
import { beforeEach, describe, expect, it } from "vitest";
import { useBrowser, type WatchedPage } from "../support/browser.ts";
import { CONNECTED, EMPTY, loginOf, refusal, startConnectStub, statusOf } from "../support/connect-stub.ts";
import { ONBOARDING, offered, step } from "../support/onboardings.ts";

const browser = useBrowser();
const stub = await startConnectStub();
beforeEach(() => stub.reset());

const open = (query = "", options = {}) => browser.open(`${stub.url}/dashboard/integrations${query}`, options);
const button = (page: WatchedPage, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const heard = (page: WatchedPage) =>
  page.evaluate<{ type: string; detail: unknown; composed: boolean }[]>("window.heard");
/** Answers a request only when the test lets it. */
function gate<T>(answer: T) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { route: () => opened.then(() => ({ status: 200, body: answer })), open: () => open() };
}

describe("an account without WhatsApp", () => {
  it("sees what it is for and one button, in light and in dark, on a desk and on a phone", async () => {
    for (const [name, options] of [
      ["empty-light", {}],
      ["empty-dark", { colorScheme: "dark" }],
      ["empty-phone", { viewport: { width: 360, height: 640 } }],
    ] as const) {
      const page = await open("", options);
      await button(page, "Connect WhatsApp").waitFor();
      await browser.screenshot(page, name);

      expect(await page.getByText("Connect your WhatsApp Business number").isVisible()).toBe(true);
      expect(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")).toBe(
        true,
      );
      expect(page.faults).toEqual([]);
    }
  });

  it("is sent to Meta with its domain and the page to come back to", async () => {
    const page = await open("?tab=2");
    await button(page, "Connect WhatsApp").click();
    await page.waitForURL("**/oauth/authorize?*");

    expect(stub.asked).toEqual([
      { route: "GET /oauth/authorize", sent: { domain: "127.0.0.1", returnTo: "/dashboard/integrations" } },
    ]);
    await page.goBack();
    await button(page, "Connect WhatsApp").waitFor();
    expect(page.faults).toEqual([]);
  });

  it("comes back to the page that the element names", async () => {
    stub.page.body = `<whatsapp-connect return-to="/settings"></whatsapp-connect>`;
    const page = await open();
    await button(page, "Connect WhatsApp").click();
    await page.waitForURL("**/oauth/authorize?*");

    expect(stub.asked[0]?.sent).toMatchObject({ returnTo: "/settings" });
  });
});

describe("while it loads", () => {
  it("keeps the place of what comes, says so to a screen reader, and does not move the page", async () => {
    const status = gate(EMPTY);
    stub.answer("GET /status", status.route);
    const page = await open();
    const card = page.locator(".card");
    await page.locator(".skeleton").first().waitFor();
    await browser.screenshot(page, "loading");
    const before = await card.boundingBox();

    expect(await page.getByRole("status").textContent()).toBe("Loading the WhatsApp connection…");
    status.open();
    await button(page, "Connect WhatsApp").waitFor();
    const after = await card.boundingBox();

    expect(Math.abs((after?.height ?? 0) - (before?.height ?? 0))).toBeLessThan(8);
    expect(await page.getByRole("status").textContent()).toBe("");
  });

  it("offers to try again when it could not be loaded", async () => {
    stub.answer("GET /status", refusal(500, "INTERNAL"));
    const page = await open();
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: "Something went wrong on this platform" }).waitFor();
    await browser.screenshot(page, "load-failed");
    stub.answer("GET /status", EMPTY);
    await button(page, "Try again").press("Enter");
    await button(page, "Connect WhatsApp").waitFor();

    expect(await alert.textContent()).toBe("");
    expect(await page.evaluate("document.activeElement.localName")).toBe("whatsapp-connect");
  });

  it.each([
    ["NOT_AUTHENTICATED", "You are not signed in."],
    ["NOT_PERMITTED", "You may not connect or disconnect WhatsApp here."],
  ])("says what to do to somebody who is refused with %s", async (code, sentence) => {
    stub.answer("GET /status", refusal(403, code));
    const page = await open();
    await page.getByRole("alert").filter({ hasText: sentence }).waitFor();
    await browser.screenshot(page, `refused-${code.toLowerCase()}`);

    expect(await heard(page)).toMatchObject([{ type: "whatsapp-error", detail: { code: code.toLowerCase() } }]);
  });

  it("shows what is connected, and no button, to somebody who may not connect", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("GET /oauth/onboarding", refusal(403, "NOT_PERMITTED"));
    const page = await open();
    await page.getByText("Test Shop").waitFor();
    await browser.screenshot(page, "read-only");

    expect(await page.getByRole("button").count()).toBe(0);
    expect(await page.getByText("You may not connect").isVisible()).toBe(true);
  });

  it("shows what is connected, and a way to try again, when only the login is out of order", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("GET /oauth/onboarding", refusal(500, "INTERNAL"));
    const page = await open();
    await page.getByText("Test Shop").waitFor();
    stub.answer("GET /oauth/onboarding", { onboarding: null, login: loginOf(stub.url) });
    await button(page, "Try again").click();
    await button(page, "Connect another number").waitFor();
  });

  it("tells the operator where no login is configured", async () => {
    stub.answer("GET /oauth/onboarding", { onboarding: null, login: { ...loginOf(stub.url), app_id: null } });
    const page = await open();
    await page.getByText("must set META_APP_ID and NEXT_PUBLIC_APP_URL").waitFor();

    expect(await page.getByRole("button").count()).toBe(0);
  });
});

describe("connected numbers", () => {
  const second = { ...CONNECTED, phone_number_id: "302", phone_number: "+44 7700 900123", verified_name: null };
  const dead = {
    ...second,
    quality_rating: "RED",
    state: "reauth_required",
    reason: "Meta refuses the access token: reconnect the number.",
  };

  it("are shown with name and quality in words, and those that need it with why and a button", async () => {
    stub.answer("GET /status", statusOf(CONNECTED, { ...second, phone_number_id: "303", quality_rating: "NA" }, dead));
    const page = await open();
    await page.getByText("Reconnect needed").waitFor();
    await browser.screenshot(page, "numbers");

    const rows = page.getByRole("listitem");
    expect(await rows.nth(0).textContent()).toMatch(/\+1 555-777-0100.*Test Shop.*Connected.*Quality: high/);
    expect(await rows.nth(1).textContent()).toMatch(/No verified name.*Quality: not rated yet/);
    expect(await rows.nth(2).textContent()).toMatch(/Quality: low.*Meta refuses the access token/);
    await browser.screenshot(
      await open("", { colorScheme: "dark", viewport: { width: 360, height: 800 } }),
      "numbers-dark-phone",
    );
    await button(page, "Reconnect +44 7700 900123").click();
    await page.waitForURL("**/oauth/authorize?*");
    expect(page.faults).toEqual([]);
  });

  it("are disconnected once that is confirmed, and the page is told", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("POST /disconnect", EMPTY);
    const page = await open();
    await button(page, "Disconnect +1 555-777-0100").click();
    await browser.screenshot(page, "disconnect-confirm");
    await button(page, "Keep connected").click();
    expect(stub.asked).toEqual([]);

    await button(page, "Disconnect +1 555-777-0100").click();
    await button(page, "Disconnect").click();
    await page.getByRole("status").filter({ hasText: "+1 555-777-0100 is disconnected." }).waitFor();
    await browser.screenshot(page, "disconnected");

    expect(stub.asked).toEqual([{ route: "POST /disconnect", sent: { phone_number_id: CONNECTED.phone_number_id } }]);
    expect(await heard(page)).toEqual([
      { type: "whatsapp-disconnected", detail: { phone_number_id: CONNECTED.phone_number_id }, composed: true },
    ]);
    expect(await button(page, "Connect WhatsApp").isVisible()).toBe(true);
    expect(page.faults).toEqual([]);
  });

  it("are read again by a page that knows of something new; whoever is in the midst of something stays there", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    const page = await open();
    const refresh = () =>
      page.locator("whatsapp-connect").evaluate((one) => (one as unknown as { refresh(): Promise<void> }).refresh());
    await button(page, "Disconnect +1 555-777-0100").click();
    stub.answer("GET /status", refusal(503, "STORE_UNAVAILABLE"));
    await refresh();
    expect(await page.getByRole("alert").textContent()).toBe("");
    stub.answer("GET /status", statusOf(CONNECTED, { ...second, verified_name: "Second Shop" }));
    await refresh();

    await page.getByText("Second Shop").waitFor();
    expect(await button(page, "Keep connected").isVisible()).toBe(true);
  });

  it("stay where disconnecting is refused, with the sentence for it", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("POST /disconnect", refusal(502, "GRAPH_UNREACHABLE"));
    const page = await open();
    await button(page, "Disconnect +1 555-777-0100").click();
    await button(page, "Disconnect").click();
    await page.getByRole("alert").filter({ hasText: "Meta could not be reached." }).waitFor();

    expect(await page.getByText("Test Shop").isVisible()).toBe(true);
  });
});

describe("coming back from Meta", () => {
  it("says that it worked, tells the page, and cleans the address", async () => {
    stub.answer("GET /status", statusOf(CONNECTED));
    const page = await open("?tab=2&whatsapp_connected=true#here");
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();
    await browser.screenshot(page, "connected");

    expect(page.url()).toBe(`${stub.url}/dashboard/integrations?tab=2#here`);
    expect(await heard(page)).toEqual([
      { type: "whatsapp-connected", detail: { numbers: [CONNECTED] }, composed: true },
    ]);
  });

  it("does not take the address's word for it", async () => {
    const page = await open("?whatsapp_connected=true");
    await button(page, "Connect WhatsApp").waitFor();

    expect(await page.getByRole("status").textContent()).toBe("");
    expect(await heard(page)).toEqual([]);
  });

  it.each([
    ["invalid_state", "Invalid state parameter:"],
    ["access_denied", "was cancelled"],
    ["invalid_redirect_uri", "Invalid redirect_uri:"],
    [
      "no_business_accounts",
      "No WhatsApp Business Accounts found: create one in Meta Business Suite (business.facebook.com)",
    ],
    ["constructor", "The connection did not succeed."],
    ["%3Cimg%20src%3Dx%20onerror%3Dheard.push(1)%3E", "The connection did not succeed."],
  ])("says what to do about %s", async (code, sentence) => {
    const page = await open(`?whatsapp_error=${code}`);
    await page.getByRole("alert").filter({ hasText: sentence }).waitFor();
    if (code === "no_business_accounts") await browser.screenshot(page, "error");

    expect(page.url()).toBe(`${stub.url}/dashboard/integrations`);
    expect(await page.getByRole("alert").innerHTML()).not.toMatch(/<|onerror|constructor/);
    expect(await heard(page)).toHaveLength(1);
    expect(page.faults).toEqual([]);
  });

  it("says so when there is nothing left to choose", async () => {
    const page = await open("?whatsapp_choice=abc");
    await page.getByRole("alert").filter({ hasText: "There is nothing to go on with" }).waitFor();
  });
});

describe("an onboarding", () => {
  const begun = (onboarding: object) => {
    stub.answer("GET /oauth/onboarding", { onboarding, login: loginOf(stub.url) });
    return open("?whatsapp_choice=o1");
  };
  const then = (onboarding: object) => stub.answer("POST /oauth/onboarding", { onboarding, login: loginOf(stub.url) });

  it("lets a person choose numbers, and connects those", async () => {
    const page = await begun({
      ...ONBOARDING,
      state: "choice",
      numbers: [offered(1), offered(2), offered(3, { held: "here" })],
    });
    await page.getByRole("group", { name: "Which numbers should be connected?" }).waitFor();
    await browser.screenshot(page, "choice");
    await button(page, "Connect these").click();
    expect(await page.getByRole("alert").textContent()).toBe("Choose at least one number.");

    await page.getByRole("checkbox", { name: /\+44 7700 900001/ }).check();
    await page.getByText("+44 7700 900002").click();
    stub.answer("GET /status", statusOf(CONNECTED));
    then({ ...ONBOARDING, state: "done" });
    await button(page, "Connect these").click();
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();

    expect(stub.asked).toEqual([
      { route: "POST /oauth/onboarding", sent: { onboarding_id: "o1", phone_number_ids: ["3001", "3002"] } },
    ]);
    expect(await heard(page)).toEqual([
      { type: "whatsapp-connected", detail: { numbers: [CONNECTED] }, composed: true },
    ]);
    expect(await page.getByText("Test Shop").isVisible()).toBe(true);
    expect(page.faults).toEqual([]);
  });

  it("has the only number chosen already, unless it is used elsewhere", async () => {
    const page = await begun({ ...ONBOARDING, state: "choice", numbers: [offered(1, { on_business_app: true })] });
    expect(await page.getByRole("checkbox").isChecked()).toBe(true);
    expect(await page.getByText("also used in the WhatsApp Business app").isVisible()).toBe(true);

    const other = await begun({ ...ONBOARDING, state: "choice", numbers: [offered(1, { held: "elsewhere" })] });
    expect(await other.getByRole("checkbox").isChecked()).toBe(false);
  });

  it("asks for the PIN of each number that needs one, and says which is wrong", async () => {
    const error = { code: "PIN_REQUIRED", message: "" };
    const wanting = (id: string) => step("register", "failed", { phone_number_id: id, error });
    const page = await begun({
      ...ONBOARDING,
      state: "pin",
      error,
      numbers: [offered(1), offered(2), offered(3)],
      chosen: ["3001", "3002", "3003"],
      steps: [
        ...ONBOARDING.steps,
        wanting("3001"),
        step("register", "waiting", { phone_number_id: "3002" }),
        wanting("3003"),
      ],
    });
    const pin = (number: number) => page.getByLabel(`Six-digit PIN of +44 7700 90000${number}`);
    await pin(1).waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("");
    await pin(1).fill("123456");
    await pin(3).fill("12");
    await button(page, "Continue").click();
    await page.getByText("A PIN has six digits.").waitFor();
    await browser.screenshot(page, "pin");

    expect(stub.asked).toEqual([]);
    expect(await pin(1).inputValue()).toBe("123456");
    expect(await pin(3).getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("input:focus").getAttribute("id")).toBe(await pin(3).getAttribute("id"));
    expect(await pin(2).count()).toBe(0);

    stub.answer("POST /oauth/onboarding", refusal(409, "PIN_REQUIRED"));
    await pin(3).fill("654321");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "Meta did not accept this PIN." }).waitFor();
    await browser.screenshot(page, "pin-refused");
    expect(await page.locator("input:focus").getAttribute("id")).toBe("pin-3001");
    expect(await pin(3).inputValue()).toBe("");
    expect(stub.asked).toEqual([
      { route: "POST /oauth/onboarding", sent: { onboarding_id: "o1", pins: { "3001": "123456", "3003": "654321" } } },
    ]);
  });

  it("moves a number here only when that is confirmed", async () => {
    const page = await begun({
      ...ONBOARDING,
      state: "takeover",
      error: { code: "CONNECTION_CONFLICT", message: "" },
      numbers: [offered(1, { held: "elsewhere" })],
      chosen: ["3001"],
    });
    await page.getByText("Another account on this platform uses this number.").waitFor();
    await browser.screenshot(page, "takeover");
    expect(await page.getByRole("alert").textContent()).toBe("");
    stub.answer("GET /status", statusOf(CONNECTED));
    then({ ...ONBOARDING, state: "done" });
    await button(page, "Move it here").click();
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();

    expect(stub.asked).toEqual([{ route: "POST /oauth/onboarding", sent: { onboarding_id: "o1", takeover: true } }]);
  });

  it("lets a person choose other numbers instead of moving one", async () => {
    const page = await begun({
      ...ONBOARDING,
      state: "takeover",
      numbers: [offered(1, { held: "elsewhere" }), offered(2)],
      chosen: ["3001"],
    });
    await button(page, "Choose other numbers").press("Enter");
    await page.getByRole("checkbox", { name: /900001.*used by another account/ }).uncheck();
    await page.getByRole("checkbox", { name: /900002/ }).check();
    then({ ...ONBOARDING, state: "done" });
    stub.answer("GET /status", statusOf(CONNECTED));
    await button(page, "Connect these").click();
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();

    expect(stub.asked).toEqual([
      { route: "POST /oauth/onboarding", sent: { onboarding_id: "o1", phone_number_ids: ["3002"] } },
    ]);
  });

  it("that failed says why and goes on where it stopped", async () => {
    const error = { code: "GRAPH_UNREACHABLE", message: "A sentence of the server." };
    const page = await begun({
      ...ONBOARDING,
      state: "failed",
      steps: [...ONBOARDING.steps, step("subscribe", "failed", { error })],
      error,
    });
    await page.getByRole("alert").filter({ hasText: "Meta could not be reached." }).waitFor();
    await browser.screenshot(page, "failed");
    then({ ...ONBOARDING, state: "choice", numbers: [offered(1), offered(2)] });
    await button(page, "Try again").press("Enter");
    await page.getByText("Which numbers should be connected?").waitFor();

    expect(stub.asked).toEqual([{ route: "POST /oauth/onboarding", sent: { onboarding_id: "o1" } }]);
    expect(await page.getByRole("alert").textContent()).toBe("");
  });

  it("that only a new login can mend goes back to Meta", async () => {
    const error = { code: "CODE_REFUSED", message: "" };
    const page = await begun({ ...ONBOARDING, state: "failed", error });
    await button(page, "Try again").click();
    await page.waitForURL("**/oauth/authorize?*");
  });

  it("asks what a refused request has left behind, once", async () => {
    const page = await begun({ ...ONBOARDING, state: "choice", numbers: [offered(1)] });
    await button(page, "Connect these").waitFor();
    const error = { code: "GRAPH_REJECTED", message: "" };
    stub.answer("POST /oauth/onboarding", refusal(502, "GRAPH_REJECTED"));
    stub.answer("GET /oauth/onboarding", {
      onboarding: { ...ONBOARDING, state: "failed", error },
      login: loginOf(stub.url),
    });
    await button(page, "Connect these").press("Enter");
    await page.getByRole("alert").filter({ hasText: "Meta refused a step." }).waitFor();

    expect(await button(page, "Try again").isVisible()).toBe(true);
    expect(await heard(page)).toMatchObject([{ type: "whatsapp-error", detail: { code: "graph_rejected" } }]);
  });

  it("that is gone when a person goes on says so, and offers to begin", async () => {
    stub.answer("POST /oauth/onboarding", refusal(404, "ONBOARDING_MISSING"));
    const page = await begun({ ...ONBOARDING, state: "choice", numbers: [offered(1)] });
    await button(page, "Connect these").waitFor();
    stub.answer("GET /oauth/onboarding", { onboarding: null, login: loginOf(stub.url) });
    await button(page, "Connect these").click();
    await page.getByRole("alert").filter({ hasText: "There is nothing to go on with" }).waitFor();

    expect(await button(page, "Connect WhatsApp").isVisible()).toBe(true);
  });

  it("shows its steps while it runs, and what came of it by itself", async () => {
    const page = await begun({
      ...ONBOARDING,
      state: "running",
      steps: [...ONBOARDING.steps, step("choice"), step("subscribe", "waiting")],
    });
    await page.getByText("Step 5 of 9: Switch on messages").waitFor();
    await browser.screenshot(page, "running");
    expect(await page.getByRole("listitem").filter({ hasText: "Check the permissions, done" }).count()).toBe(1);
    expect(await page.locator("[aria-current=step]").textContent()).toContain("Switch on messages");

    stub.answer("GET /status", statusOf(CONNECTED));
    stub.answer("GET /oauth/onboarding", { onboarding: { ...ONBOARDING, state: "done" }, login: loginOf(stub.url) });
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();
    expect(await heard(page)).toHaveLength(1);
  });

  it("shows its steps while a request goes through them", async () => {
    const done = gate({ onboarding: { ...ONBOARDING, state: "done" }, login: loginOf(stub.url) });
    stub.answer("POST /oauth/onboarding", done.route);
    const page = await begun({ ...ONBOARDING, state: "choice", numbers: [offered(1)] });
    await button(page, "Connect these").click();
    stub.answer("GET /oauth/onboarding", {
      onboarding: { ...ONBOARDING, state: "running", steps: [...ONBOARDING.steps, step("choice"), step("subscribe")] },
      login: loginOf(stub.url),
    });
    await page.getByText("Step 6 of 9: Register the number").waitFor();
    stub.answer("GET /status", statusOf(CONNECTED));
    done.open();
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();
    expect(page.faults).toEqual([]);
  });
});
