/** Where on the page somebody is: in the address's fragment, which works under any mount path and survives a reload. */

/**
 * @typedef {"connect" | "operate"} Permission
 * @typedef {{ readonly id: string, readonly title: string, readonly needs: Permission | null }} ViewRow
 * @typedef {object} Place
 * @property {string} view
 * @property {string | null} id of what is looked at, such as one webhook
 * @property {string | null} action such as `edit`
 * @property {Readonly<Record<string, string>>} query what the list is narrowed to
 */

/** In the order of the navigation. @type {readonly ViewRow[]} */
export const VIEWS = [
  { id: "overview", title: "Overview", needs: null },
  { id: "health", title: "Health", needs: null },
  { id: "numbers", title: "Numbers", needs: null },
  { id: "messages", title: "Messages", needs: null },
  { id: "templates", title: "Templates", needs: null },
  { id: "webhooks", title: "Webhooks", needs: "operate" },
  { id: "dead-letters", title: "Dead letters", needs: "operate" },
];

/**
 * @param {string} hash as in `location.hash`
 * @returns {Place} the overview for what is no place of ours
 */
export function readPlace(hash) {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view = "", id, action] = path.split("/").map(decoded);
  const isKnown = VIEWS.some((one) => one.id === view);
  if (!isKnown) return { view: "overview", id: null, action: null, query: {} };
  return { view, id: id || null, action: action || null, query: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * @param {string} view
 * @param {{ id?: string, action?: string, query?: Readonly<Record<string, string | null | undefined>> }} [to]
 */
export function hrefOf(view, { id, action, query = {} } = {}) {
  const path = [view, id, action].flatMap((part) => (part ? [encodeURIComponent(part)] : [])).join("/");
  const wanted = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return `#/${path}${wanted.length > 0 ? `?${new URLSearchParams(wanted)}` : ""}`;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
