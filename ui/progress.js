/** How far an onboarding is: its steps in their order, each once, however many numbers it takes them for. */

/** @typedef {import("./api.js").Step} Step */
/** @typedef {"done" | "now" | "failed" | "later"} StepState */

const ORDER = [
  "exchange",
  "inspect",
  "accounts",
  "choice",
  "subscribe",
  "register",
  "connect",
  "templates",
  "profile",
  "sync",
];
/** Only for some: counted once they are there. */
const RARE = ["choice", "sync"];

/**
 * @param {readonly Step[]} steps
 * @param {Readonly<Record<string, string>>} names
 * @returns {{ step: number, steps: number, name: string, list: readonly { name: string, state: StepState }[] }}
 */
export function progressOf(steps, names) {
  const own = (/** @type {string} */ kind) => steps.filter(({ step }) => step === kind);
  const kinds = ORDER.filter((kind) =>
    own(kind).length === 0 ? !RARE.includes(kind) : own(kind).some(({ state }) => state !== "skipped"),
  );
  const isDone = (/** @type {string} */ kind) =>
    own(kind).length > 0 && own(kind).every(({ state }) => state === "done" || state === "skipped");
  const at = kinds.findIndex((kind) => !isDone(kind));
  const current = at === -1 ? kinds.length - 1 : at;
  const list = kinds.map((kind, index) => {
    const isFailed = own(kind).some(({ state }) => state === "failed");
    /** @type {StepState} */
    const state = isFailed ? "failed" : isDone(kind) ? "done" : index === current ? "now" : "later";
    return { name: names[kind] ?? kind, state };
  });
  return { step: current + 1, steps: kinds.length, name: list[current]?.name ?? "", list };
}
