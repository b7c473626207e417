/** A proven token → every number that it was granted, with its account: nothing here comes from a browser. */
import { ChannelError, connectError } from "../errors.ts";
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
  const refused: ChannelError[] = [];
  const found = await Promise.all(
    wabaIds.map(async (wabaId): Promise<readonly OfferedNumber[]> => {
      try {
        const [wabaName, numbers] = await Promise.all([
          nameOf(metaAccounts, wabaId, accessToken),
          metaAccounts.numbersOf({ wabaId, accessToken }),
        ]);
        return numbers.map((number) => ({ ...number, wabaId, wabaName }));
      } catch (error) {
        // One that is gone, or may not be seen, keeps nobody from connecting the numbers of the others.
        if (!isRefused(error)) throw error;
        refused.push(error);
        return [];
      }
    }),
  );
  const numbers = found.flat();
  if (numbers.length === 0) throw refused[0] ?? connectError("NO_PHONE_NUMBERS");
  return numbers;
}

/** For good: what may go another time is asked again. */
function isRefused(error: unknown): error is ChannelError {
  return (
    error instanceof ChannelError &&
    error.code === "GRAPH_REJECTED" &&
    error.retry !== "backoff" &&
    error.retry !== "after"
  );
}

/** It only helps to choose: whether the account may be used, its list of numbers tells. */
async function nameOf(metaAccounts: MetaAccounts, wabaId: string, accessToken: string): Promise<string | null> {
  try {
    return (await metaAccounts.account({ wabaId, accessToken })).name;
  } catch (error) {
    if (error instanceof ChannelError && error.code === "GRAPH_REJECTED") return null;
    throw error;
  }
}
