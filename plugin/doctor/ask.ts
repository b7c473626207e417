/** Asks many things at once, a few at a time, until one deadline for all; nothing that goes wrong goes further than its answer. */
import { ChannelError, isAppRefused } from "../errors.ts";
import type { Asked } from "./facts.ts";

export type Ask = <T>(question: () => Promise<T>) => Promise<Asked<T>>;

export type Asking = {
  /** One line per outside system, each with its own limit. */
  line(atOnce: number): Ask;
  /** Call it when all answers are in. */
  end(): void;
};

export function startAsking(timeoutMs: number): Asking {
  let isLate = false;
  let ring: (answer: { readonly skipped: "late" }) => void = () => undefined;
  const late = new Promise<{ readonly skipped: "late" }>((resolve) => {
    ring = resolve;
  });
  const timer = setTimeout(() => {
    isLate = true;
    ring({ skipped: "late" });
  }, timeoutMs);

  return {
    line(atOnce) {
      let free = atOnce;
      const waiting: (() => void)[] = [];
      const carryOut = async <T>(question: () => Promise<T>): Promise<Asked<T>> => {
        if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
        else free -= 1;
        try {
          return isLate ? { skipped: "late" } : { known: await question() };
        } catch (error) {
          return explain(error);
        } finally {
          const next = waiting.shift();
          if (next === undefined) free += 1;
          else next();
        }
      };
      return (question) => Promise.race([carryOut(question), late]);
    },
    end: () => clearTimeout(timer),
  };
}

/** A foreign error's message may quote a row or a secret; its name and code do not. */
function explain(error: unknown): Extract<Asked<never>, { readonly failed: string }> {
  if (error instanceof ChannelError)
    return {
      failed: error.message,
      ...(error.meta === undefined ? {} : { code: error.meta.code, subcode: error.meta.subcode }),
      ...(error.retry === "reauth" ? { reauth: true } : {}),
      ...(isAppRefused(error.meta) ? { app: true } : {}),
    };
  const { name = "Error", code } = (error ?? {}) as { readonly name?: string; readonly code?: unknown };
  return { failed: `It failed (${typeof code === "string" ? `${name} ${code}` : name}).` };
}
