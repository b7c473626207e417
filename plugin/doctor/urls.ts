/** Addresses, compared and shown: some carry a secret in their query, some in their path. */

export function isSameUrl(one: string, other: string): boolean {
  const normal = (text: string) => (URL.canParse(text) ? new URL(text).href.replace(/\/$/, "") : text);
  return normal(one) === normal(other);
}

/** Without its query and credentials. */
export function place(url: string): string {
  return URL.canParse(url) ? `${new URL(url).origin}${new URL(url).pathname}` : "something that is no address";
}

/** The host alone. */
export function whose(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "something that is no address";
}
