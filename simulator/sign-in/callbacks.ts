/** The two callbacks that Meta makes about a person: they removed the app, they want their data deleted. */
import { APP_REMOVED, type Tokens } from "../tokens.ts";
import { signedRequestOf } from "./signed-request.ts";

/** Which callback of the host is posted to, about whom, and with which mistakes. */
export type CallbackOptions = {
  readonly url: string;
  /** Default: who signs in. */
  readonly userId?: string;
  /** Signs with another secret: a forgery. */
  readonly appSecret?: string;
  /** Spoils the `signed_request` before it is posted. */
  readonly mutate?: (signedRequest: string) => string;
};

/** `body`: parsed where it is JSON, else the text. */
export type CallbackAnswer = { readonly status: number; readonly body: unknown };

/** Meta's two callbacks about a person who signed in. */
export type Callbacks = {
  /** The person removes the app: their tokens end, and Meta calls the deauthorize callback. */
  deauthorize(options: CallbackOptions): Promise<CallbackAnswer>;
  /** The person wants their data deleted. */
  requestDataDeletion(options: CallbackOptions): Promise<CallbackAnswer>;
};

export function createCallbacks(deps: {
  readonly appId: string;
  readonly appSecret: string;
  readonly now: () => Date;
  readonly userId: () => string;
  readonly tokens: Tokens;
}): Callbacks {
  const { appId, now, tokens } = deps;

  async function post({ url, userId, appSecret, mutate }: CallbackOptions): Promise<CallbackAnswer> {
    const payload = {
      algorithm: "HMAC-SHA256",
      expires: 0,
      issued_at: Math.floor(now().getTime() / 1000),
      user_id: userId ?? deps.userId(),
    };
    const signedRequest = signedRequestOf(payload, appSecret ?? deps.appSecret);
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ signed_request: mutate ? mutate(signedRequest) : signedRequest }),
      redirect: "manual",
      headers: { connection: "close" },
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  }

  return {
    async deauthorize(options) {
      // A forgery is somebody else's doing: nobody removed the app.
      const isGenuine = options.appSecret === undefined && options.mutate === undefined;
      if (isGenuine) tokens.revokeUser({ appId, userId: options.userId ?? deps.userId() }, APP_REMOVED);
      return post(options);
    },
    requestDataDeletion: post,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
