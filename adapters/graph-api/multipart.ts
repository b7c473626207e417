/** A form with one file, framed around its bytes as they come. */
import { randomBytes } from "node:crypto";
import { ChannelError } from "../../plugin/errors.ts";
import type { StreamedBody } from "./http-transport.ts";

type FormFile = { readonly mime: string; readonly size: number; readonly bytes: AsyncIterable<Uint8Array> };

/** @param fields names and values of ours, which hold neither quotes nor line breaks. */
export function multipartOf(
  fields: Readonly<Record<string, string>>,
  { mime, size, bytes }: FormFile,
): StreamedBody & { readonly contentType: string } {
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(mime))
    throw new ChannelError("REQUEST_INVALID", "The type of a file must look like image/jpeg.");
  // No file holds it: nobody has seen it before.
  const boundary = `----${randomBytes(24).toString("base64url")}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  // What people see is the message's file name; this one is seen by nobody.
  const opening = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\nContent-Type: ${mime}\r\n\r\n`;
  const head = Buffer.from(`${parts.join("")}${opening}`);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.byteLength + size + tail.byteLength,
    bytes: framed(head, exactly(bytes, size), tail),
  };
}

async function* framed(head: Buffer, bytes: AsyncIterable<Uint8Array>, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head;
  yield* bytes;
  yield tail;
}

/** The length was promised before: a file that is not as long as it was said to be is not sent. */
export async function* exactly(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    if (count > size) break;
    yield chunk;
  }
  if (count !== size)
    throw new ChannelError("MEDIA_STORE_UNAVAILABLE", "A file is not as long as it was said to be.", {
      retry: "backoff",
    });
}
