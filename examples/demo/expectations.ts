/** Which recorded messages the bot owes an answer, and which of them got none. */
import { manifest } from "@omniops/whatsapp";
import type { Conversation, TranscriptEntry } from "@omniops/whatsapp/simulator";
import type { RecordedMessage } from "@omniops/whatsapp/testing";
import type { Played } from "./replay.ts";

export type Unanswered = { readonly recording: string; readonly message: RecordedMessage };

const WINDOW_MS = 24 * 60 * 60 * 1000;

/** @param connected the numbers that are connected: what others receive wakes nobody. */
export function unanswered(
  played: readonly Played[],
  conversations: readonly Conversation[],
  connected: ReadonlySet<string>,
): readonly Unanswered[] {
  return played.flatMap((one) =>
    one.payload.messages
      .filter((message) => connected.has(message.phoneNumberId) && isOwedAnAnswer(message, one) === true)
      .filter((message) => !conversations.some(({ entries }) => isAnswered(entries, message.messageId)))
      .map((message) => ({ recording: one.recording.name, message })),
  );
}

/** What was older than the service window when it came is shown to the host and answered by nobody. */
export function isOwedAnAnswer(
  message: RecordedMessage,
  { recording, postedAt }: Played,
): true | "late" | "not a message" {
  const isMessage =
    recording.messageIds?.has(message.messageId) ??
    (manifest.capabilities.inbound.includes(message.type) && message.hasContent && !message.isFromGroup);
  if (!isMessage) return "not a message";
  return postedAt.getTime() - message.sentAt.getTime() < WINDOW_MS || "late";
}

/** Several messages may share one answer, so it need only come later, and arrive. */
function isAnswered(entries: readonly TranscriptEntry[], messageId: string): boolean {
  const at = entries.findIndex(({ wamid }) => wamid === messageId);
  return (
    at !== -1 && entries.slice(at).some(({ direction, status }) => direction === "outbound" && status !== "failed")
  );
}
