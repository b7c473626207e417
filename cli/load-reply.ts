/** Whoever answers in a replay: a module of the caller's, or their chat pipeline behind HTTP. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Reply, Turn } from "@omniops/whatsapp";
import type { Wrong } from "./command.ts";

export type HostReply = (turn: Turn) => Promise<Reply> | Reply;

/** @param url an http or https address. */
export async function replyBehind(url: string, wrong: Wrong): Promise<HostReply> {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw wrong("--chat-api is an http or https address.");
  const { createChatApi } = await import("@omniops/whatsapp");
  return createChatApi({ url });
}

/** @param reply `./reply.js`, or `./bots.js#sales` for one of several. */
export async function loadReply(reply: string, wrong: Wrong): Promise<HostReply> {
  const [path = "", name] = reply.split("#");
  if (path === "") throw wrong("--reply is a module, such as ./reply.js or ./bots.js#sales.");
  const module = (await import(pathToFileURL(resolve(path)).href).catch((cause: Error) => {
    throw wrong(`${path} cannot be loaded: ${firstLine(cause)}`);
  })) as Readonly<Record<string, unknown>>;
  const found = name === undefined ? (module.reply ?? module.default) : module[name];
  if (typeof found === "function") return found as HostReply;
  throw wrong(
    `${path} exports no function ${name ?? "reply, and none by default"}: --reply <module>#<name> names one.`,
  );
}

/** With its cause, where the error itself only says that there is one. */
export function firstLine({ message, cause }: Error): string {
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return `${message}${why}`.split("\n")[0] ?? "";
}
