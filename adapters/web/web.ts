/** The web by Node's own client: names resolved by the system, one socket per request, to the address that it is told. */
import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { Web } from "../../plugin/ports.ts";

const CONNECT_MS = 5_000;

/** @param tls for tests: what is trusted beside the system's certificates. */
export function createWeb({ tls = {} }: { readonly tls?: { readonly ca?: string } } = {}): Web {
  return {
    async resolve(hostname) {
      const found = await lookup(hostname, { all: true, order: "ipv4first" });
      return found.map(({ address }) => address);
    },

    async get({ url, address, signal }) {
      const isSecure = url.protocol === "https:";
      const hostname = url.hostname.replace(/^\[|\]$/g, "");
      const options: RequestOptions & { servername?: string; ca?: string } = {
        method: "GET",
        // An address: nothing is resolved any more.
        host: address,
        port: url.port === "" ? (isSecure ? 443 : 80) : url.port,
        path: `${url.pathname}${url.search}`,
        headers: {
          host: url.host,
          accept: "*/*",
          "accept-encoding": "identity",
          "user-agent": "omniops-whatsapp",
        },
        agent: false,
        signal,
        ...(isSecure && { ...tls, servername: isIP(hostname) > 0 ? "" : hostname }),
      };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const call = (isSecure ? httpsRequest : httpRequest)(options, resolve);
        const late = setTimeout(() => call.destroy(new Error("no connection in time")), CONNECT_MS);
        call.once("socket", (socket) => {
          socket.once(isSecure ? "secureConnect" : "connect", () => clearTimeout(late));
          socket.once("close", () => clearTimeout(late));
        });
        // `on`, not `once`: a second error without a listener would end the process.
        call.on("error", reject);
        call.end();
      });
      response.on("error", () => undefined);
      return {
        status: response.statusCode ?? 0,
        header(name) {
          const value = response.headers[name];
          return typeof value === "string" ? value : null;
        },
        bytes: response as AsyncIterable<Buffer>,
        close: () => void response.destroy(),
      };
    },
  };
}
