/** One file from Meta: where it is, and its bytes, from Meta's hosts only; the token goes to those and never along a redirect. */
import type { MediaKind, MetaError } from "../contract.ts";
import { ChannelError, isAppRefused } from "../errors.ts";
import type { ByteStream, Download, DownloadAnswer, FoundMedia, MediaLookup } from "../ports.ts";
import { type CheckedBytes, checkBytes } from "./checked-bytes.ts";
import type { MediaHosts } from "./media-hosts.ts";

export type FetchMedia = (request: {
  readonly mediaId: string;
  readonly phoneNumberId: string;
  readonly accessToken: string;
  readonly kind: MediaKind;
  /** As the webhook gives it. */
  readonly sha256: string | null;
  readonly mime: string | null;
  /** Ends it at any time; the caller aborts when it wants no more of it. */
  readonly signal: AbortSignal;
  /** Hears of every request that Meta has answered with an error. */
  readonly onError: () => Promise<void>;
}) => Promise<CheckedBytes>;

export type FetchMediaDeps = {
  readonly lookUp: MediaLookup;
  readonly download: Download;
  readonly hosts: MediaHosts;
  readonly maxBytes: Readonly<Record<MediaKind, number>>;
  /** Without a byte for so long it is given up; and when all of it takes longer than `totalMs`. */
  readonly stallMs: number;
  readonly totalMs: number;
};

/**
 * `gone`: Meta has it no longer, or will never give it. `trouble`: perhaps later. `reauth`: it refuses the token.
 * `isMetas`: Meta has answered the request with an error, which counts.
 */
export class MediaFailure extends Error {
  override readonly name = "MediaFailure";
  readonly kind: "gone" | "trouble" | "reauth";
  readonly isMetas: boolean;
  readonly retryAfterMs: number;
  readonly meta: MetaError | null;
  constructor(
    kind: MediaFailure["kind"],
    why: string,
    isMetas: boolean,
    retryAfterMs = 0,
    meta: MetaError | null = null,
  ) {
    super(why);
    this.kind = kind;
    this.isMetas = isMetas;
    this.retryAfterMs = retryAfterMs;
    this.meta = meta;
  }
}

const MOST_REDIRECTS = 2;
/** Its address has come to its end, or is not for this token: another one may be right. */
const LOOK_AGAIN = new Set([401, 403, 404, 410]);
const TROUBLE = new Set([408, 425, 429]);

/** @throws MediaFailure, BytesAreWrong while they are read, and whatever the network throws. */
export function createFetchMedia(deps: FetchMediaDeps): FetchMedia {
  const { lookUp, download, hosts, maxBytes, stallMs, totalMs } = deps;

  return async function fetchMedia({ mediaId, phoneNumberId, accessToken, kind, sha256, mime, signal, onError }) {
    const time = createTime(signal, totalMs);
    const find = async () => {
      const found = await lookUp({ mediaId, phoneNumberId, accessToken }).catch((error: unknown) => {
        throw failureOf(error);
      });
      if (found.size !== null && found.size > maxBytes[kind]) throw tooLarge(kind, maxBytes[kind]);
      return found;
    };
    try {
      let found = await find();
      let answer = await get(found, accessToken, time.signal);
      if (LOOK_AGAIN.has(answer.status)) {
        await onError();
        found = await find();
        answer = await get(found, accessToken, time.signal);
      }
      if (answer.status !== 200) throw refusal(answer.status);
      const checked = await checkBytes(unstalled(answer, stallMs, time.signal), {
        sizes: [answer.length, found.size],
        sums: [sha256, found.sha256],
        maxBytes: maxBytes[kind],
        mime,
      });
      return { ...checked, bytes: time.until(checked.bytes) };
    } catch (error) {
      time.end();
      if (time.signal.aborted) throw time.signal.reason;
      if (error instanceof MediaFailure && error.isMetas) await onError();
      throw error;
    }
  };

  async function get({ url }: FoundMedia, accessToken: string, signal: AbortSignal): Promise<DownloadAnswer> {
    let at = readUrl(url, null);
    for (let redirects = 0; ; redirects++) {
      if (!hosts.isAllowed(at)) throw new MediaFailure("gone", "Meta names a host that is not one of its own.", false);
      // Where a redirect leads nobody gets it, Meta's own hosts neither: such an address carries its own proof.
      const isFirst = redirects === 0 && hosts.getsToken(at);
      signal.throwIfAborted();
      const answer = await download({
        url: at,
        // A proxy or `fetch` would otherwise ask for compressed bytes, whose length is another one.
        headers: {
          accept: "*/*",
          "accept-encoding": "identity",
          "user-agent": "omniops-whatsapp/1",
          ...(isFirst && { authorization: `Bearer ${accessToken}` }),
        },
        signal,
      });
      if (answer.status === 200) return answer;
      answer.cancel();
      if (answer.status < 300 || answer.status >= 400) return answer;
      if (answer.location === null || redirects === MOST_REDIRECTS)
        throw new MediaFailure("trouble", "Meta sends on and on, or nowhere.", false);
      at = readUrl(answer.location, at);
    }
  }
}

