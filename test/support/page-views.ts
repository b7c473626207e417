/** The integrations page as a test looks at it: on a desk or a phone, before the stub or the whole channel. */
import { afterAll, beforeEach } from "vitest";
import { type TestBrowser, useBrowser, type WatchedPage } from "./browser.ts";
import { startPageStub } from "./page-stub.ts";

export type PageOptions = Parameters<TestBrowser["open"]>[1];
export const DESK: PageOptions = { viewport: { width: 1280, height: 860 } };
export const PHONE: PageOptions = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** To be called at the top of a test file. */
export function usePages() {
  const browser = useBrowser();
  return (url: string, options = DESK) => browser.open(url, options);
}

/** The same before a stub, which forgets after each test what it was told. */
export async function usePageStub() {
  const openAt = usePages();
  const stub = await startPageStub();
  beforeEach(() => stub.reset());
  afterAll(() => stub.stop());
  const open = (place = "", options = DESK) => openAt(`${stub.url}${place}`, options);
  return { stub, open, openAt };
}

export const button = (page: WatchedPage, name: string | RegExp) => page.getByRole("button", { name, exact: true });
export const heading = (page: WatchedPage, name: string) => page.getByRole("heading", { name, exact: true, level: 1 });
export const refusal = (status: number, code: string, message: string) => ({
  status,
  body: { error: { code, message } },
});

/** What has the focus, through every shadow root, by its name. */
export const focused = (page: WatchedPage) =>
  page.evaluate<string>(
    `(() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return (at?.getAttribute("aria-label") ?? at?.textContent ?? "").replace(/\\s+/g, " ").trim(); })()`,
  );

/** An answer that comes when it is let go: what is shown meanwhile is what is tested. */
export function held(body: object, status = 200) {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const route = async () => {
    await gate;
    return { status, body };
  };
  return { route, release: () => release() };
}

/** What the next look brings. */
export const newsOf = (...kinds: readonly ("messages" | "webhooks" | "deadLetters" | "templates" | "numbers")[]) => ({
  cursor: "2",
  messages: kinds.includes("messages"),
  webhooks: kinds.includes("webhooks"),
  deadLetters: kinds.includes("deadLetters"),
  templates: kinds.includes("templates"),
  numbers: kinds.includes("numbers"),
});
