/** Media in a bucket of Amazon S3, or of anything that speaks its language: the entry point `@omniops/whatsapp/s3`. */
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ChannelError } from "../../plugin/errors.ts";
import type { MediaStore } from "../../plugin/ports.ts";
import { checkKey } from "./media-key.ts";

/** The smallest part that S3 takes. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART_BYTES = 5 * 1024 * 1024;
/** How long a link is good for: long enough for a slow phone to begin. */
const LINK_SECONDS = 15 * 60;
/** What stores that are not Amazon's say when there is no room. */
const FULL = new Set(["QuotaExceeded", "StorageFull", "XMinioStorageFull", "InsufficientStorage"]);

/** Which bucket, and how it is reached. */
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

/** Keeps media in a bucket of Amazon S3, or of whatever speaks its language. For `mediaStore` of `createWhatsAppPlugin`. */
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

  /** One part after the other, so that nothing is on its way when it is taken back. */
  function openUpload(target: { readonly Bucket: string; readonly Key: string }, mime: string) {
    const parts: CompletedPart[] = [];
    let UploadId: string | undefined;
    async function begin(): Promise<void> {
      // As the client library checks parts by itself, unless its owner has forbidden that: then the whole is told of it too.
      const isChecked = (await client.config.requestChecksumCalculation()) === "WHEN_SUPPORTED";
      const begun = await client.send(
        new CreateMultipartUploadCommand({
          ...target,
          ContentType: mime,
          ...(isChecked ? { ChecksumAlgorithm: ChecksumAlgorithm.CRC32 } : {}),
        }),
      );
      UploadId = begun.UploadId;
    }
    async function add(Body: Uint8Array): Promise<void> {
      if (UploadId === undefined) await begin();
      const PartNumber = parts.length + 1;
      const { ETag, ChecksumCRC32 } = await client.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber, Body }),
      );
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    return {
      add,
      isBegun: () => UploadId !== undefined,
      async finish(rest: Uint8Array): Promise<void> {
        if (rest.byteLength > 0) await add(rest);
        await client.send(
          new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }),
        );
      },
      async takeBack(): Promise<void> {
        if (UploadId !== undefined) await client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
      },
    };
  }

  return {
    async put(key, bytes, { mime }) {
      const target = at(key);
      const upload = openUpload(target, mime);
      try {
        // The one buffer of it: a part has been taken when the next is filled in.
        const part = Buffer.allocUnsafeSlow(PART_BYTES);
        let length = 0;
        for await (const chunk of bytes)
          for (let from = 0; from < chunk.byteLength; ) {
            const some = chunk.subarray(from, from + PART_BYTES - length);
            part.set(some, length);
            from += some.byteLength;
            length += some.byteLength;
            if (length < PART_BYTES) continue;
            await explained(upload.add(part));
            length = 0;
          }
        const rest = part.subarray(0, length);
        if (!upload.isBegun())
          await explained(client.send(new PutObjectCommand({ ...target, Body: rest, ContentType: mime })));
        else await explained(upload.finish(rest));
      } catch (error) {
        // What cannot be taken back now is swept later; why it was not kept matters more.
        await upload.takeBack().catch(() => undefined);
        throw error;
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
