/** Media that Meta keeps: their ids, the addresses that lead to them for five minutes, and the bytes. */
import { createHash, randomBytes, randomInt } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DownloadFault, FaultSource } from "./faults.ts";
import { type GraphAnswer, refuse, unknownObject } from "./graph-error.ts";
import type { GraphCall, GraphPlan } from "./graph-plan.ts";
import { ok, read, SUCCESS } from "./node.ts";
import type { Settings, SimulatedFile } from "./options.ts";
import type { Timers } from "./timers.ts";
import type { Tokens } from "./tokens.ts";
import type { WireObject } from "./wire.ts";

/** What a webhook says of it: `{ type: "image", image: { ...meta.keepMedia(file), caption } }`. */
export type KeptMedia = { readonly id: string; readonly mime_type: string; readonly sha256: string };

/** A request for the bytes of a medium. */
export type MediaDownload = {
  readonly id: string;
  /** Whether it came with any bearer, dead or alive. */
  readonly hasToken: boolean;
  readonly status: number;
};

export type Media = {
  /** @param phoneNumberId whose tokens may see it. @param keepMs how long its id lives: 7 days for what people send, 30 for uploads. */
  keep(file: SimulatedFile, about: { readonly phoneNumberId: string; readonly keepMs?: number }): KeptMedia;
  /** Null: it is about something else. */
  plan(call: GraphCall): GraphPlan | GraphAnswer | null;
  /** Takes requests for bytes. @returns whether it was one. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  /** What it still has; null when it is gone. */
  fileOf(id: string): SimulatedFile | null;
  readonly downloads: readonly MediaDownload[];
};

