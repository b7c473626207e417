/** An onboarding while somebody works on it: steps that are done once, and written down with what became of them. */
import { ChannelError, connectError } from "../errors.ts";
import type {
  Onboarding,
  OnboardingProgress,
  OnboardingState,
  OnboardingStep,
  Onboardings,
  StepName,
} from "../ports.ts";

export type Draft = {
  readonly row: Onboarding;
  /** As of the last write. */
  claim: string;
  accessToken: string;
  accessTokenEnc: string | null;
  progress: OnboardingProgress;
};

export type StepWork = () => Promise<"done" | "skipped">;

export type DraftKeeper = {
  /** Runs what is not done yet, and writes down what became of it. */
  step(draft: Draft, name: StepName, phoneNumberId: string | null, work: StepWork): Promise<void>;
  /** For what a connection can do without: written down, and tried again with the next look. */
  tryStep(draft: Draft, name: StepName, phoneNumberId: string | null, work: StepWork): Promise<void>;
  /** @param isOver nobody works on it any more. @throws ChannelError ONBOARDING_MISSING when a later one, or somebody else, has taken its place. */
  write(draft: Draft, state: OnboardingState, error: Onboarding["error"], isOver: boolean): Promise<Onboarding>;
};

/** Longer than the slowest step; after a crash somebody may go on after this. */
export const BUSY_MS = 60_000;

export function createDraftKeeper(onboardings: Onboardings): DraftKeeper {
  return { step, tryStep, write };

  async function step(draft: Draft, name: StepName, phoneNumberId: string | null, work: StepWork): Promise<void> {
    if (isDone(draft.progress.steps, name, phoneNumberId)) return;
    try {
      mark(draft, { step: name, phoneNumberId, state: await work(), error: null });
    } catch (error) {
      mark(draft, { step: name, phoneNumberId, state: "failed", error: wordsOf(error) });
      throw error;
    }
    await write(draft, "running", null, false);
  }

  async function tryStep(...args: Parameters<typeof step>): Promise<void> {
    try {
      await step(...args);
    } catch (error) {
      if (!(error instanceof ChannelError && (error.code === "GRAPH_REJECTED" || error.code === "GRAPH_UNREACHABLE")))
        throw error;
    }
  }

  async function write(
    draft: Draft,
    state: OnboardingState,
    error: Onboarding["error"],
    isOver: boolean,
  ): Promise<Onboarding> {
    const { row, progress, accessTokenEnc, claim } = draft;
    const next = { ...row, state, error, progress, accessTokenEnc, claim };
    const saved = await onboardings.save(next, isOver ? 0 : BUSY_MS);
    if (saved === null) throw missing();
    draft.claim = saved;
    return { ...next, claim: saved };
  }
}

function isDone(steps: readonly OnboardingStep[], name: StepName, phoneNumberId: string | null): boolean {
  return steps.some((one) => one.step === name && one.phoneNumberId === phoneNumberId && one.state !== "failed");
}

function mark(draft: Draft, done: OnboardingStep): void {
  const others = draft.progress.steps.filter(
    (one) => one.step !== done.step || one.phoneNumberId !== done.phoneNumberId,
  );
  draft.progress = { ...draft.progress, steps: [...others, done] };
}

export function keepPin(draft: Draft, phoneNumberId: string, sealed: string): void {
  draft.progress = { ...draft.progress, pins: { ...draft.progress.pins, [phoneNumberId]: sealed } };
}

export function dropPin(draft: Draft, phoneNumberId: string): void {
  const { [phoneNumberId]: _, ...pins } = draft.progress.pins;
  draft.progress = { ...draft.progress, pins };
}

function wordsOf(error: unknown): { readonly code: string; readonly message: string } {
  return error instanceof ChannelError
    ? { code: error.code, message: error.message }
    : { code: "INTERNAL", message: "Something went wrong on our side." };
}

export function hasFailedWith({ progress }: Draft, name: StepName, phoneNumberId: string, code: string): boolean {
  return progress.steps.some(
    (one) => one.step === name && one.phoneNumberId === phoneNumberId && one.error?.code === code,
  );
}

export function missing(): ChannelError {
  return connectError("ONBOARDING_MISSING");
}
