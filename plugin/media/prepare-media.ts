/** Media on their way out: fetched, looked at and given to Meta before a message with them is attempted. */
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { LIMITS } from "../messages/limits.ts";
import type {
  ByteStream,
  GraphApi,
  Logger,
  MediaRecords,
  MediaStore,
  OutboundMedia,
  OutgoingPart,
  Spool,
} from "../ports.ts";
import { type FileFacts, type Fit, factsOf, fitMedia, type MediaWish } from "./fit-media.ts";
import type { GuardedFetch } from "./guarded-fetch.ts";
import { isWhole, type MediaPlace, mediaIn, withMedia } from "./media-in.ts";
import { HEAD_BYTES, typeOf } from "./sniff-type.ts";
import type { UploadSlots } from "./upload-slots.ts";

export type PrepareMediaDeps = {
  readonly graphApi: Pick<GraphApi, "uploadMedia">;
  readonly outboundMedia: OutboundMedia;
  readonly records: Pick<MediaRecords, "find">;
  readonly mediaStore: Pick<MediaStore, "get">;
  readonly spool: Spool;
  readonly fetchFile: GuardedFetch;
  readonly slots: UploadSlots;
  readonly log: Logger;
  /** Milliseconds, of any beginning. */
  readonly clock: () => number;
};

type Wire = Readonly<Record<string, unknown>>;

/** What the person gets in place of what was asked for. */
export type MediaChange = { readonly from: string; readonly to: string; readonly what: "media" | "media.voice" };

export type PreparedMedia =
  | {
      readonly kind: "ready";
      /** As it leaves. */
      readonly payload: Wire;
      /** As it is stored when `changes` says that it is another message now. */
      readonly stored: Wire;
      readonly messageKind: MediaKind | null;
      readonly changes: readonly MediaChange[];
      /** Meta's ids in it. */
      readonly used: readonly string[];
      /** Of these, those that are from before. */
      readonly known: readonly string[];
      /** It took its time: what is known of the part may be old. */
      readonly wasSlow: boolean;
    }
  /** Nobody may fetch it, or there is no place for it: the message must do without. */
  | { readonly kind: "hopeless"; readonly wasSlow: boolean }
  /** Others are uploading as much as is good; try again soon. */
  | { readonly kind: "busy" };

/**
 * @returns ready, with Meta's ids in the place of addresses and of ours; where an address could not be fetched or uploaded, it
 * stays, for Meta to fetch.
 * @throws ChannelError of files that have no address: MEDIA_NOT_FOUND, MEDIA_TYPE_UNSUPPORTED, MEDIA_TOO_LARGE,
 * MEDIA_STORE_UNAVAILABLE, GRAPH_REJECTED, GRAPH_UNREACHABLE.
 */
export type PrepareMedia = (part: OutgoingPart, accessToken: string, signal: AbortSignal) => Promise<PreparedMedia>;

const DAY_MS = 24 * 60 * 60 * 1000;
/** Meta keeps an upload for 30 days; one that ends while its message waits would be of no use. */
const LIFE_MS = 29 * DAY_MS;
/** As long as Meta takes the same address for the same file. */
const SAME_FILE_MS = 10 * 60 * 1000;
const MOST_REMEMBERED = 1_000;

/** Where the bytes of one place are at Meta, or that only their address is. */
type Brought =
  | {
      readonly at: "meta";
      readonly id: string;
      readonly isKnown: boolean;
      readonly kind: MediaKind;
      readonly facts: FileFacts;
    }
  | { readonly at: "link"; readonly kind: MediaKind }
  | { readonly at: "nowhere" }
  | { readonly at: "busy" };

