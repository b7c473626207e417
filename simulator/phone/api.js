/** Talks to the simulator: what there is to see, what is done, and when to look again. */

/**
 * @typedef {{ readonly key: string, readonly name: string, readonly phoneNumber: string | null, readonly userId: string | null, readonly username: string | null }} ShownPerson
 * @typedef {{ readonly id: string, readonly wabaId: string, readonly name: string, readonly displayPhoneNumber: string, readonly quality: string, readonly isOnBusinessApp: boolean, readonly isRegistered: boolean }} ShownNumber
 * @typedef {{ readonly wamid: string, readonly direction: string, readonly type: string, readonly text: string, readonly isVoice: boolean, readonly at: string, readonly status: string }} ShownLast
 * @typedef {{ readonly person: string, readonly number: string, readonly typingMs: number, readonly windowEndsAt: string | null, readonly hasStoppedMarketing: boolean, readonly count: number, readonly last?: ShownLast }} ShownChat
 * @typedef {object} Entry
 * @property {string} wamid
 * @property {"inbound" | "outbound"} direction as the business sees it
 * @property {string} type
 * @property {string} text
 * @property {string} at
 * @property {string} status
 * @property {string | null} replyTo
 * @property {{ readonly code: number, readonly title: string }} [error]
 * @property {import("./wire.js").Wire} message
 * @property {Readonly<Record<string, { readonly mime: string, readonly size: number }>>} files
 * @property {string} [author]
 * @property {import("./template.js").Listed} [listed]
 *
 * @typedef {{ readonly id: string, readonly title: string, readonly about: string, readonly kind: string, readonly isOn: boolean }} Preset
 *
 * @typedef {object} State
 * @property {string} appName
 * @property {{ readonly now: string, readonly aheadMs: number }} clock
 * @property {readonly ShownNumber[]} numbers
 * @property {readonly ShownPerson[]} people
 * @property {readonly ShownChat[]} chats
 * @property {(ShownChat & { readonly isCut: boolean, readonly entries: readonly Entry[] }) | null} chat
 * @property {readonly { readonly name: string, readonly language: string, readonly status: string, readonly category: string }[]} templates
 * @property {readonly { readonly request: string, readonly code: number, readonly subcode: number | null, readonly message: string, readonly at: string, readonly times: number }[]} refusals the latest first, equal ones as one
 * @property {{ readonly presets: readonly Preset[], readonly armed: readonly { readonly id: number, readonly title: string, readonly left: number }[] }} faults
 */

/**
 * @param {{ readonly person: string | null, readonly number: string | null }} chosen
 * @returns {Promise<State>}
 */
export async function readState({ person, number }) {
  const query = new URLSearchParams();
  if (person !== null) query.set("person", person);
  if (number !== null) query.set("number", number);
  const response = await fetch(`/_phone/state?${query}`);
  if (!response.ok) throw new Error(`The simulator answered ${response.status}.`);
  return response.json();
}

/**
 * @param {string} action
 * @param {object} body
 * @returns {Promise<Readonly<Record<string, string>>>}
 */
export function act(action, body) {
  return send(`/_phone/${action}`, "application/json", JSON.stringify(body));
}

/**
 * @param {Readonly<Record<string, string>>} about
 * @param {Blob} file
 */
export function sendFile(about, file) {
  return send(`/_phone/files?${new URLSearchParams(about)}`, file.type || "application/octet-stream", file);
}

/**
 * @param {string} url
 * @param {string} type
 * @param {string | Blob} body
 */
async function send(url, type, body) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": type }, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `The simulator answered ${response.status}.`);
  return answer;
}

/**
 * Calls back whenever there may be something new, and when the simulator goes away or comes back.
 * @param {{ readonly onChange: () => void, readonly onAway: () => void }} listeners
 */
export function listen({ onChange, onAway }) {
  const events = new EventSource("/_phone/events");
  events.addEventListener("message", onChange);
  events.addEventListener("error", onAway);
}
