/** Once a day for each number, and after Meta has told a change of it: its name, quality and pace, and whether its webhooks still come here. */
import { overrideOf } from "../doctor/override.ts";
import { isSameUrl } from "../doctor/urls.ts";
import { ChannelError } from "../errors.ts";
import type { Connections, GraphApi, Logger, MetaHealth, SecretBox, StaleNumber } from "../ports.ts";

export type LookAtNumbersDeps = {
  readonly connections: Pick<Connections, "staleNumbers" | "saveLook" | "saveWebhooksElsewhere">;
  readonly graphApi: Pick<GraphApi, "phoneNumber">;
  readonly metaHealth: Pick<MetaHealth, "accountSubscriptions" | "callbacks">;
  readonly secretBox: SecretBox;
  readonly log: Logger;
  /** Ours, null where nobody knows them: then nothing is said of webhooks. */
  readonly appId: string | null;
  readonly webhookUrl: string | null;
};

/** @returns how many were looked at. Safe in any number of processes. */
export function createLookAtNumbers(deps: LookAtNumbersDeps) {
  const { connections, graphApi, metaHealth, secretBox, log, appId, webhookUrl } = deps;

  async function look({ connectionId, customerConfigId, phoneNumberId, wabaId, accessTokenEnc }: StaleNumber) {
    const context = { customerConfigId, rowId: connectionId, field: "access_token" } as const;
    const accessToken = secretBox.open(accessTokenEnc, context);
    await connections.saveLook(connectionId, await graphApi.phoneNumber({ phoneNumberId, accessToken }));
    if (appId === null || webhookUrl === null) return;
    const subscriptions = await metaHealth.accountSubscriptions({ wabaId, accessToken });
    const override = overrideOf(appId, await metaHealth.callbacks({ phoneNumberId, accessToken }), subscriptions);
    await connections.saveWebhooksElsewhere(
      connectionId,
      !subscriptions.some((one) => one.appId === appId) || (override !== null && !isSameUrl(override.url, webhookUrl)),
    );
  }

  return async function lookAtNumbers(): Promise<number> {
    const stale = await connections.staleNumbers();
    for (const number of stale) {
      try {
        // A token whose key is missing is the doctor's to tell of, and keeps nobody else from being looked at.
        await look(number);
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        log.warn(
          { connectionId: number.connectionId, code: error.code },
          "Meta could not be asked about a number; trying again tomorrow",
        );
      }
    }
    return stale.length;
  };
}
