/** Media in a bucket of Amazon S3, or of anything that speaks its language: the entry point `@omniops/whatsapp/s3`. */
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ChannelError } from "../../plugin/errors.ts";
import type { ByteStream, MediaStore } from "../../plugin/ports.ts";
import { checkKey } from "./media-key.ts";

/** The smallest part that S3 takes. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART_BYTES = 5 * 1024 * 1024;
/** How long a link is good for: long enough for a slow phone to begin. */
const LINK_SECONDS = 15 * 60;
/** What stores that are not Amazon's say when there is no room. */
const FULL = new Set(["QuotaExceeded", "StorageFull", "XMinioStorageFull", "InsufficientStorage"]);

export type S3MediaStoreOptions = {
  /** Of the host's making: region, endpoint, credentials. */
  readonly client: S3Client;
  /** Private: whoever may read an object, we say link by link. */
  readonly bucket: string;
  /** Before every key, such as `whatsapp/`. Default: nothing. */
  readonly prefix?: string;
  /**
   * An origin that hands requests on to the bucket with their query, such as a CDN's: links lead there. They stay signed, and end
   * after 15 minutes as they do without.
   */
  readonly cdnUrl?: string;
};

export function createS3MediaStore({ client, bucket, prefix = "", cdnUrl }: S3MediaStoreOptions): MediaStore {
  const at = (key: string) => ({ Bucket: bucket, Key: `${prefix}${checkKey(key)}` });

  /** One page of what was begun and never ended; ids of those that are too old. */
  async function* unfinished(before: Date): AsyncGenerator<{ Key: string; UploadId: string }, void, undefined> {
    let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
    while (from !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(from);
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        if (Key !== undefined && UploadId !== undefined && Initiated !== undefined && Initiated < before)
          yield { Key, UploadId };
      from =
        page.IsTruncated === true && page.NextKeyMarker !== undefined
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? "" }
          : null;
    }
  }
  const list = (from: { KeyMarker?: string; UploadIdMarker?: string }) =>
    explained(client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from })));

  return {
    async put(key, bytes, { mime }) {
      const source = remembered(bytes);
      // One part at a time: little memory, and nothing is on its way when the source throws and the upload is taken back.
      const upload = new Upload({
        client,
        params: { ...at(key), Body: Readable.from(source.bytes, { objectMode: false }), ContentType: mime },
        partSize: PART_BYTES,
        queueSize: 1,
      });
      try {
        await upload.done();
      } catch (error) {
        const failure = source.failure();
        throw failure === null ? explain(error) : failure.error;
      }
    },

    async get(key, range) {
      const { first, last } = range ?? {};
      const found = await explained(
        client
          .send(
            new GetObjectCommand({ ...at(key), ...(range === undefined ? {} : { Range: `bytes=${first}-${last}` }) }),
          )
          .catch((error: unknown) => {
            if (nameOf(error) === "NoSuchKey" || nameOf(error) === "NotFound") return null;
            throw error;
          }),
      );
      if (found === null) return null;
      const size = Number(/\/(\d+)$/.exec(found.ContentRange ?? "")?.[1] ?? found.ContentLength);
      return { size, bytes: read(found.Body as Readable) };
    },

    async remove(key) {
      await explained(client.send(new DeleteObjectCommand(at(key))));
    },

    async sweep(before) {
      let swept = 0;
      for await (const one of unfinished(before)) {
        await explained(client.send(new AbortMultipartUploadCommand({ Bucket: bucket, ...one })));
        swept += 1;
      }
      return swept;
    },

    async link(key, { contentType, contentDisposition }) {
      const command = new GetObjectCommand({
        ...at(key),
        ResponseContentType: contentType,
        ResponseContentDisposition: contentDisposition,
      });
      const url = new URL(await explained(getSignedUrl(client, command, { expiresIn: LINK_SECONDS })));
      // The signature speaks of the bucket's own host: the CDN hands the request on under that name.
      const expiresAt = new Date(signedAt(url).getTime() + LINK_SECONDS * 1_000);
      return { url: cdnUrl === undefined ? url.href : new URL(`${url.pathname}${url.search}`, cdnUrl).href, expiresAt };
    },
  };
}

/** As the signature has it, `20261127T192941Z`. */
function signedAt(url: URL): Date {
  const at = url.searchParams.get("X-Amz-Date") ?? "";
  return new Date(at.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3:$4:$5Z"));
}

/** The client library ends what it reads from by throwing into it: only what the source itself throws is the source's. */
function remembered(bytes: ByteStream) {
  let failed: { readonly error: unknown } | null = null;
  async function* pass(): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator = bytes[Symbol.asyncIterator]();
    const next = () =>
      iterator.next().catch((error: unknown) => {
        failed = { error };
        throw error;
      });
    try {
      for (let step = await next(); step.done !== true; step = await next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { bytes: pass(), failure: () => failed as { readonly error: unknown } | null };
}

async function* read(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    throw explain(error);
  } finally {
    body.destroy();
  }
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw explain(error);
  }
}

/** Never the answer of the store, which may quote a signature. */
function explain(error: unknown): ChannelError {
  if (error instanceof ChannelError) return error;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 507 || FULL.has(nameOf(error))
    ? new ChannelError("MEDIA_STORE_FULL", "The bucket of the media has no room left.", {
        retry: "backoff",
        cause: error,
      })
    : new ChannelError("MEDIA_STORE_UNAVAILABLE", "The bucket of the media cannot be used.", {
        retry: "backoff",
        cause: error,
      });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}
