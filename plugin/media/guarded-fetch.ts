/** A file from an address that somebody gave us, without ever calling what is inside the host's own network. */
import { isIP } from "node:net";
import { ChannelError } from "../errors.ts";
import type { ByteStream, Web, WebAnswer } from "../ports.ts";
import { isLoopbackAddress, isPublicAddress } from "./public-address.ts";

export type FetchTimeouts = {
  /** Between two pieces, and until the first. */
  readonly stallMs: number;
  /** For all of it, redirects included. */
  readonly totalMs: number;
};

export type GuardedFetchOptions = {
  readonly web: Web;
  /** In development only: this machine may be asked, by http too. */
  readonly allowLoopback: boolean;
  readonly timeouts?: FetchTimeouts;
};

export type FetchedFile = {
  /** What its server calls it, without parameters; null when it says nothing. */
  readonly mime: string | null;
  /** What its server says of its length, in bytes. */
  readonly size: number | null;
  /** Where it was found at last. */
  readonly url: URL;
  /** Read once, to the end or until `close`. Throws MEDIA_FETCH_FAILED, MEDIA_TOO_LARGE. */
  readonly bytes: ByteStream;
  close(): void;
};

/**
 * @throws ChannelError MEDIA_URL_REFUSED when the address may not be asked; MEDIA_FETCH_FAILED, MEDIA_TOO_LARGE. None quotes the address.
 */
export type GuardedFetch = (
  url: string,
  limits: { readonly maxBytes: number; readonly signal?: AbortSignal },
) => Promise<FetchedFile>;

const TIMEOUTS: FetchTimeouts = { stallMs: 15_000, totalMs: 120_000 };
const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function createGuardedFetch({ web, allowLoopback, timeouts = TIMEOUTS }: GuardedFetchOptions): GuardedFetch {
  return async (given, { maxBytes, signal: theirs }) => {
    const aborter = new AbortController();
    const signal = theirs === undefined ? aborter.signal : AbortSignal.any([aborter.signal, theirs]);
    const total = setTimeout(() => aborter.abort(failed("took too long")), timeouts.totalMs);
    let stall: NodeJS.Timeout | undefined;
    // Only while we wait for the far side: whoever reads may take as long as they need.
    const waiting = (isWaiting: boolean) => {
      clearTimeout(stall);
      if (isWaiting) stall = setTimeout(() => aborter.abort(failed("stalled")), timeouts.stallMs);
    };
    const end = () => {
      clearTimeout(total);
      waiting(false);
    };
    waiting(true);
    try {
      const { answer, url } = await follow(given, signal);
      waiting(false);
      const close = () => {
        end();
        answer.close();
      };
      try {
        const size = readSize(answer);
        if (size !== null && size > maxBytes) throw tooLarge(maxBytes);
        const mime = answer.header("content-type")?.split(";")[0]?.trim().toLowerCase() || null;
        return { mime, size, url, close, bytes: read(answer, { size, maxBytes, signal, waiting, close }) };
      } catch (error) {
        close();
        throw error;
      }
    } catch (error) {
      end();
      throw asFailure(error, signal);
    }
  };

  async function follow(given: string, signal: AbortSignal): Promise<{ answer: WebAnswer; url: URL }> {
    let url = readUrl(given);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await ask(url, signal);
      if (!REDIRECTS.has(answer.status)) {
        if (answer.status === 200) return { answer, url };
        answer.close();
        throw failed(`was answered with ${answer.status}`);
      }
      const location = answer.header("location");
      answer.close();
      if (location === null) throw failed("redirects to nowhere");
      if (redirects === MOST_REDIRECTS) throw failed(`redirects more than ${MOST_REDIRECTS} times`);
      url = readUrl(location, url);
    }
  }

  /** Resolved once: whatever the name means a moment later, the socket goes to an address that was looked at. */
  async function ask(url: URL, signal: AbortSignal): Promise<WebAnswer> {
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    const addresses = isIP(hostname) > 0 ? [hostname] : await resolve(hostname, signal);
    // One that is not public among others that are is a trick as well.
    for (const address of addresses) if (!mayAsk(url, address)) throw refused("leads to an address that is not public");
    let unreachable: unknown = failed("has no address");
    for (const address of addresses.slice(0, 3)) {
      try {
        return await web.get({ url, address, signal });
      } catch (error) {
        if (signal.aborted) throw error;
        unreachable = error;
      }
    }
    throw unreachable;
  }

  function mayAsk(url: URL, address: string): boolean {
    if (allowLoopback && isLoopbackAddress(address)) return true;
    return url.protocol === "https:" && isPublicAddress(address);
  }

  async function resolve(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
    const aborted = new Promise<never>((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return Promise.race([web.resolve(hostname), aborted]);
  }

  function readUrl(text: string, base?: URL): URL {
    if (!URL.canParse(text, base?.href)) throw refused("is no address");
    const url = new URL(text, base);
    if (url.protocol !== "https:" && !(allowLoopback && url.protocol === "http:")) throw refused("is not https");
    if (url.username !== "" || url.password !== "") throw refused("holds a name or password");
    return url;
  }
}

async function* read(
  answer: WebAnswer,
  about: {
    readonly size: number | null;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
    readonly waiting: (isWaiting: boolean) => void;
    readonly close: () => void;
  },
): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    about.waiting(true);
    for await (const chunk of answer.bytes) {
      about.waiting(false);
      count += chunk.byteLength;
      if (count > about.maxBytes) throw tooLarge(about.maxBytes);
      yield chunk;
      about.waiting(true);
    }
    if (about.size !== null && about.size !== count) throw failed("ended before its end");
  } catch (error) {
    throw asFailure(error, about.signal);
  } finally {
    about.close();
  }
}

/** Nobody asked for packed bytes; unpacked, their length would be anybody's guess. */
function readSize(answer: WebAnswer): number | null {
  const encoding = answer.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw failed("comes packed");
  const length = answer.header("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

function asFailure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof ChannelError) return error;
  if (signal.aborted) return signal.reason;
  return failed("could not be fetched", error);
}

function refused(why: string): ChannelError {
  return new ChannelError("MEDIA_URL_REFUSED", `The media's address ${why}: give a public https address.`);
}

function failed(why: string, cause?: unknown): ChannelError {
  return new ChannelError("MEDIA_FETCH_FAILED", `The media's address ${why}.`, {
    retry: "backoff",
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooLarge(maxBytes: number): ChannelError {
  return new ChannelError("MEDIA_TOO_LARGE", `The media's file is larger than ${maxBytes} bytes.`);
}
