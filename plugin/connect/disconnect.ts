/** A customer leaves: their numbers are closed at once, whether or not Meta can be told now. */
import { ChannelError, nameOf } from "../errors.ts";
import type { Leaving, Logger } from "../ports.ts";
import type { FinishLeaving } from "./finish-leaving.ts";

export type DisconnectDeps = {
  readonly leaving: Leaving;
  readonly finishLeaving: FinishLeaving;
  /** Called after the commit: sends that waited end now. */
  readonly onClosed: () => void;
  readonly log: Logger;
};

/** @param phoneNumberId null: every number of the tenant. */
export type Disconnect = (wish: {
  readonly customerConfigId: string;
  readonly phoneNumberId: string | null;
}) => Promise<void>;

export function createDisconnect({ leaving, finishLeaving, onClosed, log }: DisconnectDeps): Disconnect {
  return async (wish) => {
    const closed = await leaving.disconnect({ ...wish, reason: "It was disconnected: connect the number again." });
    // The same for another tenant's number as for none.
    if (closed === null)
      throw new ChannelError("NUMBER_UNKNOWN", "You have no number with this phone_number_id: see GET /status.");
    onClosed();
    if (closed.length === 0) return;
    // They have left already: that Meta is told can wait.
    await finishLeaving(closed.map(({ connectionId }) => connectionId)).catch((error: unknown) =>
      log.warn({ error: nameOf(error) }, "Meta could not be told that a number has left; trying again"),
    );
  };
}
