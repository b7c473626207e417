/** How fast numbers may send, asked once a day: Meta raises it by itself. */
import { ChannelError } from "../errors.ts";
import type { Connections, GraphApi, Logger, SecretBox } from "../ports.ts";

export type ReadThroughputDeps = {
  readonly connections: Pick<Connections, "staleNumbers" | "saveThroughput">;
  readonly graphApi: Pick<GraphApi, "phoneNumber">;
  readonly secretBox: SecretBox;
  readonly log: Logger;
};

/** @returns how many were asked for. Safe in any number of processes. */
export function createReadThroughput({ connections, graphApi, secretBox, log }: ReadThroughputDeps) {
  return async function readThroughput(): Promise<number> {
    const stale = await connections.staleNumbers();
    for (const { connectionId, customerConfigId, phoneNumberId, accessTokenEnc } of stale) {
      try {
        // Inside: a token whose key is missing is the doctor's to tell of, and keeps nobody else from being asked.
        const context = { customerConfigId, rowId: connectionId, field: "access_token" } as const;
        const accessToken = secretBox.open(accessTokenEnc, context);
        await connections.saveThroughput(connectionId, await graphApi.phoneNumber({ phoneNumberId, accessToken }));
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        log.warn({ connectionId, code: error.code }, "a number's pace could not be read; trying again tomorrow");
      }
    }
    return stale.length;
  };
}
