/** `<whatsapp-connect flow="popup">`: Meta's SDK, its window, whose messages are believed, and the ways out. */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { useBrowser, type WatchedPage } from "../support/browser.ts";
import { CONNECTED, loginOf, refusal, startConnectStub, statusOf } from "../support/connect-stub.ts";
import { ONBOARDING, offered } from "../support/onboardings.ts";

const browser = useBrowser();
const stub = await startConnectStub();
beforeEach(() => {
  stub.reset();
  stub.page.body = `<whatsapp-connect flow="popup"></whatsapp-connect>`;
});

const connect = (page: WatchedPage) => page.getByRole("button", { name: "Connect WhatsApp" });
const signup = (event: string, data: object = {}) =>
  JSON.stringify(JSON.stringify({ type: "WA_EMBEDDED_SIGNUP", event, version: 3, data }));

/** A page whose button has been pressed, and Meta's window. */
async function pressed() {
  const page = await browser.open(`${stub.url}/dashboard/integrations`);
  await expect.poll(() => page.evaluate("window.FB?.initWith")).toBeTruthy();
  const [popup] = await Promise.all([page.waitForEvent("popup"), connect(page).click()]);
  await popup.waitForLoadState();
  return { page, popup };
}

/** Messages arrive in order: those of before are heard. */
async function allHeard({ page, popup }: { page: Page; popup: Page }) {
  await page.evaluate("addEventListener('message', ({ data }) => { heard.last ||= data === 'last'; })");
  await popup.evaluate("opener.postMessage('last', '*')");
  await expect.poll(() => page.evaluate("heard.last")).toBeTruthy();
}

describe("the window", () => {
  it("is opened by Meta's SDK, with this app's own configuration", async () => {
    const { page } = await pressed();
    await page.getByRole("status").filter({ hasText: "Go on in Meta's window." }).waitFor();
    await browser.screenshot(page, "popup-open");

    expect(await page.evaluate("FB.initWith")).toEqual({ appId: "777", version: "v25.0", xfbml: false, cookie: false });
    expect(await page.evaluate("FB.loginWith")).toEqual({
      config_id: "888",
      response_type: "code",
      override_default_response_type: true,
      extras: { setup: {} },
    });
    expect(page.faults).toEqual([]);
  });

  it("ends with a code, which is posted at once with the ids that Meta has told", async () => {
    const { page, popup } = await pressed();
    stub.answer("POST /oauth/embedded-signup", {
      onboarding: { ...ONBOARDING, state: "done" },
      login: loginOf(stub.url),
    });
    stub.answer("GET /status", statusOf(CONNECTED));
    await popup.evaluate(
      `opener.postMessage(${signup("FINISH", { waba_id: "201555", phone_number_id: "301777" })}, "*")`,
    );
    await allHeard({ page, popup });
    await page.evaluate("FB.answer('AQcode')");
    await page.getByRole("status").filter({ hasText: "WhatsApp is connected." }).waitFor();

    expect(stub.asked).toEqual([
      { route: "POST /oauth/embedded-signup", sent: { code: "AQcode", waba_id: "201555", phone_number_id: "301777" } },
    ]);
    expect(page.faults).toEqual([]);
  });

  it("may end without any message: the code is enough", async () => {
    const { page } = await pressed();
    stub.answer("POST /oauth/embedded-signup", {
      onboarding: { ...ONBOARDING, state: "choice", numbers: [offered(1), offered(2)] },
      login: loginOf(stub.url),
    });
    await page.evaluate("FB.answer('AQcode')");
    await page.getByText("Which numbers should be connected?").waitFor();

    expect(stub.asked[0]?.sent).toEqual({ code: "AQcode" });
  });

  it("may be asked for again: giving up one of two says nothing, and either may bring the code", async () => {
    const { page } = await pressed();
    await page.evaluate("window.first = FB.answer");
    await connect(page).click();
    await page.evaluate("first(null)");
    stub.answer("POST /oauth/embedded-signup", refusal(400, "CODE_REFUSED"));
    expect(await page.getByRole("alert").textContent()).toBe("");
    await page.evaluate("FB.answer('AQcode')");
    await page.getByRole("alert").filter({ hasText: "Meta did not accept the login" }).waitFor();

    expect(stub.asked).toEqual([{ route: "POST /oauth/embedded-signup", sent: { code: "AQcode" } }]);
  });

  it("believes no message of another origin, whatever it says", async () => {
    const { page, popup } = await pressed();
    stub.answer("POST /oauth/embedded-signup", refusal(400, "CODE_REFUSED"));
    const foreign = `${stub.url.replace("127.0.0.1", "localhost")}/popup`;
    await popup.evaluate(`location.href = "${foreign}"`);
    await popup.waitForURL(foreign);
    for (const message of [
      signup("FINISH", { waba_id: "666666", phone_number_id: "666667" }),
      signup("ERROR"),
      signup("CANCEL"),
    ])
      await popup.evaluate(`opener.postMessage(${message}, "*")`);
    await allHeard({ page, popup });
    await page.evaluate("FB.answer('AQcode')");
    await page.getByRole("alert").filter({ hasText: "Meta did not accept the login" }).waitFor();

    expect(stub.asked).toEqual([{ route: "POST /oauth/embedded-signup", sent: { code: "AQcode" } }]);
  });

  it("reads nothing into a message that is not Meta's kind", async () => {
    const { page, popup } = await pressed();
    for (const message of [
      "'no JSON'",
      "'null'",
      "{ type: 'WA_EMBEDDED_SIGNUP', event: 'CANCEL' }",
      signup("FINISH", { waba_id: "<b>" }),
      '\'{"type":"WA_EMBEDDED_SIGNUP"}\'',
    ])
      await popup.evaluate(`opener.postMessage(${message}, "*")`);
    stub.answer("POST /oauth/embedded-signup", refusal(400, "CODE_REFUSED"));
    await page.evaluate("FB.answer('AQcode')");
    await page.getByRole("alert").filter({ hasText: "Meta did not accept the login" }).waitFor();

    expect(stub.asked[0]?.sent).toEqual({ code: "AQcode" });
  });

  it.each([
    ["closed", "FB.answer(null)", null, "was cancelled"],
    ["cancelled", null, signup("CANCEL", { current_step: "PHONE_NUMBER_SETUP" }), "was cancelled"],
    [
      "broken",
      null,
      signup("CANCEL", { error_message: "<b>no</b>", error_id: "52" }),
      "Meta's dialog ended with an error",
    ],
    ["in error", null, signup("ERROR", { error_message: "no" }), "Meta's dialog ended with an error"],
  ])("that is %s says so, and leaves the button", async (_how, answer, message, sentence) => {
    const { page, popup } = await pressed();
    if (answer !== null) await page.evaluate(answer);
    if (message !== null) await popup.evaluate(`opener.postMessage(${message}, "*")`);
    await page.getByRole("alert").filter({ hasText: sentence }).waitFor();

    expect(stub.asked).toEqual([]);
    expect(await connect(page).isVisible()).toBe(true);
    expect(page.faults).toEqual([]);
  });
});

