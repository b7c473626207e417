/** Media that the business uploads: what Meta takes, how long an id of it lives, and which messages it may be sent in. */
import { createHash, type Hash, randomBytes, randomInt } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isObject } from "./accepts.ts";
import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import { type GraphAnswer, refuse, unknownObject } from "./graph-error.ts";
import { type GraphCall, type GraphPlan, paramOf } from "./graph-plan.ts";
import { type FormFile, readMultipart } from "./multipart.ts";
import { ok, read } from "./node.ts";
import type { Settings, SimulatedFile } from "./options.ts";
import type { WireObject } from "./wire.ts";

/** A file that Meta has taken. */
export type UploadedMedia = {
  readonly id: string;
  readonly phoneNumberId: string;
  readonly filename: string | null;
  readonly mime: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly at: Date;
};

export type MediaUploads = {
  /** `POST /{phone-number-id}/media`. */
  plan(number: SimulatedNumber, call: GraphCall): GraphPlan | GraphAnswer;
  /** The resumable upload, `POST /{app-id}/uploads` and `/upload:…`; null: it is about something else. */
  planSession(call: GraphCall): GraphPlan | GraphAnswer | null;
  /** Why a message cannot be sent: an id that is not this number's, or too old. */
  refusalOf(phoneNumberId: string, body: WireObject): GraphAnswer | null;
  /** What becomes of a message whose media Meta cannot use, which shows only later. */
  failureOf(body: WireObject): { readonly code: number; readonly details: string } | null;
  /** The bytes, for whoever looks at the message; the oldest are let go when there are too many. */
  fileOf(id: string): SimulatedFile | null;
  /** Forgets an id before its time. */
  forget(id: string): void;
  readonly uploads: readonly UploadedMedia[];
};

const MB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const LIFE_MS = 30 * DAY_MS;
const OFFICE = "application/vnd.openxmlformats-officedocument";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media */
const MOST_BYTES: Readonly<Record<string, number>> = {
  "audio/aac": 16 * MB,
  "audio/amr": 16 * MB,
  "audio/mp4": 16 * MB,
  "audio/mpeg": 16 * MB,
  "audio/ogg": 16 * MB,
  "application/msword": 100 * MB,
  "application/pdf": 100 * MB,
  "application/vnd.ms-excel": 100 * MB,
  "application/vnd.ms-powerpoint": 100 * MB,
  [`${OFFICE}.presentationml.presentation`]: 100 * MB,
  [`${OFFICE}.spreadsheetml.sheet`]: 100 * MB,
  [`${OFFICE}.wordprocessingml.document`]: 100 * MB,
  "text/plain": 100 * MB,
  "image/jpeg": 5 * MB,
  "image/png": 5 * MB,
  "image/webp": 500 * 1024,
  "video/3gpp": 16 * MB,
  "video/mp4": 16 * MB,
};

/** How much of what was uploaded is kept to be shown. */
const MOST_KEPT = 64 * MB;
const MOST_SHOWN = 16 * MB;

const KINDS: Readonly<Record<string, RegExp>> = {
  image: /^image\/(jpeg|png)$/,
  video: /^video\//,
  audio: /^audio\//,
  sticker: /^image\/webp$/,
  document: /./,
};

type Session = { readonly fileLength: number; readonly hash: Hash; received: number };

