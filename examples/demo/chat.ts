/** The terminal as a phone: a typed line is a WhatsApp message, and every answer is printed as it arrives. */
import { createInterface } from "node:readline";
import { CHAT_NUMBER, NEW_NUMBER, YOU } from "./cast.ts";
import { readFile } from "./read-file.ts";
import { shownAnswer } from "./shown-answer.ts";
import type { Stage } from "./stage.ts";
import { harmless, type Paint } from "./terminal.ts";

/** Ends when the signal does, or with Ctrl-C or Ctrl-D at the prompt. */
export async function chat({ meta, host, you, onHostEvent }: Stage, paint: Paint, signal: AbortSignal): Promise<void> {
  const { stdin: input, stdout: output } = process;
  const lines = input.isTTY === true ? createInterface({ input, output, prompt: paint.bold("You: ") }) : null;
  const typed = new Map<string, number>();
  let askedAt = 0;

  const say = (text: string) => {
    // What is being typed stays, below what has arrived.
    if (lines !== null && output.isTTY === true) output.write("\r\u001b[K");
    output.write(`${text}\n`);
    lines?.prompt(true);
  };
  onHostEvent((event) => {
    // Somebody has pressed the button on the integrations page: the first message comes at once.
    if (event.kind === "connection" && event.connection.state === "connected") {
      say(
        `${paint.green("✓")} ${harmless(event.connection.verifiedName ?? "A number")} is connected; you write to it:`,
      );
      you.says("hello", { to: event.connection.phoneNumberId });
    }
    if (event.kind === "connection" && event.connection.state === "reauth_required")
      say(
        `${paint.red("✗")} Meta refuses the token of ${harmless(event.connection.verifiedName ?? "a number")} (reauth_required): connect it again on ${host.url}/dashboard/integrations`,
      );
    if (event.kind !== "message") return;
    const { messageId, from, text, type } = event.event;
    const isTyped = typed.has(messageId);
    askedAt = typed.get(messageId) ?? Date.now();
    typed.delete(messageId);
    if (!isTyped) say(`${harmless(from.name ?? YOU.name)}: ${harmless(text ?? `[${type}]`)}`);
  });
  meta.onAccepted((answer) => {
    const after = paint.dim(`after ${answer.at.getTime() - askedAt} ms`);
    say(`${paint.green(nameOf(answer.phoneNumberId))}: ${harmless(shownAnswer(answer))} ${after}`);
  });

  const write = (line: string) => {
    const [, path] = /^\/send\s+(.+?)\s*$/.exec(line) ?? [];
    try {
      typed.set(path === undefined ? you.says(line) : you.sendsMedia(readFile(path)), Date.now());
    } catch (error) {
      say(paint.red(error instanceof Error ? error.message : String(error)));
    }
  };
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    lines?.on("line", (line) => (line.trim() === "" ? lines.prompt() : write(line)));
    lines?.once("SIGINT", resolve).once("close", resolve);
    if (signal.aborted) resolve();
    // The first words are said for you: they open the service window, and the bot tells what it knows.
    else you.says("hello");
  });
  lines?.close();
}

function nameOf(phoneNumberId: string): string {
  return phoneNumberId === NEW_NUMBER.phoneNumberId ? NEW_NUMBER.verifiedName : CHAT_NUMBER.verifiedName;
}
