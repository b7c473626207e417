/** The templates of an account as last synced, read from Meta again when they are old or lack what is asked for. */
import { ChannelError } from "../errors.ts";
import type { KnownTemplate, SendingAccount, Templates } from "../ports.ts";
import { isStorable } from "../storable.ts";
import { hasToken, type ReadAccount } from "./read-account.ts";

export type AccountTemplatesDeps = {
  readonly templates: Pick<Templates, "named">;
  readonly readAccount: ReadAccount;
};

/** Webhooks tell of most changes; what they miss is seen after this long. */
const FRESH_MS = 3_600_000;
/** Somebody may have just had it approved: but a host that asks for a wrong name must not have all read for each send. */
const MISSING_FRESH_MS = 60_000;

/** @returns null when Meta will not list them and nothing was known of them. */
export type TemplatesNamed = (
  account: SendingAccount,
  name: string,
  language: string,
) => Promise<readonly KnownTemplate[] | null>;

export function createAccountTemplates({ templates, readAccount }: AccountTemplatesDeps): TemplatesNamed {
  /** Sends of one moment share one reading. */
  const underWay = new Map<string, Promise<void>>();
  /** When the last one of an account ended: who began to ask before that shares it too. */
  const endedAt = new Map<string, number>();

  return async function templatesNamed(account, name, language) {
    // Meta has none of that name either, and the database cannot be asked for it.
    if (!isStorable(name)) return [];
    const askedAt = performance.now();
    const known = await templates.named(account, name, FRESH_MS);
    if (known?.some((template) => template.language === language)) return known;
    if (known !== null && (await templates.named(account, name, MISSING_FRESH_MS)) !== null) return known;
    if ((endedAt.get(account.wabaId) ?? -1) < askedAt) await sync(account);
    return templates.named(account, name, null);
  };

  function sync(account: SendingAccount): Promise<void> {
    const { wabaId } = account;
    const ended = () => {
      underWay.delete(wabaId);
      endedAt.set(wabaId, performance.now());
    };
    const reading = underWay.get(wabaId) ?? readAll(account).finally(ended);
    underWay.set(wabaId, reading);
    return reading;
  }

  /** A token for messages alone may not list templates, and Meta may be away: then what was known counts. */
  async function readAll(account: SendingAccount): Promise<void> {
    if (!hasToken(account)) return;
    try {
      await readAccount(account);
    } catch (error) {
      if (error instanceof ChannelError && (error.code === "GRAPH_REJECTED" || error.code === "GRAPH_UNREACHABLE"))
        return;
      throw error;
    }
  }
}
