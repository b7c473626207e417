/** What the replay came to: the conversations, the recordings without one, and the messages that nobody answered. */
import type { SimulatedNumber } from "@omniops/whatsapp/simulator";
import type { RecordedMessage } from "@omniops/whatsapp/testing";
import { type Ending, readContents, readEndings, reasonFor } from "./endings.ts";
import { isOwedAnAnswer, unanswered } from "./expectations.ts";
import { type ConversationView, type Source, showConversation } from "./print-conversations.ts";
import type { Played } from "./replay.ts";
import type { Stage } from "./stage.ts";
import type { Paint } from "./terminal.ts";

export type Report = { readonly text: string; readonly problems: readonly string[] };

export async function report(
  { meta, host }: Stage,
  played: readonly Played[],
  numbers: readonly SimulatedNumber[],
  { paint, width }: { readonly paint: Paint; readonly width: number },
): Promise<Report> {
  const conversations = meta.conversations().filter(({ entries }) => entries.length > 0);
  const endings = await readEndings(host.knex, played);
  const byId = new Map(numbers.map((number) => [number.phoneNumberId, number]));
  const sources = sourcesIn(played, endings);
  const view: ConversationView = {
    paint,
    width,
    businessOf: (id) => ({
      name: byId.get(id)?.verifiedName ?? id,
      displayPhoneNumber: byId.get(id)?.displayPhoneNumber ?? "",
    }),
    contents: await readContents(host.knex),
    sourceOf: (messageId) => sources.get(messageId),
  };
  const shown = new Set(conversations.flatMap(({ entries }) => entries.map(({ wamid }) => wamid)));
  const others = played.filter(({ payload }) => !payload.messages.some(({ messageId }) => shown.has(messageId)));
  const missing = unanswered(played, conversations, new Set(byId.keys()));
  const problems = [
    ...played
      .filter((one) => endings.get(one)?.how === "bad")
      .map((one) => `${one.recording.name} was ${endings.get(one)?.words}`),
    ...(await Promise.all(
      missing.map(async ({ recording, message: { messageId } }) => {
        const reason = await reasonFor(host.knex, messageId);
        return `${recording} has no answer: ${reason} (message ${messageId})`;
      }),
    )),
  ];
  const text = [
    ...conversations.map((conversation) => showConversation(conversation, view)),
    ...(others.length === 0 ? [] : [showOthers(others, endings, paint)]),
  ].join("\n\n");
  return { text, problems };
}

function sourcesIn(played: readonly Played[], endings: ReadonlyMap<Played, Ending>): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>();
  for (const one of played)
    for (const message of one.payload.messages) {
      if (sources.has(message.messageId)) continue;
      const { recording, postedAt } = one;
      sources.set(message.messageId, {
        recording: recording.name,
        postedAt,
        remark: remarkOn(message, one, endings.get(one)),
      });
    }
  return sources;
}

function remarkOn(message: RecordedMessage, one: Played, ending: Ending | undefined): string {
  if (ending?.how === "bad") return ending.words;
  switch (isOwedAnAnswer(message, one)) {
    case true:
      return "";
    case "late":
      return "older than a day when it came, so not answered";
    case "not a message":
      return `${message.isFromGroup ? "written in a group, " : ""}told to the host, not answered`;
  }
}

function showOthers(others: readonly Played[], endings: ReadonlyMap<Played, Ending>, paint: Paint): string {
  const rows = others.map((one) => ({ name: one.recording.name, ...(endings.get(one) ?? LOST) }));
  const names = Math.max(...rows.map(({ name }) => name.length));
  const kinds = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.map(({ name, what, how, words }) => {
    return `  ${name.padEnd(names)}  ${paint.dim(what.padEnd(kinds))}  ${how === "bad" ? paint.red(words) : words}`;
  });
  return [paint.bold("Webhooks without a conversation"), ...lines].join("\n");
}

const LOST: Ending = { how: "bad", what: "", words: "lost" };