type Kept = SimulatedFile & {
  readonly id: string;
  readonly wabaId: string;
  readonly phoneNumberId: string;
  readonly sha256: string;
  readonly goneAt: number;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const ID_MS = 7 * DAY_MS;
const ADDRESS_S = 5 * 60;
const PATH = "/whatsapp_business/attachments/";
const PIECE = 64 * 1024;

export function createMedia(deps: {
  readonly settings: Settings;
  readonly tokens: Tokens;
  readonly faults: FaultSource;
  readonly timers: Timers;
  readonly onDownload: () => void;
}): Media {
  const { settings, tokens, faults, timers, onDownload } = deps;
  const kept = new Map<string, Kept>();
  const addresses = new Map<string, string>();
  const downloads: MediaDownload[] = [];
  const now = () => settings.now().getTime();

  function find(id: string): Kept | null {
    const found = kept.get(id);
    return found !== undefined && found.goneAt > now() ? found : null;
  }

  function describe(media: Kept, origin: string): WireObject {
    const hash = randomBytes(12).toString("base64url");
    addresses.set(hash, media.id);
    const ext = String(Math.floor(now() / 1000) + ADDRESS_S);
    return {
      messaging_product: "whatsapp",
      url: `${origin}${PATH}?${new URLSearchParams({ mid: media.id, ext, hash })}`,
      mime_type: media.mime,
      sha256: media.sha256,
      file_size: String(media.bytes.byteLength),
      id: media.id,
    };
  }

  function answer(request: IncomingMessage, response: ServerResponse, url: URL): number {
    const { mid, ext, hash, cdn } = Object.fromEntries(url.searchParams);
    const media = find(mid ?? "");
    const isCurrent = addresses.get(hash ?? "") === mid && Number(ext) * 1000 > now();
    if (media === null || !isCurrent) return end(response, 404, "text/html", NOTHING_HERE);
    const token = bearerOf(request);
    // Meta's own address for it, to which its download host may send: that one needs no token.
    if (cdn === undefined) {
      if (token === null) return end(response, 200, "text/html; charset=utf-8", LOG_IN);
      const known = tokens.inspect(token);
      if (known === null || known.revocation !== null || !known.access.wabaIds.has(media.wabaId))
        return end(response, 401, "application/json", JSON.stringify(refuse({ code: 190 }).body));
    }
    const fault = cdn === undefined ? faults.take({ on: "media-download", to: [media.id] }) : null;
    if (fault === null) return send(response, media.bytes, media);
    if (typeof fault.do === "object" && "download" in fault.do) return disturb(fault.do.download, media, url, response);
    if (typeof fault.do === "object" && "failed" in fault.do) return send(response, media.bytes, media);
    if (typeof fault.do === "object") {
      const { httpStatus, body } = refuse(fault.do.error);
      return end(response, httpStatus, "application/json", JSON.stringify(body));
    }
    if (fault.do === "hang" || fault.do === "accept-then-hang") return 0;
    if (fault.do === "slow") {
      timers.after(fault.ms, () => send(response, media.bytes, media));
      return 200;
    }
    if (fault.do === "garbage") return end(response, 200, "text/html", NOTHING_HERE);
    if (fault.do === "accept-then-500") return end(response, 500, "text/plain", "");
    request.socket.resetAndDestroy();
    return 0;
  }

  return {
    keep(file, { phoneNumberId, keepMs = ID_MS }) {
      const number = settings.numbers.find((one) => one.phoneNumberId === phoneNumberId);
      if (number === undefined) throw new Error(`The simulator has no business number ${phoneNumberId}.`);
      const hash = createHash("sha256").update(file.bytes);
      const sum = hash.digest();
      const id = String(randomInt(1e14, 2 ** 48 - 1));
      kept.set(id, {
        ...file,
        id,
        phoneNumberId,
        wabaId: number.wabaId,
        sha256: sum.toString("hex"),
        goneAt: now() + keepMs,
      });
      // As Meta does: base64 in the webhook, hex in the answer.
      return { id, mime_type: file.mime, sha256: sum.toString("base64") };
    },

    plan(call) {
      const known = kept.get(call.objectId);
      if (known === undefined || call.edge !== null) return null;
      const asked = call.query.get("phone_number_id");
      const isTheirs = call.access.wabaIds.has(known.wabaId) && (asked === null || asked === known.phoneNumberId);
      return read("media", () => {
        const media = find(call.objectId);
        if (media === null || !isTheirs) return unknownObject(call.method, call.objectId);
        if (call.method === "GET") return ok(describe(media, call.origin));
        if (call.method !== "DELETE") return unknownObject(call.method, call.objectId);
        kept.delete(media.id);
        return SUCCESS;
      }, [call.objectId]);
    },

    serve(request, response) {
      const url = new URL(request.url ?? "/", "http://graph.invalid");
      if (url.pathname !== PATH) return false;
      request.resume();
      const status = answer(request, response, url);
      downloads.push({ id: url.searchParams.get("mid") ?? "", hasToken: bearerOf(request) !== null, status });
      onDownload();
      return true;
    },

    fileOf: find,
    downloads,
  };
}

const NOTHING_HERE = "<!doctype html><title>Not found</title>";
const LOG_IN = "<!doctype html><title>Log in to continue</title>";

/** @returns the status that was answered. */
function disturb(fault: DownloadFault, media: Kept, url: URL, response: ServerResponse): number {
  const { bytes } = media;
  const half = bytes.subarray(0, Math.floor(bytes.byteLength / 2));
  if (typeof fault === "object") {
    if ("status" in fault) return end(response, fault.status, "text/plain", "");
    response.writeHead(302, { Location: fault.redirectTo, "Content-Length": 0 }).end();
    return 302;
  }
  switch (fault) {
    case "truncated":
      return send(response, half, media, bytes.byteLength, () => response.destroy());
    case "stalled":
      return send(response, half, media, bytes.byteLength, () => undefined);
    case "wrong-length":
      return send(response, half, media);
    case "wrong-sum": {
      const other = Uint8Array.from(bytes);
      other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
      return send(response, other, media);
    }
    case "endless":
      return sendEndlessly(response, media);
    case "log-in-page":
      return end(response, 200, "text/html; charset=utf-8", LOG_IN);
    case "redirect": {
      const to = new URL(url);
      to.searchParams.set("cdn", "1");
      response.writeHead(302, { Location: `${to.pathname}${to.search}`, "Content-Length": 0 }).end();
      return 302;
    }
    case "redirect-loop":
      response.writeHead(302, { Location: `${url.pathname}${url.search}`, "Content-Length": 0 }).end();
      return 302;
  }
}

function send(
  response: ServerResponse,
  bytes: Uint8Array,
  { mime }: SimulatedFile,
  length = bytes.byteLength,
  after: () => void = () => response.end(),
): number {
  response.writeHead(200, { "Content-Type": mime, "Content-Length": length });
  void write(response, bytes).then(after);
  return 200;
}

/** In pieces and no faster than they are taken, as a large file comes. */
async function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !response.destroyed; at += PIECE)
    if (!response.write(bytes.subarray(at, at + PIECE))) await drained(response);
}

function sendEndlessly(response: ServerResponse, { bytes, mime }: SimulatedFile): number {
  response.writeHead(200, { "Content-Type": mime });
  const more = async () => {
    while (!response.destroyed) {
      await write(response, bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  void more();
  return 200;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

function end(response: ServerResponse, status: number, type: string, text: string): number {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) }).end(text);
  return status;
}

function bearerOf(request: IncomingMessage): string | null {
  return /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}
