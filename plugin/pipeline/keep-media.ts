/** Stage `media`: fetches what people have sent from Meta into the media store, a few at a time, until it is there or never will be. */
import type { MediaKind } from "../contract.ts";
import { ChannelError, nameOf } from "../errors.ts";
import { BytesAreWrong, type CheckedBytes } from "../media/checked-bytes.ts";
import { type FetchMedia, MediaFailure, tooLarge } from "../media/fetch-media.ts";
import { fitsKind } from "../media/fits-kind.ts";
import type {
  Connections,
  InboundMedia,
  Lanes,
  Logger,
  MediaRecords,
  MediaStore,
  PendingMedia,
  SecretBox,
} from "../ports.ts";
import { endsProcesses } from "./crash-suspects.ts";
import { isStoreDown } from "./failure.ts";
import type { LaneHandler } from "./lane-worker.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";
import type { VerifyToken } from "./verify-token.ts";

export type KeepMediaDeps = {
  readonly lanes: Lanes;
  readonly inboundMedia: InboundMedia;
  readonly records: Pick<MediaRecords, "reserve" | "discard">;
  readonly mediaStore: MediaStore;
  readonly fetchMedia: FetchMedia;
  readonly connections: Pick<Connections, "requireReauth">;
  readonly verifyToken: VerifyToken;
  readonly secretBox: SecretBox;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  readonly maxBytes: Readonly<Record<MediaKind, number>>;
  readonly quotaBytes: number;
  /** Some has come, or never will: turns and the host may go on. */
  readonly onSettled: () => void;
};

/** A dead token waits for a reconnect, which wakes the lane: this is the safety net. */
const LONG_WAIT_MS = 30_000;
/** Twenty in an hour are said to block a number for half an hour: two hours that touch have no more. */
const ERRORS_PER_HOUR = 10;
/** Who waits for another of the same number looks again after this. */
const IN_TURN_MS = 1_000;
/** Between two tries lies an hour at most: twelve times what others wait. */
const LONGER = 12;

