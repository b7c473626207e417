/** Where a browser goes when it comes back from Meta: one of the host's pages, chosen from a list and never from a URL. */
import { ChannelError } from "../errors.ts";

/**
 * @param wanted what the request says, e.g. `/settings/channels`; undefined for the first of the list.
 * @param allowed paths of the host's.
 * @throws ChannelError RETURN_TO_NOT_ALLOWED. The value is not repeated: it may be anything.
 */
export function returnPath(wanted: string | undefined, allowed: readonly string[]): string {
  if (wanted === undefined) return allowed[0] as string;
  const found = allowed.find((path) => path === wanted);
  if (found === undefined)
    throw new ChannelError(
      "RETURN_TO_NOT_ALLOWED",
      `returnTo must be one of the paths in WHATSAPP_RETURN_PATHS: ${allowed.join(", ")}.`,
    );
  return found;
}

/** `/dashboard/integrations` and what to tell it. */
export function withResult(path: string, result: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(result)}`;
}