export function createMediaUploads(settings: Settings, onUploaded: () => void): MediaUploads {
  const kept = new Map<string, UploadedMedia>();
  const uploads: UploadedMedia[] = [];
  const sessions = new Map<string, Session>();
  const files = new Map<string, SimulatedFile>();
  let keptBytes = 0;

  function keepFile(id: string, file: SimulatedFile): void {
    files.set(id, file);
    keptBytes += file.bytes.byteLength;
    for (const [oldest, { bytes }] of files) {
      if (keptBytes <= MOST_KEPT) break;
      files.delete(oldest);
      keptBytes -= bytes.byteLength;
    }
  }

  async function take(number: SimulatedNumber, call: GraphCall): Promise<GraphAnswer> {
    const form = await readForm(call);
    if (form === null) return refuse({ code: 100, message: "(#100) The parameter messaging_product is required." });
    const { fields, file, bytes, size, sha256 } = form;
    if (fields.messaging_product !== "whatsapp")
      return refuse({ code: 100, message: "(#100) The parameter messaging_product is required." });
    if (file === null || size === 0) return refuse({ code: 100, message: "(#100) The parameter file is required." });
    const mime = (file.mime || (fields.type ?? "")).split(";")[0]?.trim() ?? "";
    const most = Object.hasOwn(MOST_BYTES, mime) ? MOST_BYTES[mime] : undefined;
    if (most === undefined)
      return refuse({
        code: 100,
        message: `(#100) Param file must be a file with one of the following types: ${Object.keys(MOST_BYTES).join(", ")}. Received file of type '${mime || "application/octet-stream"}'.`,
      });
    if (size > most) return refuse({ code: 131053, details: `The file is larger than ${most} bytes` });
    const id = String(randomInt(1e14, 2 ** 48 - 1));
    const { phoneNumberId } = number;
    const uploaded = { id, phoneNumberId, filename: file.filename, mime, size, sha256, at: settings.now() };
    kept.set(id, uploaded);
    if (bytes.byteLength === size && settings.keepBytes === "all") keepFile(id, { bytes, mime });
    uploads.push(uploaded);
    onUploaded();
    return ok({ id });
  }

  /** Ids are of the number that uploaded them. */
  function find(phoneNumberId: string, id: unknown): UploadedMedia | null {
    const found = typeof id === "string" ? kept.get(id) : undefined;
    const isAlive = found !== undefined && settings.now().getTime() - found.at.getTime() < LIFE_MS;
    return isAlive && found.phoneNumberId === phoneNumberId ? found : null;
  }

  function open(call: GraphCall): GraphAnswer {
    const fileLength = Number(paramOf(call, "file_length"));
    const type = paramOf(call, "file_type") ?? "";
    if (!Number.isInteger(fileLength) || fileLength < 1)
      return refuse({ code: 100, message: "(#100) The parameter file_length is required." });
    if (!/^(image\/(jpeg|jpg|png)|application\/pdf|video\/mp4)$/.test(type))
      return refuse({ code: 100, message: "(#100) Param file_type is not one of those that may be uploaded." });
    const id = `upload:MTph${randomBytes(18).toString("base64url")}`;
    sessions.set(id, { fileLength, hash: createHash("sha256"), received: 0 });
    return ok({ id: `${id}?sig=ARa${randomBytes(9).toString("base64url")}` });
  }

  async function append(session: Session, call: GraphCall): Promise<GraphAnswer> {
    const stream = streamOf(call);
    const offset = Number(stream?.headers.file_offset ?? Number.NaN);
    if (stream === null || offset !== session.received)
      return refuse({ code: 100, message: "(#100) Param file_offset is not where the upload stands." });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      session.hash.update(chunk);
      session.received += chunk.byteLength;
    }
    if (session.received < session.fileLength) return ok({ file_offset: session.received });
    if (session.received > session.fileLength)
      return refuse({ code: 100, message: "(#100) The file is longer than file_length." });
    return ok({ h: `4::aW:${session.hash.copy().digest("base64")}:ARb\n4::aW:${randomBytes(12).toString("base64")}` });
  }

  return {
    plan(number, call) {
      if (!call.access.scopes.has("whatsapp_business_messaging")) return refuse({ code: 200 });
      return read("media-upload", () => take(number, call), [number.phoneNumberId]);
    },

    planSession(call) {
      if (call.objectId === settings.appId && call.edge === "uploads" && call.method === "POST")
        return read("resumable-upload", () => open(call));
      if (!call.objectId.startsWith("upload:")) return null;
      const session = sessions.get(call.objectId);
      if (session === undefined) return unknownObject(call.method, call.objectId);
      return read("resumable-upload", () =>
        call.method === "GET" ? ok({ id: call.objectId, file_offset: session.received }) : append(session, call),
      );
    },

    refusalOf(phoneNumberId, body) {
      const [bad] = mediaIn(body).filter(
        ({ media }) => media.id !== undefined && find(phoneNumberId, media.id) === null,
      );
      if (bad === undefined) return null;
      const message = `(#100) Param ${bad.path}['id'] is not a valid whatsapp business account media attachment ID`;
      return refuse({ code: 100, message });
    },

    failureOf(body) {
      for (const { kind, media } of mediaIn(body)) {
        const mime = typeof media.id === "string" ? kept.get(media.id)?.mime : undefined;
        if (mime !== undefined && KINDS[kind]?.test(mime) === false)
          return { code: 131053, details: `A file of type ${mime} is no ${kind}` };
        if (typeof media.link === "string" && settings.cannotFetch(media.link))
          return { code: 131053, details: "Media could not be downloaded from the link" };
      }
      return null;
    },

    fileOf: (id) => files.get(id) ?? null,
    forget: (id) => void kept.delete(id),
    uploads,
  };
}

type Form = {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: FormFile | null;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly sha256: string;
};

async function readForm(call: GraphCall): Promise<Form | null> {
  const stream = streamOf(call);
  if (stream === null) return null;
  const hash = createHash("sha256");
  const pieces: Uint8Array[] = [];
  let file: FormFile | null = null;
  let size = 0;
  const fields = await readMultipart(stream, stream.headers["content-type"] ?? "", {
    onFile(found, bytes) {
      file = found;
      size += bytes.byteLength;
      hash.update(bytes);
      // A large one is counted and let go, so that a test of large files measures the host and not us.
      if (size <= MOST_SHOWN) pieces.push(Uint8Array.from(bytes));
      else pieces.length = 0;
    },
  });
  return fields === null ? null : { fields, file, bytes: Buffer.concat(pieces), size, sha256: hash.digest("hex") };
}

function streamOf({ body }: GraphCall): IncomingMessage | null {
  return isObject(body) && body.stream !== undefined ? (body.stream as IncomingMessage) : null;
}

type Found = { readonly path: string; readonly kind: string; readonly media: WireObject };

const WAYS = new Set(["interactive", "template", "header", "action", "cards", "components", "parameters"]);

/** Wherever a message may hold media: in itself, its header, its cards, its template's parameters; not in a Flow's data. */
function mediaIn(value: unknown, path = ""): readonly Found[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => mediaIn(item, `${path}[${i}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}['${name}']`;
    if (Object.hasOwn(KINDS, name) && isObject(member)) return [{ path: at, kind: name, media: member }];
    return WAYS.has(name) ? mediaIn(member, at) : [];
  });
}