describe("without the window", () => {
  it("goes to Meta with the page itself when the browser blocks it", async () => {
    const page = await browser.open("about:blank");
    await page.addInitScript("window.open = () => null");
    await page.goto(`${stub.url}/dashboard/integrations`);
    await expect.poll(() => page.evaluate("window.FB?.initWith")).toBeTruthy();
    await connect(page).click();
    await page.waitForURL("**/oauth/authorize?*");

    expect(stub.asked).toHaveLength(1);
  });

  it("goes to Meta with the page itself when the SDK cannot be loaded, and says why", async () => {
    stub.answer("GET /oauth/onboarding", {
      onboarding: null,
      login: { ...loginOf(stub.url), sdk_url: "http://localhost:9/sdk.js" },
    });
    const page = await browser.open(`${stub.url}/dashboard/integrations`);
    await page.route("**/oauth/authorize?*", (route) => route.fulfill({ status: 204 }));
    await connect(page).click();
    await page.getByRole("status").filter({ hasText: "Meta's login could not be loaded here" }).waitFor();
    await browser.screenshot(page, "popup-sdk-missing");
  });

  it("goes to Meta with the page itself where the login has no configuration", async () => {
    stub.answer("GET /oauth/onboarding", { onboarding: null, login: { ...loginOf(stub.url), config_id: null } });
    const page = await browser.open(`${stub.url}/dashboard/integrations`);
    await connect(page).click();
    await page.waitForURL("**/oauth/authorize?*");
  });
});

it("loads the SDK once, however many elements are on a page", async () => {
  stub.page.body = `<whatsapp-connect flow="popup"></whatsapp-connect>`.repeat(2);
  const page = await browser.open(`${stub.url}/dashboard/integrations`);
  await expect.poll(() => page.evaluate("window.FB?.initWith")).toBeTruthy();
  await connect(page).nth(1).waitFor();

  expect(await page.evaluate("[FB.inits, document.querySelectorAll('script[src$=\"sdk.js\"]').length]")).toEqual([
    1, 1,
  ]);
});
