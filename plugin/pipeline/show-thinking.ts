/** While the AI thinks: the message is marked as read and "typing…" is shown, renewed until the answer is there. */
import { nameOf } from "../errors.ts";
import type { GraphApi, Logger, SealedTurn, SecretBox } from "../ports.ts";

/** A host that stays silent mostly says so at once; nobody shall see "typing…" for that. */
const PATIENCE_MS = 300;
/** Meta hides it after 25 s. @see https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators */
const RENEW_MS = 20_000;

export type ShowThinkingDeps = {
  readonly graphApi: Pick<GraphApi, "markRead">;
  readonly secretBox: SecretBox;
  readonly log: Logger;
};

/** @returns to be called when the host has answered: `true` when it said something. */
export function createShowThinking({ graphApi, secretBox, log }: ShowThinkingDeps) {
  return function showThinking(turn: SealedTurn): (answered: boolean) => void {
    const messageId = turn.messages.findLast(({ type }) => type !== "reaction" && type !== "unsupported")?.externalId;
    if (messageId === undefined || turn.accessTokenEnc === null) return () => undefined;
    const mark = (typing: boolean) => void markRead(turn, messageId, typing);
    let isShown = false;
    const show = () => {
      isShown = true;
      mark(true);
      timer = setTimeout(show, RENEW_MS).unref();
    };
    let timer = setTimeout(show, PATIENCE_MS).unref();
    return (answered) => {
      clearTimeout(timer);
      // Answered before anybody could see it: read, all the same.
      if (answered && !isShown) mark(false);
    };
  };

  /** A courtesy: whatever goes wrong with it must not touch the turn. */
  async function markRead(turn: SealedTurn, messageId: string, typing: boolean): Promise<void> {
    try {
      const { customerConfigId, connectionId, phoneNumberId } = turn;
      const accessToken = secretBox.open(turn.accessTokenEnc ?? "", {
        customerConfigId,
        rowId: connectionId,
        field: "access_token",
      });
      await graphApi.markRead({ phoneNumberId, accessToken, messageId, typing });
    } catch (error) {
      log.debug({ stage: "turn", turnId: turn.turnId, error: nameOf(error) }, "could not mark a message as read");
    }
  }
}