export function createPrepareMedia(deps: PrepareMediaDeps): PrepareMedia {
  const { graphApi, outboundMedia, records, mediaStore, spool, fetchFile, slots, log, clock } = deps;
  /** What was found at an address a moment ago: the same picture to a thousand people is fetched once. */
  const seen = new Map<string, { readonly facts: FileFacts; readonly sha256: string; readonly at: number }>();

  return async function prepareMedia(part, accessToken, signal) {
    let payload = part.payload;
    let stored = part.payload;
    let messageKind: MediaKind | null = null;
    let wasSlow = false;
    /** Under which the tenant has kept it. */
    let filename: string | undefined;
    const changes: MediaChange[] = [];
    const used: string[] = [];
    const known: string[] = [];
    for (const place of mediaIn(part.payload)) {
      const wish = wishOf(place);
      const { source } = place;
      filename = undefined;
      const brought = "url" in source ? await bringLinked(source.url, wish) : await bringOwn(source.mediaId, wish);
      if (brought.at === "busy") return { kind: "busy" };
      if (brought.at === "nowhere") {
        // In a template it stays: Meta may still find it, and refuses the template without it.
        if (part.kind === "template") continue;
        return { kind: "hopeless", wasSlow };
      }
      const media = mediaFor(place, brought, filename);
      if (brought.kind !== place.kind) changes.push({ what: "media", from: place.kind, to: brought.kind });
      if (place.media.voice === true && media.voice !== true)
        changes.push({ what: "media.voice", from: "voice note", to: brought.kind });
      stored = withMedia(stored, place, media, brought.kind);
      const { link: _, ...rest } = media;
      payload =
        brought.at === "link"
          ? withMedia(payload, place, media, brought.kind)
          : withMedia(payload, place, { ...rest, id: brought.id }, brought.kind);
      if (isWhole(place)) messageKind = brought.kind;
      if (brought.at === "meta") used.push(brought.id);
      if (brought.at === "meta" && brought.isKnown) known.push(brought.id);
    }
    return { kind: "ready", payload, stored, messageKind, changes, used, known, wasSlow };

    async function bringLinked(url: string, wish: MediaWish): Promise<Brought> {
      const remembered = seen.get(url);
      if (remembered !== undefined && clock() - remembered.at < SAME_FILE_MS) {
        const fit = fitMedia(remembered.facts, wish);
        if (fit === null) return { at: "nowhere" };
        if (!fit.isUploadable) return { at: "link", kind: fit.kind };
        const id = await idOf(remembered.sha256, remembered.facts.mime);
        if (id !== null) return { at: "meta", id, isKnown: true, kind: fit.kind, facts: remembered.facts };
      }
      return inSlot(url, () => fetchAndUpload(url, wish));
    }

    async function fetchAndUpload(url: string, wish: MediaWish): Promise<Brought> {
      let fit: Fit | null = null;
      try {
        const file = await fetchFile(url, { maxBytes: LIMITS.documentFile.max, signal });
        const spooled = await spool.write(file.bytes).finally(file.close);
        try {
          const facts = factsOf(spooled.head, typeOf(spooled.head, saidOf(wish.kind, file.mime)), spooled.size);
          remember(url, facts, spooled.sha256);
          fit = fitMedia(facts, wish);
          if (fit === null) return { at: "nowhere" };
          if (!fit.isUploadable) return { at: "link", kind: fit.kind };
          return await upload(facts, spooled.sha256, fit, () => spooled.open());
        } finally {
          await spooled.close();
        }
      } catch (error) {
        if (signal.aborted || !(error instanceof ChannelError)) throw error;
        const { code } = error;
        log.warn(
          { stage: "out", outboxId: part.outboxId, code, meta: error.meta?.code },
          "media are left to Meta to fetch",
        );
        const isHopeless = code === "MEDIA_URL_REFUSED" || code === "MEDIA_TOO_LARGE";
        return isHopeless ? { at: "nowhere" } : { at: "link", kind: fit?.kind ?? wish.kind };
      }
    }

    async function bringOwn(mediaId: string, wish: MediaWish): Promise<Brought> {
      const record = await records.find(mediaId, part.connection.customerConfigId);
      const { storageKey, mime, size, sha256 } = record ?? {};
      filename = record?.filename ?? undefined;
      if (record?.state !== "stored" || !storageKey || !mime || !size || !sha256) throw notFound();
      // Only of these the type is not enough to know.
      const head = mime === "audio/ogg" || mime === "image/webp" ? await readHead(storageKey, size) : new Uint8Array();
      const facts = factsOf(head, mime, size);
      const fit = fitMedia(facts, wish);
      if (fit === null || !fit.isUploadable)
        throw new ChannelError(
          "MEDIA_TYPE_UNSUPPORTED",
          `WhatsApp takes no file of type ${mime} and ${size} bytes as ${wish.kind}.`,
        );
      const id = await idOf(sha256, mime);
      if (id !== null) return { at: "meta", id, isKnown: true, kind: fit.kind, facts };
      return inSlot(mediaId, () => upload(facts, sha256, fit, () => readAll(storageKey)));
    }

    function idOf(sha256: string, mime: string): Promise<string | null> {
      return outboundMedia.uploaded({ phoneNumberId: part.connection.phoneNumberId, sha256, mime });
    }

    async function upload(facts: FileFacts, sha256: string, fit: Fit, open: () => ByteStream): Promise<Brought> {
      const { phoneNumberId } = part.connection;
      const file = { phoneNumberId, sha256, mime: facts.mime };
      const before = await outboundMedia.uploaded(file);
      if (before !== null) return { at: "meta", id: before, isKnown: true, kind: fit.kind, facts };
      const id = await graphApi.uploadMedia({ ...file, accessToken, size: facts.size, bytes: open() });
      await outboundMedia.rememberUpload({ ...file, metaMediaId: id, lifeMs: LIFE_MS });
      return { at: "meta", id, isKnown: false, kind: fit.kind, facts };
    }

    async function inSlot(what: string, run: () => Promise<Brought>): Promise<Brought> {
      const { phoneNumberId, customerConfigId } = part.connection;
      const giveBack = slots.take(customerConfigId, `${phoneNumberId} ${what}`);
      if (giveBack === null) return { at: "busy" };
      wasSlow = true;
      try {
        return await run();
      } finally {
        giveBack();
      }
    }
  };

  function remember(url: string, facts: FileFacts, sha256: string): void {
    // The oldest goes first: a Map keeps the order in which it was filled.
    seen.delete(url);
    const [oldest] = seen.keys();
    if (seen.size >= MOST_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    seen.set(url, { facts, sha256, at: clock() });
  }

  async function readHead(key: string, size: number): Promise<Uint8Array> {
    const found = await mediaStore.get(key, { first: 0, last: Math.min(size, HEAD_BYTES) - 1 });
    if (found === null) throw notFound();
    const chunks: Uint8Array[] = [];
    for await (const chunk of found.bytes) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async function* readAll(key: string): AsyncGenerator<Uint8Array> {
    const found = await mediaStore.get(key);
    if (found === null) throw notFound();
    yield* found.bytes;
  }
}

function wishOf(place: MediaPlace): MediaWish {
  return { kind: place.kind, hasCaption: place.media.caption !== undefined, isFixed: !isWhole(place) };
}

/** An MP4 is a film or a sound: which one is meant is said by whoever sends it as such. */
function saidOf(kind: MediaKind, mime: string | null): string | null {
  return kind === "audio" ? "audio/mp4" : mime;
}

/** As Graph takes it for the kind that it has become. */
function mediaFor(
  { media, source }: MediaPlace,
  brought: Extract<Brought, { kind: MediaKind }>,
  kept: string | undefined,
): Wire {
  const { voice, ...rest } = media;
  const isVoice = brought.kind === "audio" && voice === true && (brought.at === "link" || brought.facts.channels === 1);
  const filename = media.filename ?? kept ?? ("url" in source ? lastOf(source.url) : undefined);
  return {
    ...rest,
    ...(isVoice && { voice }),
    ...(brought.kind === "document" && filename !== undefined && { filename }),
  };
}

function lastOf(url: string): string | undefined {
  const name = URL.canParse(url) ? (new URL(url).pathname.split("/").at(-1) ?? "") : "";
  try {
    return decodeURIComponent(name).replace(/[\p{Cc}\p{Cf}/\\]/gu, "") || undefined;
  } catch {
    return name || undefined;
  }
}

function notFound(): ChannelError {
  return new ChannelError("MEDIA_NOT_FOUND", "The file to be sent is not there any more.");
}
