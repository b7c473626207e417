/** `POST /media/upload`, `GET /media/download/:id`: bytes in, and bytes out that no browser carries out. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { contentDisposition } from "../media/file-name.ts";
import { MAX_MEDIA_BYTES, MEDIA_KINDS } from "../media/meta-media.ts";
import { inertType, isSafeInline } from "../media/sniff-type.ts";
import type { UploadMedia } from "../media/upload-media.ts";
import type { ByteStream, MediaRecord, MediaRecords, MediaStore } from "../ports.ts";
import { readUuid } from "../uuid.ts";
import { readRange } from "./byte-range.ts";
import { sendJson } from "./error-response.ts";
import { readFormFile } from "./multipart-file.ts";
import type { TenantRoute } from "./session.ts";

export type MediaDeps = {
  readonly records: Pick<MediaRecords, "find">;
  readonly mediaStore: Pick<MediaStore, "get" | "link">;
  readonly upload: UploadMedia;
};

type Stored = MediaRecord & { readonly storageKey: string; readonly mime: string; readonly size: number };

export function createMediaRoutes({ records, mediaStore, upload }: MediaDeps) {
  const uploadRoute: TenantRoute = async (request, response, { customerConfigId }) => {
    const uploaded = await readFormFile(request, MAX_MEDIA_BYTES, ({ fields, ...file }) =>
      upload({ customerConfigId, ...file, kind: readKind(fields.get("kind")) }),
    );
    sendJson(response, 201, uploaded);
  };

  const download: TenantRoute = async (request, response, { customerConfigId }) => {
    const id = readUuid(request.params.id);
    const media = requireStored(id === null ? null : await records.find(id, customerConfigId));
    const contentType = inertType(media.mime);
    const type = isSafeInline(contentType) ? "inline" : "attachment";
    const disposition = contentDisposition(type, media.filename, contentType);
    setInert(response);

    const link = await mediaStore.link(media.storageKey, { contentType, contentDisposition: disposition });
    if (link !== null) {
      response.setHeader("location", link.url);
      response.statusCode = 302;
      response.end();
      return;
    }

    const etag = `"${media.sha256}"`;
    const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const range = readRange(isSame ? request.headers.range : undefined, media.size);
    response.setHeader("accept-ranges", "bytes");
    response.setHeader("etag", etag);
    if (range === "none") {
      response.setHeader("content-range", `bytes */${media.size}`);
      response.statusCode = 416;
      response.end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: media.size - 1 };
    const found = request.method === "HEAD" ? null : await mediaStore.get(media.storageKey, range ?? undefined);
    if (request.method !== "HEAD" && found?.size !== media.size)
      throw new ChannelError("MEDIA_STORE_UNAVAILABLE", "The media store has lost this file.", { retry: "backoff" });

    response.setHeader("content-type", contentType === "text/plain" ? "text/plain; charset=utf-8" : contentType);
    response.setHeader("content-disposition", disposition);
    response.setHeader("content-length", last - first + 1);
    if (range !== null) response.setHeader("content-range", `bytes ${first}-${last}/${media.size}`);
    response.statusCode = range === null ? 200 : 206;
    if (found === null) response.end();
    else await sendBytes(response, found.bytes);
  };

  return { upload: uploadRoute, download };
}

function readKind(given: string | undefined): MediaKind | null {
  const kind = MEDIA_KINDS.find((one) => one === given);
  if (given !== undefined && kind === undefined)
    throw new ChannelError("REQUEST_INVALID", `kind: must be one of ${MEDIA_KINDS.join(", ")}`);
  return kind ?? null;
}

/** The same for what is another tenant's as for what nobody has. */
function requireStored(media: MediaRecord | null): Stored {
  if (media === null) throw new ChannelError("MEDIA_NOT_FOUND", "There are no media with this id.");
  const { state, storageKey, mime, size } = media;
  if (state === "pending")
    throw new ChannelError("MEDIA_PENDING", "Its bytes are on their way from Meta: ask again.", { retry: "backoff" });
  if (storageKey === null || mime === null || size === null)
    throw new ChannelError("MEDIA_EXPIRED", `Its bytes will never come: ${media.reason ?? "they are gone"}.`);
  return { ...media, storageKey, mime, size };
}

/** Whatever the bytes are, and wherever they are opened: nothing in them runs, reads or loads anything. */
function setInert(response: ServerResponse): void {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "sandbox; default-src 'none'");
  response.setHeader("cross-origin-resource-policy", "same-site");
  // A person may be forgotten: no copy in a browser, nor in anything on the way.
  response.setHeader("cache-control", "private, no-store");
  response.setHeader("referrer-policy", "no-referrer");
}

/** As fast as they are taken. A client that goes away ends the reading. */
async function sendBytes(response: ServerResponse, bytes: ByteStream): Promise<void> {
  // Gone while the file was looked for: neither `drain` nor `close` would ever come.
  if (response.destroyed) return;
  const source = Readable.from(bytes, { objectMode: false });
  const onClose = () => void source.destroy();
  response.once("close", onClose);
  try {
    for await (const chunk of source)
      if (!response.write(chunk)) await new Promise<void>((resolve) => afterwards(response, resolve));
    response.end();
  } catch (error) {
    if (response.destroyed) return;
    // Before the first byte there is still another answer.
    if (!response.headersSent) for (const name of response.getHeaderNames()) response.removeHeader(name);
    throw error;
  } finally {
    response.off("close", onClose);
    source.destroy();
  }
}

function afterwards(response: ServerResponse, then: () => void): void {
  const done = () => {
    response.off("drain", done).off("close", done);
    then();
  };
  response.once("drain", done).once("close", done);
}