export function createKeepMedia(deps: KeepMediaDeps): LaneHandler {
  const { lanes, inboundMedia, records, mediaStore, fetchMedia, connections, secretBox, log, retry, random } = deps;
  const schedule = { ...retry, maxMs: retry.maxMs * LONGER };
  /** Requests under way, and errors that this process has seen since it loaded the number's count, by connection. */
  const underWay = new Map<string, number>();

  return async function keepMedia(claimed, { signal, finished }): Promise<void> {
    const pending = await inboundMedia.load(claimed);
    await Promise.all(
      claimed.map(async (lane) => {
        const media = pending.find((one) => one.lane === lane);
        try {
          if (media === undefined) await inboundMedia.drop(lane);
          else await keep(media, signal);
          finished(lane);
        } catch (error) {
          finished(lane, error);
        }
      }),
    );
  };

  async function keep(media: PendingMedia, signal: AbortSignal): Promise<void> {
    const { lane, connection } = media;
    if (endsProcesses(lane, retry)) return expire(media, "Every process that fetched it ended meanwhile.");
    if (media.isTooOld) return expire(media, `Meta keeps a file for 7 days.${lastOf(media)}`);
    if (connection.state === "disconnected") return expire(media, "The number was disconnected.");
    if (connection.state === "reauth_required" || connection.accessTokenEnc === null) return wait(media, LONG_WAIT_MS);
    const allowed = ERRORS_PER_HOUR - connection.errors.count;
    if (allowed <= 0) return wait(media, Math.max(connection.errors.endsInMs, IN_TURN_MS));
    const { connectionId } = connection;
    const others = underWay.get(connectionId) ?? 0;
    // Each that is under way may be one more error.
    if (others >= allowed) return lanes.postpone(lane, IN_TURN_MS, false);
    underWay.set(connectionId, others + 1);
    const aborter = new AbortController();
    const abort = () => aborter.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await fetchAndStore(media, connection.accessTokenEnc, aborter.signal);
    } catch (error) {
      // Given back by `stop`, for another instance to fetch.
      if (!signal.aborted) await fail(media, error);
    } finally {
      signal.removeEventListener("abort", abort);
      // Whatever of it is still coming is not wanted.
      aborter.abort();
      const left = (underWay.get(connectionId) ?? 1) - 1;
      if (left === 0) underWay.delete(connectionId);
      else underWay.set(connectionId, left);
    }
  }

  /** Longer than anybody should wait for an answer. */
  async function wait(media: PendingMedia, delayMs: number): Promise<void> {
    if (await inboundMedia.letTurnGo(media)) deps.onSettled();
    await lanes.postpone(media.lane, delayMs, false);
  }

  function tokenOf({ customerConfigId, connection: { connectionId } }: PendingMedia, accessTokenEnc: string): string {
    return secretBox.open(accessTokenEnc, { customerConfigId, rowId: connectionId, field: "access_token" });
  }

  async function fetchAndStore(media: PendingMedia, accessTokenEnc: string, signal: AbortSignal): Promise<void> {
    const { connectionId, phoneNumberId } = media.connection;
    const accessToken = tokenOf(media, accessTokenEnc);
    const fetched = await fetchMedia({
      mediaId: media.metaMediaId,
      phoneNumberId,
      accessToken,
      kind: media.kind,
      sha256: media.sha256,
      mime: media.saidMime,
      signal,
      onError: () => inboundMedia.countError(connectionId),
    });
    const storageKey = await records.reserve(media.customerConfigId);
    let isKept = false;
    try {
      await mediaStore.put(storageKey, typed(fetched, media.kind), { mime: fetched.mime });
      const bytes = { storageKey, mime: fetched.mime, ...fetched.seen() };
      isKept = await inboundMedia.store(media, bytes, deps.quotaBytes);
    } finally {
      // Sooner than it would go by itself; where even that fails, it goes by itself.
      if (!isKept)
        await records.discard(storageKey).catch((error: unknown) => {
          log.warn(
            { stage: "media", mediaId: media.id, error: nameOf(error) },
            "bytes that nobody wants go a day later",
          );
        });
    }
    if (!isKept) return;
    deps.onSettled();
    log.info({ stage: "media", mediaId: media.id, kind: media.kind, size: fetched.seen().size }, "media stored");
  }

  async function fail(media: PendingMedia, error: unknown): Promise<void> {
    if (isStoreDown(error)) return lanes.postpone(media.lane, retryDelayMs(retry, 1, random), false);
    if (error instanceof MediaFailure && error.kind === "gone") return expire(media, error.message);
    if (error instanceof BytesAreWrong && error.why === "too large")
      return expire(media, tooLarge(media.kind, deps.maxBytes[media.kind]).message);
    if (error instanceof WrongType && error.isCertain) return expire(media, error.message);
    const isWrong = error instanceof BytesAreWrong || error instanceof WrongType;
    if (isWrong && media.attempts + 1 >= retry.maxAttempts)
      return expire(media, `Its bytes were never what was announced (${reasonOf(error)}).`);
    if (error instanceof MediaFailure && error.kind === "reauth") await reportToken(media, error);
    const delayMs = Math.max(
      retryDelayMs(schedule, media.lane.attempts + 1, random),
      error instanceof MediaFailure ? error.retryAfterMs : 0,
    );
    await inboundMedia.postpone(media, delayMs, reasonOf(error), isWrong);
    log.warn(
      { stage: "media", mediaId: media.id, attempt: media.lane.attempts + 1, error: reasonOf(error) },
      "media not fetched yet; trying again later",
    );
  }

  /** A file that only this token may not have is tried again like any other: its number goes on. */
  async function reportToken(media: PendingMedia, { meta }: MediaFailure): Promise<void> {
    const { connectionId, accessTokenEnc } = media.connection;
    const accessToken = tokenOf(media, accessTokenEnc ?? "");
    if ((await deps.verifyToken({ connectionId, wabaId: null, accessToken, meta })) !== "dead") return;
    await connections.requireReauth({
      connectionId,
      accessTokenEnc: accessTokenEnc ?? "",
      reason: "Meta refuses the access token: reconnect the number.",
    });
  }

  async function expire(media: PendingMedia, reason: string): Promise<void> {
    if (!(await inboundMedia.expire(media, reason))) return;
    deps.onSettled();
    log.warn({ stage: "media", mediaId: media.id, kind: media.kind, reason }, "media will not come");
  }
}

/** Not the type of what it is said to be. */
class WrongType extends Error {
  override readonly name = "WrongType";
  /** The sender's own bytes are so: they will not be others. */
  readonly isCertain: boolean;
  constructor(kind: MediaKind, isCertain: boolean) {
    super(`Its bytes are no ${kind}.`);
    this.isCertain = isCertain;
  }
}

/** Told after the last byte, when it is known whether they are the sender's own. */
async function* typed({ mime, bytes, seen }: CheckedBytes, kind: MediaKind): AsyncGenerator<Uint8Array> {
  yield* bytes;
  if (!fitsKind(mime, kind)) throw new WrongType(kind, seen().hasSum);
}

/** Of Meta, the store and the network: never what somebody wrote, never an address with a token in it. */
function reasonOf(error: unknown): string {
  if (error instanceof ChannelError) return error.code;
  if (error instanceof MediaFailure || error instanceof BytesAreWrong || error instanceof WrongType)
    return error.message;
  return nameOf(error);
}

function lastOf({ lastError }: PendingMedia): string {
  return lastError === null ? "" : ` The last try ended with: ${lastError}`;
}
