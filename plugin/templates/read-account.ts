/** Every template of an account, read from Meta: what it lists takes the place of what was known. */
import type { GraphApi, SecretBox, SendingAccount, TemplateSync, Templates } from "../ports.ts";

export type ReadAccountDeps = {
  readonly templates: Pick<Templates, "now" | "replace">;
  readonly graphApi: Pick<GraphApi, "templatesOf">;
  readonly secretBox: Pick<SecretBox, "open">;
};

/** @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE, SECRET_UNREADABLE. */
export type ReadAccount = (account: SendingAccount & { readonly accessTokenEnc: string }) => Promise<TemplateSync>;

export function createReadAccount({ templates, graphApi, secretBox }: ReadAccountDeps): ReadAccount {
  return async (account) => {
    const accessToken = tokenOf(account, secretBox);
    const since = await templates.now();
    return templates.replace(account, await graphApi.templatesOf({ wabaId: account.wabaId, accessToken }), since);
  };
}

export function tokenOf(
  { customerConfigId, connectionId, accessTokenEnc }: SendingAccount & { readonly accessTokenEnc: string },
  secretBox: Pick<SecretBox, "open">,
): string {
  return secretBox.open(accessTokenEnc, { customerConfigId, rowId: connectionId, field: "access_token" });
}

/** @returns whether it can be asked about. */
export function hasToken(account: SendingAccount): account is SendingAccount & { readonly accessTokenEnc: string } {
  return account.accessTokenEnc !== null;
}
