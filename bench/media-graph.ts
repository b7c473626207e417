/** A Meta that has one large file and takes one: as much of Graph as a document needs on its way in and out. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PHONE_NUMBER_ID } from "./load.ts";

/** @param bytes of the file. */
export async function startMediaGraph(bytes: number) {
  let round = 0;
  let taken = 0;
  let arrived = () => {};
  const part = () => Buffer.alloc(64 * 1024, `round ${round} of a document of a hundred megabytes `);
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "", url).pathname;
    if (path === "/file") return sendFile(response);
    let size = 0;
    let text = "";
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size < 4_096) text += chunk.toString("latin1");
    }
    response.setHeader("content-type", "application/json");
    if (path.endsWith("/media")) {
      taken = size;
      response.end('{"id":"4410001"}');
    } else if (path.endsWith("/messages") && text.includes("4410001")) {
      response.end('{"messaging_product":"whatsapp","contacts":[],"messages":[{"id":"wamid.OUT"}]}');
      arrived();
    } else if (/\/\d{10}$/.test(path))
      response.end(JSON.stringify({ url: `${url}/file`, mime_type: "text/plain", file_size: bytes, id: "4410000" }));
    else {
      const about = { id: PHONE_NUMBER_ID, display_phone_number: "+1 555-777-0100", verified_name: "Bench" };
      response.end(JSON.stringify(path.includes("phone_numbers") ? { data: [about] } : { success: true, ...about }));
    }
  }

  async function sendFile(response: ServerResponse): Promise<void> {
    response.setHeader("content-length", bytes);
    const chunk = part();
    for (let left = bytes; left > 0; left -= chunk.byteLength)
      if (!response.write(chunk.subarray(0, Math.min(left, chunk.byteLength)))) await once(response, "drain");
    response.end();
  }

  return {
    url,
    /** A file of its own each time: Meta is not given twice what it has. @returns its sum, base64. */
    nextFile(): string {
      round += 1;
      taken = 0;
      const hash = createHash("sha256");
      const chunk = part();
      for (let left = bytes; left > 0; left -= chunk.byteLength)
        hash.update(chunk.subarray(0, Math.min(left, chunk.byteLength)));
      return hash.digest("base64");
    },
    /** Resolves when a message with the uploaded file is accepted. @returns how many bytes the upload had. */
    async returned(): Promise<number> {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
      return taken;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
