/** Media as Graph keeps them: where the bytes of an id are, and one GET for them that follows nothing. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { ChannelError } from "../../plugin/errors.ts";
import type { ByteStream, Download, DownloadAnswer, MediaLookup } from "../../plugin/ports.ts";
import { createGraphCall, digits, type GraphOptions } from "./graph-call.ts";
import { readError, readJson, readText } from "./read-answer.ts";
import { LOOK_UP_REFUSED, requireAnswer } from "./require-answer.ts";

/** @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE; REQUEST_INVALID for an id that is none. */
export function createMediaLookup(options: GraphOptions): MediaLookup {
  const call = createGraphCall(options);
  return async ({ mediaId, phoneNumberId, accessToken }) => {
    const outcome = await call({
      path: digits(mediaId),
      accessToken,
      query: { phone_number_id: digits(phoneNumberId) },
    });
    if (outcome.kind === "answer" && outcome.status >= 400 && readError(readJson(outcome.text)) === null)
      throw new ChannelError("GRAPH_REJECTED", `Graph answered ${outcome.status}: try again.`, { retry: "backoff" });
    const found = requireAnswer(outcome, LOOK_UP_REFUSED);
    const url = readText(found.url);
    if (url === null)
      throw new ChannelError("GRAPH_UNREACHABLE", "Graph named no address for the media: try again.", {
        retry: "backoff",
      });
    return { url, size: readSize(found.file_size), sha256: readText(found.sha256) };
  };
}

function readSize(value: unknown): number | null {
  return (typeof value === "string" || typeof value === "number") && /^\d{1,15}$/.test(String(value))
    ? Number(value)
    : null;
}

const CONNECT_MS = 15_000;

/** A socket for each, closed after it: what is left of a body that nobody wants is not read to its end. */
export function createDownload(): Download {
  return ({ url, headers, signal }) =>
    new Promise((resolve, reject) => {
      const call = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, { headers, signal, agent: false });
      const timer = setTimeout(() => call.destroy(new Error("no answer in time")), CONNECT_MS);
      call.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      call.once("response", (response) => {
        clearTimeout(timer);
        // Whoever reads sees its errors; one that comes before that, or after it, must not end the process.
        response.on("error", () => undefined);
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location ?? null,
          length: readLength(response.headers["content-length"] ?? null),
          bytes: response,
          cancel: () => void response.destroy(),
        });
      });
      call.end();
    });
}

/** For a host that brings its own `fetch`. */
export function createFetchDownload(fetch: typeof globalThis.fetch): Download {
  return async ({ url, headers, signal }): Promise<DownloadAnswer> => {
    const answer = await fetch(url, { headers, signal, redirect: "manual" });
    const bytes: ByteStream = answer.body ?? nothing();
    return {
      status: answer.status,
      location: answer.headers.get("location"),
      // One that was compressed all the same has the length of what nobody sees.
      length: answer.headers.get("content-encoding") === null ? readLength(answer.headers.get("content-length")) : null,
      bytes,
      cancel: () => void answer.body?.cancel().catch(() => undefined),
    };
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function readLength(header: string | null): number | null {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : null;
}
