/**
 * A server that speaks S3, on a port of its own, with a folder behind it: signatures are checked, ranges and multipart uploads
 * are its own. What it lacks of S3 is added in front of it: ending an upload without finishing it, and listing those.
 */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
// @ts-expect-error it has no types
import S3rver from "@20minutes/s3rver";
import { S3Client } from "@aws-sdk/client-s3";

export const BUCKET = "media";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Running = {
  configureBuckets(): Promise<unknown>;
  callback(): Answer;
  logger: { exceptions: { unhandle(): void }; close(): void };
};

export type S3Server = {
  readonly url: string;
  readonly client: S3Client;
  /** What was begun and neither finished nor ended, as keys. */
  pending(): Promise<readonly string[]>;
  /** All that lies in its folder. */
  everything(): Promise<readonly string[]>;
  /** Every request from now on is answered with this error; null: none. */
  fail(error: { readonly status: number; readonly code: string } | null): void;
  stop(): Promise<void>;
};

export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "omniops-s3-"));
  const s3rver: Running = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET }],
  });
  await s3rver.configureBuckets();
  const answer = s3rver.callback();
  const uploads = join(directory, BUCKET, "._S3rver_uploads");
  let failure: { readonly status: number; readonly code: string } | null = null;

  async function pending() {
    const ids = existsSync(uploads) ? await readdir(uploads) : [];
    return Promise.all(
      ids.map(async (id) => {
        const key = join(uploads, id, "key");
        return { id, key: await readFile(key, "utf8"), at: (await stat(key)).mtime };
      }),
    );
  }

  async function listPending(response: ServerResponse): Promise<void> {
    const found = await pending();
    const rows = found.map(
      ({ id, key, at }) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated></Upload>`,
    );
    sendXml(response, 200, `<ListMultipartUploadsResult>${rows.join("")}</ListMultipartUploadsResult>`);
  }

  async function end(id: string, response: ServerResponse): Promise<void> {
    await rm(join(uploads, id), { recursive: true });
    response.writeHead(204).end();
  }

  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    const id = searchParams.get("uploadId");
    if (failure !== null) {
      request.resume();
      sendXml(response, failure.status, `<Error><Code>${failure.code}</Code><Message>It is so.</Message></Error>`);
    } else if (request.method === "DELETE" && id !== null) void end(id, response);
    else if (request.method === "GET" && searchParams.has("uploads")) void listPending(response);
    else answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({
    endpoint: url,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    maxAttempts: 1,
  });

  return {
    url,
    client,
    pending: async () => (await pending()).map(({ key }) => key),
    async everything() {
      for (;;)
        try {
          const entries = await readdir(directory, { recursive: true, withFileTypes: true });
          return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
        } catch (error) {
          // A folder went while it was read: whoever asks wants to know what is left.
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
    },
    fail(error) {
      failure = error;
    },
    async stop() {
      client.destroy();
      server.closeAllConnections();
      server.close();
      s3rver.logger.exceptions.unhandle();
      s3rver.logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function sendXml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}
