/** What passes our check, posted to the simulator, which reads Meta's documentation for itself. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutboundMessage } from "../../../plugin/contract.ts";
import { checkMessage } from "../../../plugin/messages/check-message.ts";
import { encodeMessage } from "../../../plugin/messages/encode-message.ts";
import { LIMITS } from "../../../plugin/messages/limits.ts";
import { validateSend } from "../../../simulator/validate-message.ts";
import { mutated, RECORDED } from "./recorded.ts";

/** Lengths at which something begins or ends to be too much. */
const LENGTHS = [...new Set(Object.values(LIMITS).flatMap(({ max }) => (max <= 4096 ? [max, max + 1] : [])))];
const text = fc
  .tuple(fc.constantFrom(0, 1, ...LENGTHS), fc.constantFrom("a", " ", "\n", "👍", "*b*"))
  .map(([length, unit]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length));
const list = fc
  .tuple(
    fc.integer({ min: 0, max: 40 }),
    fc.constantFrom({ id: "a", title: "b" }, "x", { title: "s", rows: [{ id: "1", title: "r" }] }),
  )
  .map(([length, item]) => Array.from({ length }, () => item));
const value = fc.oneof(text, list, fc.jsonValue(), fc.constantFrom("https://media.example/a.jpg", -1, 0, 1.5, 91, 181));

const kindOf = (message: unknown) => (message as { readonly kind?: unknown } | null)?.kind;
// A raw message is the host's to get right.
const ours = RECORDED.filter((message) => kindOf(message) !== "raw" && checkMessage(message).length === 0);

function refusalOf(message: unknown): unknown {
  // As it would be posted: JSON leaves out what is undefined.
  const body = JSON.parse(JSON.stringify(encodeMessage(message as OutboundMessage)));
  return validateSend({ messaging_product: "whatsapp", to: "447700900123", ...body })?.body ?? null;
}

describe("a message that passes", () => {
  it("is within every limit of Meta's, whatever was changed in it", () => {
    let passed = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...ours).chain((message) => mutated(message, value)),
        (message) => {
          fc.pre(kindOf(message) !== "raw");
          if (checkMessage(message).length > 0) return;
          passed += 1;
          expect(refusalOf(message)).toBeNull();
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 3_000) },
    );
    // Were nothing to pass, nothing would have been shown.
    expect(passed).toBeGreaterThan(50);
  });

  it("is measured as JSON when it is raw, to the byte", () => {
    const { max } = LIMITS.rawJson;
    const rawOf = (size: number) => {
      const around = JSON.stringify({ order_status: { note: "" } }).length;
      return {
        kind: "raw",
        type: "order_status",
        content: "",
        payload: { order_status: { note: "x".repeat(size - around) } },
      };
    };

    expect(checkMessage(rawOf(max))).toEqual([]);
    expect(checkMessage(rawOf(max + 1))).toMatchObject([{ path: "payload", limit: max }]);
    const wide = rawOf(max);
    wide.payload.order_status.note = `é${wide.payload.order_status.note.slice(1)}`;
    expect(checkMessage(wide)).toMatchObject([{ path: "payload", limit: max }]);
  });
});
