/** What Meta's two callbacks do: a person takes back what they gave, or wants to be forgotten. */
import type { Leaving } from "../ports.ts";
import type { SignedRequest } from "./read-signed-request.ts";

export type DataDeletionDeps = {
  readonly leaving: Leaving;
  /** Erases the person with this user id, in whichever conversation; nobody is no mistake. */
  readonly erase: (subject: { readonly userId: string }) => Promise<unknown>;
  readonly appUrl: string | null;
  readonly basePath: string;
  /** A code that nobody can guess. */
  readonly newCode: () => string;
};

export type DataDeletion = {
  deauthorize(request: SignedRequest): Promise<void>;
  /** @returns once it is done: where the person can see that it is. */
  deleteData(request: SignedRequest): Promise<{ readonly url: string; readonly code: string }>;
  /** When it was done; null while it is not, undefined when nobody has this code. */
  erasure: Leaving["erasure"];
};

const DEAUTHORIZED = "The person who connected it has withdrawn this app's access: connect the number again.";
const FORGOTTEN = "The person who connected it asked Meta to delete their data: connect the number again.";

export function createDataDeletion({ leaving, erase, appUrl, basePath, newCode }: DataDeletionDeps): DataDeletion {
  return {
    async deauthorize({ metaUserId, issuedAt }) {
      await leaving.deauthorize({ metaUserId, at: issuedAt, reason: DEAUTHORIZED });
    },
    async deleteData({ metaUserId, issuedAt }) {
      const code = newCode();
      await leaving.forgetMetaUser({ metaUserId, at: issuedAt, reason: FORGOTTEN, code });
      await erase({ userId: metaUserId });
      await leaving.finishErasure(code);
      return { url: `${appUrl ?? ""}${basePath}/oauth/data-deletion/${code}`, code };
    },
    erasure: leaving.erasure,
  };
}
