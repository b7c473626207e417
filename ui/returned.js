/** What the address says when the browser comes back from Meta; read once, then taken out of it. */

const NAMES = ["whatsapp_connected", "whatsapp_error", "whatsapp_choice"];

/** @returns {{ isConnected: boolean, error: string | null, hasChoice: boolean }} */
export function takeReturn() {
  const address = new URL(location.href);
  const [connected, error, choice] = NAMES.map((name) => address.searchParams.get(name));
  if (NAMES.some((name) => address.searchParams.has(name))) {
    for (const name of NAMES) address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
  }
  return {
    isConnected: connected === "true",
    // Whatever else stands there is nobody's code, and is not passed on.
    error: error === null || error === undefined ? null : /^[a-z_]{1,40}$/.test(error) ? error : "unknown",
    hasChoice: choice !== null,
  };
}