/** @throws MediaFailure for what is no address at all. */
function readUrl(url: string, base: URL | null): URL {
  if (!URL.canParse(url, base?.href)) throw new MediaFailure("gone", "Meta names an address that is none.", false);
  return new URL(url, base ?? undefined);
}

/** Only the wait for the far side counts, not that for a slow store. */
async function* unstalled(
  { bytes, cancel }: DownloadAnswer,
  stallMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pieces = bytes[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const stalled = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new MediaFailure("trouble", "The bytes have stopped coming.", false)), stallMs);
      });
      const next = pieces.next();
      // It may still fail when it has lost the race.
      next.catch(() => undefined);
      const { done, value } = await Promise.race([next, stalled]).finally(() => clearTimeout(timer));
      if (done === true) {
        isOver = true;
        return;
      }
      signal.throwIfAborted();
      yield value;
    }
  } finally {
    if (!isOver) cancel();
  }
}

/** Everything together, from the look-up to the last byte. */
function createTime(signal: AbortSignal, totalMs: number) {
  const aborter = new AbortController();
  const timer = setTimeout(
    () => aborter.abort(new MediaFailure("trouble", "All of it took too long.", false)),
    totalMs,
  );
  const abort = () => {
    clearTimeout(timer);
    aborter.abort(signal.reason);
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  };
  return {
    signal: aborter.signal,
    end,
    async *until(bytes: ByteStream): AsyncGenerator<Uint8Array> {
      try {
        yield* bytes;
      } catch (error) {
        // What ended it is the reason, and not how the socket put it.
        if (aborter.signal.aborted) throw aborter.signal.reason;
        throw error;
      } finally {
        end();
      }
    },
  };
}

function refusal(status: number): MediaFailure {
  const kind = status >= 500 || TROUBLE.has(status) || status < 400 ? "trouble" : "gone";
  return new MediaFailure(kind, `Meta answered ${status} for the bytes.`, status >= 400);
}

export function tooLarge(kind: MediaKind, maxBytes: number): MediaFailure {
  return new MediaFailure("gone", `It is larger than the ${maxBytes} bytes that this host takes (${kind}).`, false);
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof ChannelError)) return error;
  const { code, retry, meta, retryAfterMs } = error;
  if (code === "GRAPH_UNREACHABLE") return new MediaFailure("trouble", "Graph cannot be reached.", false);
  if (code === "REQUEST_INVALID") return new MediaFailure("gone", "Its id is none of Meta's.", false);
  if (code !== "GRAPH_REJECTED") return error;
  const why = `Graph refuses the look-up (code ${meta?.code ?? "none"}).`;
  if (retry === "reauth") return new MediaFailure("reauth", why, true, 0, meta);
  // An id that has ended, or is not this number's.
  if (retry === "never" || (meta?.code === 100 && !isAppRefused(meta))) return new MediaFailure("gone", why, true);
  return new MediaFailure("trouble", why, true, retryAfterMs ?? 0);
}
