/** The exact bytes that Meta signed, or an error that tells the host how to mount us. */
import type { IncomingMessage } from "node:http";
import { ChannelError } from "../errors.ts";

/** Meta's largest payload is 3 MB. @see https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A body of 3 MB arrives within this even on a bad line; a slow one is somebody holding sockets open. */
const BODY_DEADLINE_MS = 10_000;

export type MaybeParsed = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/** What bodies that are being read may hold together, and when each may go on. `giveUp` is called on the one that must go. */
export type Budget = (giveUp: (error: ChannelError) => void) => {
  grow(bytes: number): void;
  /** Calls `goOn` when it is this body's turn to be read further: perhaps at once. */
  next(goOn: () => void): void;
  leave(): void;
};

/** For callers whom we know. */
const UNLIMITED: Budget = () => ({ grow() {}, next: (goOn) => goOn(), leave() {} });

/**
 * @throws ChannelError BODY_TOO_LARGE before a byte is read, ENCODING_UNSUPPORTED, BODY_INCOMPLETE, RAW_BODY_MISSING.
 */
export async function readRawBody(
  request: MaybeParsed,
  maxBytes = MAX_BODY_BYTES,
  budget = UNLIMITED,
): Promise<Uint8Array> {
  const length = declaredLength(request, maxBytes);
  if (request.readableFlowing === null) return readUntouched(request, length, maxBytes, budget);
  const kept = keptBytes(request);
  if (kept !== undefined) return withinLimit(kept, maxBytes);
  if (request.readableEnded || (request.body !== undefined && Object.keys(Object(request.body)).length > 0))
    throw rawBodyMissing();
  return readStream(request, [], maxBytes, budget);
}

function keptBytes({ rawBody, body }: MaybeParsed): Uint8Array | undefined {
  return [rawBody, body].find((bytes) => bytes instanceof Uint8Array);
}

/** @returns the Content-Length; NaN when there is none. */
function declaredLength({ headers }: IncomingMessage, maxBytes: number): number {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    throw new ChannelError("ENCODING_UNSUPPORTED", "Send the webhook without Content-Encoding.");
  const length = Number(headers["content-length"]);
  if (length > maxBytes) throw tooLarge(maxBytes);
  return length;
}

/**
 * Nobody has read from it. Most bodies come along with their headers: those are taken in one piece, without listeners and
 * without a timer, because Express leaves every request with a hidden class of its own, and each look at it costs. They
 * hold no memory while they wait, so the budget is for the others.
 */
function readUntouched(request: MaybeParsed, length: number, maxBytes: number, budget: Budget): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // By then all that came in the same packet has been parsed.
    process.nextTick(() => {
      const bytes: Buffer | null = request.read();
      if (bytes !== null && bytes.byteLength === length) return resolve(bytes);
      // Some platforms keep the bytes and hand on a request that brings none.
      const kept = bytes === null ? keptBytes(request) : undefined;
      if (kept !== undefined && kept.byteLength <= maxBytes) return resolve(kept);
      readStream(request, bytes === null ? [] : [bytes], maxBytes, budget).then(resolve, reject);
    });
  });
}

function readStream(request: IncomingMessage, chunks: Buffer[], maxBytes: number, budget: Budget): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    let isSettled = false;
    let deadline: NodeJS.Timeout | undefined;
    let memory: ReturnType<Budget> | undefined;
    memory = budget(fail);
    if (isSettled) return;
    memory.grow(size);
    if (isSettled) return;
    deadline = setTimeout(onBroken, BODY_DEADLINE_MS);
    request.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);

    function onData(chunk: Buffer): void {
      size += chunk.byteLength;
      if (size > maxBytes) fail(tooLarge(maxBytes));
      else {
        chunks.push(chunk);
        memory?.grow(chunk.byteLength);
        if (isSettled) return;
        request.pause();
        memory?.next(() => {
          if (!isSettled) request.resume();
        });
      }
    }
    function onEnd(): void {
      settle();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    }
    function onBroken(): void {
      if (!isSettled) fail(new ChannelError("BODY_INCOMPLETE", "The body ended before it was complete."));
    }
    function fail(error: ChannelError): void {
      settle();
      // The socket outlives this promise for a moment; what it has brought need not.
      chunks.length = 0;
      request.off("data", onData).off("end", onEnd);
      reject(error);
    }
    function settle(): void {
      isSettled = true;
      clearTimeout(deadline);
      memory?.leave();
    }
  });
}

/** A host's parser may allow more than we do. */
function withinLimit(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function tooLarge(maxBytes: number): ChannelError {
  return new ChannelError("BODY_TOO_LARGE", `The body has at most ${maxBytes} bytes.`);
}

function rawBodyMissing(): ChannelError {
  return new ChannelError(
    "RAW_BODY_MISSING",
    "A body parser of the host has consumed the bytes that Meta signed. Mount the WhatsApp router before express.json(), " +
      "or keep the bytes: express.json({ verify: (req, _res, buffer) => { req.rawBody = buffer; } }).",
    { retry: "fix" },
  );
}
