/** Where media may be fetched from, and who may see our token: Meta's hosts, label for label, and nobody whose name looks like theirs. */

/** Hosts that answer for the token's owner. @see https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#download-media */
const WITH_TOKEN = ["fbsbx.com", "whatsapp.net", "graph.facebook.com"];
/** To these a download may be sent on; their addresses are signed and need no token. */
const WITHOUT_TOKEN = ["fbcdn.net"];

export type MediaHosts = {
  /** Whether bytes may be fetched from there. */
  isAllowed(url: URL): boolean;
  /** Whether our token may go there. */
  getsToken(url: URL): boolean;
};

/** @param graphUrl one on loopback, a simulator's, keeps media as well. */
export function createMediaHosts(graphUrl: string): MediaHosts {
  const graph = new URL(graphUrl);
  const isSimulator = (url: URL) => LOOPBACK.has(graph.hostname) && url.origin === graph.origin && isBare(url);
  const isOneOf = (url: URL, names: readonly string[]) =>
    url.protocol === "https:" && url.port === "" && isBare(url) && names.some((name) => isUnder(url.hostname, name));
  return {
    isAllowed: (url) => isSimulator(url) || isOneOf(url, [...WITH_TOKEN, ...WITHOUT_TOKEN]),
    getsToken: (url) => isSimulator(url) || isOneOf(url, WITH_TOKEN),
  };
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The whole name or a label before it: `evil-fbsbx.com`, `fbsbx.com.evil`, `fbsbx.com.` and addresses are none of these. */
function isUnder(hostname: string, name: string): boolean {
  return hostname === name || hostname.endsWith(`.${name}`);
}

function isBare({ username, password }: URL): boolean {
  return username === "" && password === "";
}
