/** Times and sizes as people read them, in the browser's own language and zone. */
import { html } from "./lit.js";

/** The browser's, in which every time is shown. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " ");
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
/** @type {Intl.DateTimeFormatOptions} */
const TO_THE_SECOND = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const EXACT_CLOCK = new Intl.DateTimeFormat(undefined, TO_THE_SECOND);
const EXACT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...TO_THE_SECOND });
const EXACT_YEAR = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
  ...TO_THE_SECOND,
});
const NUMBER = new Intl.NumberFormat();

/**
 * @param {string | null | undefined} iso
 * @param {{ exact?: boolean }} [options] exact: to the second
 */
export function time(iso, { exact = false } = {}) {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return html`<span class="muted">–</span>`;
  return html`<time datetime=${date.toISOString()} title=${FULL.format(date)}>${shortTime(date, new Date(), exact)}</time>`;
}

/**
 * @param {Date} date
 * @param {Date} now
 * @param {boolean} exact
 */
export function shortTime(date, now, exact = false) {
  if (date.toDateString() === now.toDateString()) return (exact ? EXACT_CLOCK : CLOCK).format(date);
  if (date.getFullYear() === now.getFullYear()) return (exact ? EXACT_DAY : DAY).format(date);
  return (exact ? EXACT_YEAR : YEAR).format(date);
}

/** How much later: `+0.4 s`, `+3 min`. @param {string} from @param {string} to */
export function later(from, to) {
  const ms = new Date(to).getTime() - new Date(from).getTime();
  if (!Number.isFinite(ms) || ms < 0) return "";
  if (ms < 10_000) return `+${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `+${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `+${Math.round(ms / 60_000)} min`;
  return `+${Math.round(ms / 3_600_000)} h`;
}

/** @param {number} count of bytes */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} kB` : `${(count / 1024 / 1024).toFixed(1)} MB`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export function count(count, one, many = `${one}s`) {
  return `${NUMBER.format(count)} ${count === 1 ? one : many}`;
}
