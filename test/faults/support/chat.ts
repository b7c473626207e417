/** The host's AI, outside of the processes that die: it remembers what it was asked. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Turn } from "@omniops/whatsapp";

export type Chat = {
  readonly url: string;
  /** The wamids of each turn, as often as it was asked: a turn must not change between tries. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  stop(): void;
};

type Asked = Pick<Turn, "turnId" | "messages">;

/** @param answer what it says to a turn; by default the numbers in what was written. */
export async function startChat(answer: (turn: Asked) => Promise<string> | string = numbersIn): Promise<Chat> {
  const asked = new Map<string, string[]>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    // Whoever asks may be killed in the middle of it.
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const turn = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    const wamids = turn.messages.map(({ externalId }) => externalId).join(" ");
    asked.set(turn.turnId, [...(asked.get(turn.turnId) ?? []), wamids]);
    const text = await answer(turn);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ text }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function numbersIn({ messages }: Asked): string {
  return `re: ${messages.map(({ text }) => text?.match(/\d+/)?.[0]).join(", ")}`;
}
