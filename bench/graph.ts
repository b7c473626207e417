/** The cheapest Graph there can be, on loopback: accepts every message, so that a measurement is of us and not of it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { numberOf, PHONE_NUMBER_ID } from "./load.ts";

export async function startLoopbackGraph() {
  let accepted = 0;
  let answered = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached = () => {};
  let onMessage: (to: string) => void = () => {};
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      const isList = request.url?.includes("phone_numbers");
      const about = { display_phone_number: "+1 555-777-0100", verified_name: "Bench" };
      const numbers = [0, 1, 2, 3, 4, 5].map((tenant) => ({ id: numberOf(tenant), ...about }));
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify(isList ? { data: numbers } : { id: PHONE_NUMBER_ID, ...about }));
      return;
    }
    if (request.url?.includes("subscribed_apps")) {
      response.setHeader("content-type", "application/json").end('{"success":true}');
      return;
    }
    let body = "";
    request.setEncoding("latin1").on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const to = /"(?:to|recipient)":"[^"]*?(\d{12})"/.exec(body)?.[1];
      if (to === undefined) {
        // A mark of reading, or of typing: not a message.
        response.setHeader("content-type", "application/json").end('{"success":true}');
        return;
      }
      accepted++;
      // An answer says how many messages it is for.
      answered += Number(/ for (\d+)\)/.exec(body)?.[1] ?? 1);
      onMessage(to);
      response
        .setHeader("content-type", "application/json")
        .end(
          `{"messaging_product":"whatsapp","contacts":[],"messages":[{"id":"wamid.OUT${process.pid}.${accepted}"}]}`,
        );
      if (answered >= wanted) reached();
    });
  }).listen(0, "127.0.0.1");
  server.keepAliveTimeout = 60_000;
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get accepted() {
      return accepted;
    },
    /** Resolves once `count` messages were answered since the last call of `reset`. @throws after two minutes. */
    async until(count: number): Promise<void> {
      wanted = count;
      if (answered >= wanted) return;
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`Only ${answered} of ${count} were answered.`)), 120_000);
        reached = () => {
          clearTimeout(late);
          resolve();
        };
      });
    },
    /** Called for each message, before it is accepted. */
    set onMessage(listener: (to: string) => void) {
      onMessage = listener;
    },
    reset() {
      accepted = 0;
      answered = 0;
      wanted = Number.POSITIVE_INFINITY;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
