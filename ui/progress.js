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

/**
 * @param {Pick<import("./api.js").Onboarding, "steps" | "numbers" | "chosen">} onboarding
 * @param {Readonly<Record<string, string>>} names
 * @returns {{ step: number, steps: number, name: string, list: readonly { name: string, state: StepState }[] }}
 */
export function progressOf({ steps, numbers, chosen }, names) {
  const own = (/** @type {string} */ kind) => steps.filter(({ step }) => step === kind);
  const isShared = numbers.some((one) => one.on_business_app && chosen.includes(one.phone_number_id));
  const kinds = ORDER.filter((kind) => {
    if (kind === "sync") return isShared;
    return own(kind).length === 0 || own(kind).some(({ state }) => state !== "skipped");
  });
  const isDone = (/** @type {string} */ kind) =>
    own(kind).length > 0 && own(kind).every(({ state }) => state === "done" || state === "skipped");
  const at = kinds.findIndex((kind) => !isDone(kind));
  const current = at === -1 ? kinds.length - 1 : at;
  const isFailed = (/** @type {string} */ kind) => own(kind).some(({ state }) => state === "failed");
  const hasStopped = kinds.some(isFailed);
  const list = kinds.map((kind, index) => {
    /** @type {StepState} */
    const state = isFailed(kind)
      ? "failed"
      : isDone(kind)
        ? "done"
        : index === current && !hasStopped
          ? "now"
          : "later";
    return { name: names[kind] ?? kind, state };
  });
  return { step: current + 1, steps: kinds.length, name: list[current]?.name ?? "", list };
}
