/** A client that has gone before the first byte of its download. */
import { once } from "node:events";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createMediaRoutes } from "../../../plugin/http/media-routes.ts";
import type { MediaRecord } from "../../../plugin/ports.ts";

const ID = "00000000-0000-4000-8000-0000000000aa";
const RECORD: MediaRecord = {
  id: ID,
  customerConfigId: "tenant",
  direction: "in",
  kind: "document",
  state: "stored",
  reason: null,
  filename: null,
  mime: "text/plain",
  size: 2_000_000,
  sha256: "00",
  storageKey: "tenant/key",
};

it("ends the answer, and nothing is read for it", async () => {
  let reads = 0;
  async function* bytes() {
    reads += 1;
    yield Buffer.alloc(2_000_000);
  }
  let answer: ServerResponse;
  let lookedFor: () => void;
  const isLookedFor = new Promise<void>((resolve) => {
    lookedFor = resolve;
  });
  const { download } = createMediaRoutes({
    records: { find: async () => RECORD },
    mediaStore: {
      link: async () => null,
      async get() {
        lookedFor();
        await once(answer, "close");
        return { size: 2_000_000, bytes: bytes() };
      },
    },
    upload: () => Promise.reject(new Error("not here")),
  });
  const ended = new Promise<void>((resolve, reject) => {
    const server = createServer((request, response) => {
      answer = response;
      const route = Object.assign(request, { params: { id: ID } });
      Promise.resolve(download(route as never, response as never, { customerConfigId: "tenant" } as never)).then(
        resolve,
        reject,
      );
    }).listen(0, "127.0.0.1", () => {
      const asking = httpRequest({ port: (server.address() as AddressInfo).port }).end();
      asking.on("error", () => undefined);
      void isLookedFor.then(() => asking.destroy());
    });
    onTestFinished(() => void server.close());
  });

  await ended;

  expect(reads).toBe(0);
});
