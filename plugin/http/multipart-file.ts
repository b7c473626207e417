/** One file of a form, as a stream: never in memory as a whole, and good only once the form has come to its end. */

import type { IncomingMessage } from "node:http";
import { Busboy } from "@fastify/busboy";
import { ChannelError } from "../errors.ts";
import type { ByteStream } from "../ports.ts";

/** For the form around the file. */
const FORM_BYTES = 64 * 1024;
/** Somebody who sends nothing for so long has gone. */
const STALL_MS = 30_000;
/** How long what is sent after a refusal is taken in, so that the sender comes to read the refusal. */
const DRAIN_MS = 30_000;
const MAX_FIELD_BYTES = 100;

export type FormFile = {
  readonly filename: string | null;
  /** As the form calls it. */
  readonly said: string | null;
  /** The fields that came before it. */
  readonly fields: ReadonlyMap<string, string>;
  /** Throws after the last byte when the form is not complete, or has more than the one file. */
  readonly bytes: ByteStream;
};

/**
 * @param use whatever it throws is thrown, after the rest of the body was taken in for a while.
 * @throws ChannelError REQUEST_INVALID, BODY_INCOMPLETE, BODY_TOO_LARGE, ENCODING_UNSUPPORTED.
 */
export async function readFormFile<T>(
  request: IncomingMessage,
  maxFileBytes: number,
  use: (file: FormFile) => Promise<T>,
): Promise<T> {
  checkHeaders(request, maxFileBytes + FORM_BYTES);
  const form = openForm(request);
  try {
    return await use(await form.file);
  } catch (error) {
    await drain(request);
    throw error;
  } finally {
    form.close();
  }
}

function checkHeaders(request: IncomingMessage, maxBytes: number): void {
  const { headers } = request;
  if (!/^multipart\/form-data\s*;.*boundary=/i.test(headers["content-type"] ?? ""))
    throw invalid("Send multipart/form-data, with the bytes in the field file.");
  if (request.readableEnded)
    throw invalid("A body parser of the host has consumed the form: mount the WhatsApp router before it.");
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    throw new ChannelError("ENCODING_UNSUPPORTED", "Send the form without Content-Encoding.");
  if (Number(headers["content-length"]) > maxBytes)
    throw new ChannelError("BODY_TOO_LARGE", `The body has at most ${maxBytes} bytes.`);
}

function openForm(request: IncomingMessage) {
  const { "content-type": contentType = "", ...headers } = request.headers;
  const fields = new Map<string, string>();
  let isFound = false;
  let stop: (error: ChannelError) => void = () => undefined;
  const busboy = new Busboy({
    headers: { ...headers, "content-type": contentType },
    limits: { files: 2, fields: 10, parts: 12, fieldSize: MAX_FIELD_BYTES, headerPairs: 20, headerSize: 8 * 1024 },
  });

  /** Ends when the form has, and fails with what is wrong with it. */
  const ended = new Promise<void>((resolve, reject) => {
    stop = reject;
    busboy.once("finish", resolve);
    busboy.on("error", () => reject(incomplete()));
    busboy.once("partsLimit", () => reject(invalid("The form has too many parts.")));
    busboy.once("fieldsLimit", () => reject(invalid("The form has too many fields.")));
    request.on("error", () => reject(incomplete()));
    request.once("close", () => {
      if (!request.complete) reject(incomplete());
    });
  });
  // Whoever reads the file hears of it; before there is one, `file` does.
  ended.catch(() => undefined);

  const stall = setTimeout(() => stop(incomplete()), STALL_MS);
  const refresh = () => void stall.refresh();
  request.on("data", refresh);

  const file = new Promise<FormFile>((resolve, reject) => {
    ended.then(() => reject(invalid("file: is missing")), reject);
    busboy.on("field", (name: string, value: string) => {
      if (isFound) stop(invalid(`${known(name)}: must come before the file`));
      fields.set(name, value);
    });
    busboy.on("file", (name: string, stream, filename: string | undefined, _encoding: string, said: string) => {
      // One that nobody reads any more may still fail.
      stream.on("error", () => undefined);
      if (name !== "file" || isFound) {
        stream.resume();
        stop(invalid(isFound ? "file: is there twice" : "file: the bytes must be in the field file"));
        return;
      }
      isFound = true;
      ended.catch((error: Error) => void stream.destroy(error));
      async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
        try {
          for await (const chunk of stream) yield chunk as Uint8Array;
        } catch (error) {
          throw error instanceof ChannelError ? error : incomplete();
        }
        await ended;
      }
      resolve({ filename: filename === undefined || filename === "" ? null : filename, said, fields, bytes: bytes() });
    });
  });
  request.pipe(busboy);

  return {
    file,
    close() {
      clearTimeout(stall);
      request.off("data", refresh);
      request.unpipe(busboy);
    },
  };
}

/** A field's name is somebody's word: only ours are said again. */
function known(name: string): string {
  return name === "kind" ? "kind" : "a field";
}

/** An answer that comes while the sender still sends is lost on many of them. */
function drain(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, DRAIN_MS);
    request.unpipe();
    request.once("end", finish).once("close", finish).once("error", finish).resume();
    function finish(): void {
      clearTimeout(timer);
      request.off("end", finish).off("close", finish);
      resolve();
    }
  });
}

function invalid(message: string): ChannelError {
  return new ChannelError("REQUEST_INVALID", message);
}

function incomplete(): ChannelError {
  return new ChannelError("BODY_INCOMPLETE", "The body ended before it was complete.");
}
