/** Contract verb 1, with a token that the operator already has: number and account proven at Graph, token sealed, stored. */
import type { ChannelPlugin } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { Connections, GraphApi, Logger, MetaAccounts, SecretBox, TokenFacts } from "../ports.ts";
import { readTenant } from "../uuid.ts";

export type ConnectDeps = {
  readonly graphApi: GraphApi;
  /** Null where no app id is configured: then nobody can ask what a token is. */
  readonly inspectToken: MetaAccounts["inspectToken"] | null;
  readonly subscribe: MetaAccounts["subscribe"];
  readonly connections: Connections;
  readonly secretBox: SecretBox;
  readonly log: Logger;
  /** Called after the commit: sends and events may have waited for this number. */
  readonly onConnected: () => void;
};

export function createConnect({
  graphApi,
  inspectToken,
  subscribe,
  connections,
  secretBox,
  log,
  onConnected,
}: ConnectDeps): ChannelPlugin["connect"] {
  return async ({ accessToken, phoneNumberId, wabaId, ...given }) => {
    const customerConfigId = readTenant(given.customerConfigId);
    // It becomes a header: a line break that came along when it was copied would make every call fail.
    if (!/^[\x21-\x7e]+$/.test(accessToken))
      throw new ChannelError("REQUEST_INVALID", "accessToken is empty, or has spaces or line breaks in it.");
    const [number, numbers, token] = await Promise.all([
      graphApi.phoneNumber({ phoneNumberId, accessToken }),
      graphApi.numbersOf({ wabaId, accessToken }),
      factsOf(accessToken),
    ]);
    if (!numbers.includes(phoneNumberId))
      throw new ChannelError(
        "NUMBER_NOT_IN_WABA",
        "This phone number id is not in this WhatsApp Business Account: check both ids in WhatsApp Manager.",
      );
    const connection = await connections.save({
      customerConfigId,
      phoneNumberId,
      wabaId,
      ...number,
      ...(token === null ? {} : { token }),
      seal: (rowId) => secretBox.seal(accessToken, { customerConfigId, rowId, field: "access_token" }),
    });
    onConnected();
    // Not before: a number of the account that is leaving just now takes the webhooks with it, until it finds this one.
    await trySubscribe(wabaId, accessToken);
    return connection;
  };

  /**
   * Without it no webhook comes. A token for messages alone may not do it, and then somebody has done it by hand: the
   * number is connected all the same, and the doctor tells whether it was.
   */
  async function trySubscribe(wabaId: string, accessToken: string): Promise<void> {
    try {
      await subscribe({ wabaId, accessToken });
    } catch (error) {
      if (!(error instanceof ChannelError && error.code.startsWith("GRAPH_"))) throw error;
      log.warn(
        { wabaId, code: error.code },
        "the account could not be subscribed; whatsapp-channel doctor tells whether it is",
      );
    }
  }

  /** Its end and its owner are good to know; a token that works is not refused for want of them. */
  async function factsOf(accessToken: string): Promise<TokenFacts | null> {
    try {
      const facts = await inspectToken?.(accessToken);
      return facts?.isValid === true ? facts : null;
    } catch (error) {
      if (error instanceof ChannelError && error.code.startsWith("GRAPH_")) return null;
      throw error;
    }
  }
}
