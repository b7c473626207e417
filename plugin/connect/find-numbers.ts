/** A proven token → every number that it was granted, with its account: nothing here comes from a browser. */
import { connectError } from "../errors.ts";
import type { MetaAccounts, OfferedNumber } from "../ports.ts";

/** Nobody chooses from more; and each is a call. */
const MOST_ACCOUNTS = 50;

/**
 * @param granted account ids; null: all that the token sees.
 * @throws ChannelError NO_BUSINESS_ACCOUNTS, NO_PHONE_NUMBERS, GRAPH_REJECTED, GRAPH_UNREACHABLE.
 */
export async function findNumbers(
  metaAccounts: MetaAccounts,
  accessToken: string,
  granted: readonly string[] | null,
): Promise<readonly OfferedNumber[]> {
  const wabaIds = [...new Set(granted ?? (await metaAccounts.accountsOf(accessToken)))].slice(0, MOST_ACCOUNTS);
  if (wabaIds.length === 0) throw connectError("NO_BUSINESS_ACCOUNTS");
  const found = await Promise.all(
    wabaIds.map(async (wabaId) => {
      const [account, numbers] = await Promise.all([
        metaAccounts.account({ wabaId, accessToken }),
        metaAccounts.numbersOf({ wabaId, accessToken }),
      ]);
      return numbers.map((number): OfferedNumber => ({ ...number, wabaId, wabaName: account.name }));
    }),
  );
  const numbers = found.flat();
  if (numbers.length === 0) throw connectError("NO_PHONE_NUMBERS");
  return numbers;
}
