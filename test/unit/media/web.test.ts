/** The socket goes to the address it is told, under the host's name, with nothing of ours in the request. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, expect, it } from "vitest";
import { createWeb } from "../../../adapters/web/web.ts";

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function serve(handle: (request: IncomingMessage) => string): Promise<number> {
  const server: Server = createServer((request, response) => {
    response.setHeader("set-cookie", "a=b");
    response.end(handle(request));
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const never = new AbortController().signal;

it("asks exactly that address, by the name of the URL", async () => {
  const seen: IncomingMessage[] = [];
  const port = await serve((request) => (seen.push(request) > 0 ? "bytes" : ""));
  const web = createWeb();

  for (let i = 0; i < 2; i += 1) {
    const url = new URL(`http://files.invalid:${port}/a%20b?c=d`);
    const answer = await web.get({ url, address: "127.0.0.1", signal: never });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.bytes) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("bytes");
    expect(answer.status).toBe(200);
    expect(answer.header("content-length")).toBe("5");
  }

  expect(seen.map(({ url }) => url)).toEqual(["/a%20b?c=d", "/a%20b?c=d"]);
  for (const { headers } of seen) {
    expect(headers.host).toBe(`files.invalid:${port}`);
    expect(Object.keys(headers).sort()).toEqual(["accept", "accept-encoding", "connection", "host", "user-agent"]);
  }
});

it("greets by the host's name in TLS, and believes no certificate that is not for it", async () => {
  const names: string[] = [];
  const server = createTlsServer({
    SNICallback(name, answer) {
      names.push(name);
      answer(new Error("no certificate for you"));
    },
  }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const url = new URL(`https://files.invalid:${port}/`);
  await expect(createWeb().get({ url, address: "127.0.0.1", signal: never })).rejects.toThrow();
  expect(names).toEqual(["files.invalid"]);
});

it("ends the connection when it is told to, and fails when it is aborted", async () => {
  const server = createServer((_request, response) => {
    response.write("b");
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const url = new URL(`http://files.invalid:${(server.address() as AddressInfo).port}/`);
  const closed = new Promise((resolve) => server.once("connection", (socket) => socket.once("close", resolve)));

  const answer = await createWeb().get({ url, address: "127.0.0.1", signal: never });
  answer.close();
  await closed;

  const aborter = new AbortController();
  const hanging = await createWeb().get({ url, address: "127.0.0.1", signal: aborter.signal });
  const reading = (async () => {
    for await (const chunk of hanging.bytes) expect(chunk).toBeDefined();
  })();
  aborter.abort();
  await expect(reading).rejects.toThrow();
});

it("finds every address of a name", async () => {
  const found = await createWeb().resolve("localhost");
  expect(found).toContain("127.0.0.1");
  await expect(createWeb().resolve("files.invalid")).rejects.toThrow();
});
