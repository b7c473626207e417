/** Contract verb 1, with a token that the operator already has: number and account proven at Graph, token sealed, stored. */
import type { ChannelPlugin } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { Connections, GraphApi, MetaAccounts, SecretBox, TokenFacts } from "../ports.ts";

export type ConnectDeps = {
  readonly graphApi: GraphApi;
  /** Null where no app id is configured: then nobody can ask what a token is. */
  readonly inspectToken: MetaAccounts["inspectToken"] | null;
  readonly connections: Connections;
  readonly secretBox: SecretBox;
  /** Called after the commit: sends and events may have waited for this number. */
  readonly onConnected: () => void;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function createConnect({
  graphApi,
  inspectToken,
  connections,
  secretBox,
  onConnected,
}: ConnectDeps): ChannelPlugin["connect"] {
  return async ({ customerConfigId, accessToken, phoneNumberId, wabaId }) => {
    if (!UUID.test(customerConfigId))
      throw new ChannelError("REQUEST_INVALID", "customerConfigId is a customer_configs.id (uuid).");
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
    return connection;
  };

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
