/** A channel whose number nobody has connected yet, and people who press the button. */
import { expect, onTestFinished } from "vitest";
import { NUMBER, startChannel, TENANT, type TestChannel, type TestChannelOptions } from "./channel.ts";

export const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
export const APP_ID = "700700700700700";
export const CONFIG_ID = "800800800800800";
export const APP_URL = "https://host.test";
export const CALLBACK = `${APP_URL}/api/whatsapp/oauth/callback`;
/** Not registered yet, and nobody sends its webhooks to us. */
export const FRESH = { ...NUMBER, isRegistered: false, isSubscribed: false };
export const SECOND = {
  ...FRESH,
  phoneNumberId: "301777000333555",
  displayPhoneNumber: "15557770155",
  verifiedName: "Second Shop",
};

/** Somebody at a browser. */
export type Who = {
  readonly tenant?: string | null;
  readonly user?: string | null;
  readonly session?: string | null;
  readonly permissions?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

// What came back is asserted, so it need not be typed.
// biome-ignore lint/suspicious/noExplicitAny: JSON
type Json = any;
export type Answer = { readonly status: number; readonly body: Json };

export type Connecting = {
  readonly channel: TestChannel;
  get(path: string, who?: Who): Promise<Response>;
  post(path: string, body: unknown, who?: Who): Promise<Response>;
  /** Presses the button. @returns Meta's dialog. */
  press(who?: Who, query?: string): Promise<URL>;
  /** Comes back from Meta. @param url where Meta has sent the browser. */
  comeBack(url: URL, who?: Who): Promise<Response>;
  /** The whole way. @returns the query that the dashboard is opened with. */
  connect(decision?: Parameters<TestChannel["meta"]["login"]["decide"]>[1], who?: Who): Promise<URLSearchParams>;
  status(who?: Who): Promise<Status>;
  onboarding(who?: Who): Promise<Json>;
  goOn(answer?: object, who?: Who): Promise<Answer>;
  popup(body: object, who?: Who): Promise<Answer>;
};

export type Status = {
  readonly enabled: boolean;
  readonly state: string;
  readonly reason: string | null;
  readonly numbers: readonly { readonly phone_number_id: string; readonly state: string }[];
};

export async function startConnecting(options: TestChannelOptions = {}): Promise<Connecting> {
  const channel = await startChannel({
    connect: false,
    ...options,
    config: { metaAppId: APP_ID, metaConfigId: CONFIG_ID, appUrl: APP_URL, ...options.config },
    meta: {
      numbers: [FRESH],
      ...options.meta,
      login: { redirectUris: [CALLBACK], configId: CONFIG_ID, ...options.meta?.login },
    },
    plugin: {
      authenticate: ({ headers }: { headers: Record<string, string | undefined> }) =>
        headers["x-tenant"] === undefined
          ? null
          : {
              customerConfigId: headers["x-tenant"],
              userId: headers["x-user"],
              sessionId: headers["x-session"],
              permissions: (headers["x-permissions"] ?? "connect") === "connect" ? ["connect"] : [],
            },
      ...options.plugin,
    },
  });
  onTestFinished(() => channel.stop());
  await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);

  const call = (path: string, init: RequestInit, { tenant = TENANT, user = "ada", session = "s1", ...who }: Who = {}) =>
    fetch(`${channel.url}${path}`, {
      redirect: "manual",
      ...init,
      headers: {
        ...(tenant === null ? {} : { "x-tenant": tenant }),
        ...(user === null ? {} : { "x-user": user }),
        ...(session === null ? {} : { "x-session": session }),
        ...(who.permissions === undefined ? {} : { "x-permissions": who.permissions }),
        ...init.headers,
        ...who.headers,
      },
    });
  const connecting: Connecting = {
    channel,
    get: (path, who) => call(path, {}, who),
    post: (path, body, who) =>
      call(
        path,
        {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: body === undefined ? null : JSON.stringify(body),
        },
        who,
      ),
    async press(who, query = "?domain=shop.example") {
      const answer = await connecting.get(`/oauth/authorize${query}`, who);
      expect(answer.status).toBe(302);
      return new URL(answer.headers.get("location") as string);
    },
    comeBack: (url, who) => connecting.get(`/oauth/callback${url.search}`, who),
    async connect(decision, who) {
      const answer = await connecting.comeBack(channel.meta.login.decide(await connecting.press(who), decision), who);
      expect(answer.status).toBe(303);
      return new URL(answer.headers.get("location") as string, APP_URL).searchParams;
    },
    status: async (who) => (await (await connecting.get("/status", who)).json()) as Status,
    onboarding: async (who) => ((await (await connecting.get("/oauth/onboarding", who)).json()) as Json).onboarding,
    goOn: async (answer = {}, who = {}) => answerOf(await connecting.post("/oauth/onboarding", answer, who)),
    popup: async (body, who) => answerOf(await connecting.post("/oauth/embedded-signup", body, who)),
  };
  return connecting;
}

/** How often Meta was asked for a token. */
export function exchanges({ channel }: Connecting): number {
  return Object.entries(channel.meta.requests)
    .filter(([request]) => request.endsWith("/oauth/access_token"))
    .reduce((sum, [, count]) => sum + count, 0);
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, body: await response.json() };
}

/** A channel whose every code is exchanged for this token, at this Meta: what an attacker would have to bring about. */
export async function startWithToken(at: Connecting, accessToken: string): Promise<Connecting> {
  const plain = globalThis.fetch;
  const connecting = await startConnecting({
    plugin: {
      fetch: async (url, init) =>
        String(url).includes("/oauth/access_token")
          ? Response.json({ access_token: accessToken, token_type: "bearer" })
          : plain(String(url).replace(connecting.channel.meta.url, at.channel.meta.url), init),
    },
  });
  return connecting;
}
