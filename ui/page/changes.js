/** Hears of what is new while somebody looks: asks every few seconds, and never while the page is hidden. */

/**
 * @typedef {import("./api.js").Changes} Changes
 * @typedef {"waiting" | "live" | "late" | "off"} Liveness `late`: the last look failed; `off`: this server cannot tell
 */

const POLL_MS = 4_000;
const SLOWEST_MS = 60_000;

/**
 * @param {object} deps
 * @param {import("./api.js").PageApi} deps.api
 * @param {(changes: Changes) => void} deps.onChanges
 * @param {(liveness: Liveness) => void} deps.onLiveness
 * @param {AbortSignal} deps.signal
 * @param {number} [deps.pollMs]
 */
export function followChanges({ api, onChanges, onLiveness, signal, pollMs = POLL_MS }) {
  /** @type {string | null} */
  let cursor = null;
  let wait = pollMs;
  let timer = 0;
  let isAsking = false;

  async function look() {
    clearTimeout(timer);
    if (signal.aborted || isAsking || document.visibilityState !== "visible") return;
    isAsking = true;
    try {
      const changes = await api.changes(cursor, signal);
      const isFirst = cursor === null;
      cursor = changes.cursor;
      wait = pollMs;
      onLiveness("live");
      const { messages, webhooks, deadLetters, templates, numbers } = changes;
      if (!isFirst && (messages || webhooks || deadLetters || templates || numbers)) onChanges(changes);
    } catch (error) {
      if (signal.aborted) return;
      if (/** @type {{ code?: string }} */ (error).code === "not_found") return onLiveness("off");
      wait = Math.min(wait * 2, SLOWEST_MS);
      onLiveness("late");
    } finally {
      isAsking = false;
    }
    timer = window.setTimeout(look, wait);
  }

  // Whoever comes back wants to see now what has happened.
  document.addEventListener("visibilitychange", () => void look(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  void look();
}
