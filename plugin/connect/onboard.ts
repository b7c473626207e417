/**
 * From a token to connected numbers, step by step. Each step may be repeated and is written down when it is done, so
 * that whatever ends in between (Meta, this process, a closed laptop) leaves something to go on with. A connection that
 * works is not touched before everything that may fail has succeeded.
 */
import type { Connection } from "../contract.ts";
import { ChannelError, type ErrorCode } from "../errors.ts";
import type {
  Connections,
  GrantedToken,
  GraphApi,
  HeldNumber,
  MetaAccounts,
  MetaOauth,
  OfferedNumber,
  Onboarding,
  OnboardingProgress,
  OnboardingState,
  OnboardingStep,
  Onboardings,
  SecretBox,
  StepName,
  Templates,
} from "../ports.ts";
import { chooseNumbers } from "./choose-numbers.ts";
import { findNumbers } from "./find-numbers.ts";
import { judgeToken } from "./judge-token.ts";

export type OnboardDeps = {
  readonly appId: string | null;
  readonly onboardings: Onboardings;
  readonly connections: Connections;
  readonly templates: Templates;
  readonly metaOauth: MetaOauth;
  readonly metaAccounts: MetaAccounts;
  readonly graphApi: Pick<GraphApi, "templatesOf">;
  readonly secretBox: SecretBox;
  /** Six digits that nobody can guess. */
  readonly newPin: () => string;
  readonly now: () => Date;
  /** Called after the commit: sends and events may have waited for this number. */
  readonly onConnected: () => void;
};

/** What somebody answers to an onboarding that has asked. */
export type OnboardingAnswer = {
  readonly phoneNumberIds?: readonly string[] | undefined;
  /** By phone number id: what was set as its two-step verification. */
  readonly pins?: Readonly<Record<string, string>> | undefined;
  readonly takeover?: boolean | undefined;
};

export type Onboard = {
  /**
   * Stores a token that was just granted and goes as far as possible.
   * @throws ChannelError of the step that failed; the onboarding is stored and can be gone on with.
   */
  begin(begun: {
    readonly customerConfigId: string;
    readonly userId: string | null;
    readonly flow: Onboarding["flow"];
    readonly granted: GrantedToken;
    readonly hints: OnboardingProgress["hints"];
  }): Promise<Onboarding>;
  /**
   * Goes on where it stopped, with the answer to what it asked.
   * @throws ChannelError as {@link Onboard.begin}; ONBOARDING_MISSING.
   */
  goOn(customerConfigId: string, answer: OnboardingAnswer): Promise<Onboarding>;
  /** The tenant's last one, with who holds its numbers; null when there is none. */
  current(
    customerConfigId: string,
  ): Promise<{ readonly onboarding: Onboarding; readonly held: readonly HeldNumber[] } | null>;
};

/** Longer than the slowest step; after a crash somebody may go on after this. */
const BUSY_MS = 60_000;
const DAY_MS = 86_400_000;
/** Two-step verification has another PIN. @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const PIN_MISMATCH = 133_005;
const NOT_VERIFIED = 133_006;

type Draft = {
  readonly row: Onboarding;
  accessToken: string;
  accessTokenEnc: string | null;
  progress: OnboardingProgress;
};

export function createOnboard(deps: OnboardDeps): Onboard {
  const { onboardings, connections, templates, metaOauth, metaAccounts, graphApi, secretBox } = deps;

  return {
    async begin({ granted, hints, ...begun }) {
      const { customerConfigId } = begun;
      const progress: OnboardingProgress = {
        hints,
        token: null,
        numbers: null,
        chosen: [],
        pins: {},
        takeover: false,
        steps: [{ step: "exchange", phoneNumberId: null, state: "done", error: null }],
      };
      const seal = (rowId: string) =>
        secretBox.seal(granted.accessToken, { customerConfigId, rowId, field: "access_token" });
      return run(await onboardings.begin({ ...begun, progress, seal, busyMs: BUSY_MS }), {});
    },

    async goOn(customerConfigId, answer) {
      const current = await onboardings.current(customerConfigId);
      if (current === null || current.accessTokenEnc === null) {
        if (current?.state === "done") return current;
        throw missing();
      }
      const mine = await onboardings.claim(current.onboardingId, BUSY_MS);
      // Somebody is at it: the page that asks sees how far it is.
      return mine === null ? { ...current, state: "running" } : run(mine, answer);
    },

    async current(customerConfigId) {
      const onboarding = await onboardings.current(customerConfigId);
      if (onboarding === null) return null;
      const ids = (onboarding.progress.numbers ?? []).map(({ phoneNumberId }) => phoneNumberId);
      return { onboarding, held: ids.length === 0 ? [] : await connections.holders(ids) };
    },
  };

  async function run(row: Onboarding, answer: OnboardingAnswer): Promise<Onboarding> {
    const { customerConfigId, onboardingId: rowId, accessTokenEnc } = row;
    if (accessTokenEnc === null) throw missing();
    const accessToken = secretBox.open(accessTokenEnc, { customerConfigId, rowId, field: "access_token" });
    const draft: Draft = { row, accessToken, accessTokenEnc, progress: row.progress };
    try {
      takeAnswer(draft, answer);
      await inspect(draft);
      await accounts(draft);
      if (!(await choose(draft, answer.phoneNumberIds ?? []))) return await end(draft, "choice", null);
      for (const number of chosenOf(draft)) await connectNumber(draft, number);
      return await finish(draft);
    } catch (error) {
      const known = error instanceof ChannelError ? error : null;
      // A later one has taken its place: there is nothing left to write to.
      if (known?.code !== "ONBOARDING_MISSING")
        await end(draft, (known === null ? undefined : STATE_AFTER[known.code]) ?? "failed", {
          code: known?.code ?? "INTERNAL",
          message: known?.message ?? "Something went wrong on our side: try again.",
        });
      throw error;
    }
  }

  function takeAnswer(draft: Draft, { pins = {}, takeover }: OnboardingAnswer): void {
    const { customerConfigId, onboardingId: rowId } = draft.row;
    for (const [phoneNumberId, pin] of Object.entries(pins)) {
      if (!/^\d{6}$/.test(pin)) throw new ChannelError("REQUEST_INVALID", "A PIN is six digits.");
      keepPin(draft, phoneNumberId, secretBox.seal(pin, { customerConfigId, rowId, field: "pin" }));
    }
    if (takeover === true) draft.progress = { ...draft.progress, takeover: true };
  }

  async function inspect(draft: Draft): Promise<void> {
    await step(draft, "inspect", null, async () => {
      let token = await metaAccounts.inspectToken(draft.accessToken);
      judgeToken(token, deps.appId ?? "");
      // What the classic login grants lives an hour or two.
      const leftMs =
        token.expiresAt === null ? Number.POSITIVE_INFINITY : token.expiresAt.getTime() - deps.now().getTime();
      if (token.type === "USER" && leftMs < DAY_MS) {
        const { accessToken } = await metaOauth.extend(draft.accessToken, token.type);
        token = await metaAccounts.inspectToken(accessToken);
        judgeToken(token, deps.appId ?? "");
        const { customerConfigId, onboardingId: rowId } = draft.row;
        draft.accessToken = accessToken;
        draft.accessTokenEnc = secretBox.seal(accessToken, { customerConfigId, rowId, field: "access_token" });
      }
      draft.progress = { ...draft.progress, token };
      return "done";
    });
  }

  async function accounts(draft: Draft): Promise<void> {
    await step(draft, "accounts", null, async () => {
      const { token } = draft.progress;
      const granted = token === null ? [] : judgeToken(token, deps.appId ?? "");
      draft.progress = { ...draft.progress, numbers: await findNumbers(metaAccounts, draft.accessToken, granted) };
      return "done";
    });
  }

  /** @returns false when somebody must choose first. */
  async function choose(draft: Draft, asked: readonly string[]): Promise<boolean> {
    const { numbers, hints, chosen } = draft.progress;
    const { customerConfigId } = draft.row;
    const offered = numbers ?? [];
    const held = await connections.holders(offered.map(({ phoneNumberId }) => phoneNumberId));
    const picked =
      chosen.length > 0 && asked.length === 0 ? chosen : chooseNumbers(offered, hints, asked, held, customerConfigId);
    if (picked === null) return false;
    draft.progress = { ...draft.progress, chosen: picked };
    await step(draft, "choice", null, async () => "done");
    const lost = held.some((one) => picked.includes(one.phoneNumberId) && one.customerConfigId !== customerConfigId);
    if (lost && !draft.progress.takeover)
      throw new ChannelError(
        "CONNECTION_CONFLICT",
        "Another account on this platform uses this number: confirm that it is to be taken over, or choose another one.",
      );
    return true;
  }

  function chosenOf({ progress }: Draft): readonly OfferedNumber[] {
    return (progress.numbers ?? []).filter(({ phoneNumberId }) => progress.chosen.includes(phoneNumberId));
  }

  async function connectNumber(draft: Draft, number: OfferedNumber): Promise<void> {
    const { phoneNumberId, wabaId } = number;
    const { customerConfigId } = draft.row;
    const { accessToken } = draft;
    await step(draft, "subscribe", phoneNumberId, async () => {
      await metaAccounts.subscribe({ wabaId, accessToken });
      return "done";
    });
    await step(draft, "register", phoneNumberId, () => register(draft, number));
    await step(draft, "connect", phoneNumberId, async () => {
      await saveConnection(draft, number);
      return "done";
    });
    const connectionId = (await connections.holders([phoneNumberId])).find(
      (one) => one.customerConfigId === customerConfigId,
    )?.connectionId;
    if (connectionId === undefined) throw missing();
    // It works from here on; what follows is looked up again when it is needed.
    const account = { customerConfigId, connectionId, wabaId, accessTokenEnc: null };
    await tryStep(draft, "templates", phoneNumberId, async () => {
      await templates.replace(account, await graphApi.templatesOf({ wabaId, accessToken }));
      return "done";
    });
    await tryStep(draft, "profile", phoneNumberId, async () => {
      await connections.saveProfile(connectionId, await metaAccounts.profile({ phoneNumberId, accessToken }));
      return "done";
    });
    await tryStep(draft, "sync", phoneNumberId, async () => {
      if (!number.isOnBusinessApp) return "skipped";
      for (const what of ["contacts", "history"] as const) await sync(connectionId, what, number, accessToken);
      return "done";
    });
  }

  /** Never a number that is used in the WhatsApp Business app: that would throw it out of there. */
  async function register(draft: Draft, number: OfferedNumber): Promise<"done" | "skipped"> {
    if (number.isOnBusinessApp || number.isRegistered) return "skipped";
    const { phoneNumberId } = number;
    const { customerConfigId, onboardingId: rowId } = draft.row;
    const context = { customerConfigId, rowId, field: "pin" };
    const pinEnc = draft.progress.pins[phoneNumberId];
    // Ours was wrong: Meta allows a few guesses only.
    if (pinEnc === undefined && hasFailedWith(draft, "register", phoneNumberId, "PIN_REQUIRED")) throw pinRequired();
    const pin =
      pinEnc === undefined
        ? ((await pinBefore(draft, phoneNumberId)) ?? deps.newPin())
        : secretBox.open(pinEnc, context);
    // Stored before Meta has it: after a crash in between nobody could register the number again.
    if (pinEnc === undefined) keepPin(draft, phoneNumberId, secretBox.seal(pin, context));
    await write(draft, "running", null, false);
    try {
      await metaAccounts.register({ phoneNumberId, accessToken: draft.accessToken, pin });
    } catch (error) {
      const code = error instanceof ChannelError ? error.meta?.code : undefined;
      if (code === PIN_MISMATCH) {
        dropPin(draft, phoneNumberId);
        throw pinRequired();
      }
      if (code === NOT_VERIFIED)
        throw new ChannelError(
          "NUMBER_NOT_VERIFIED",
          "Meta has not verified this number yet: verify it by code in WhatsApp Manager, then try again.",
        );
      throw error;
    }
    return "done";
  }

  /** What the tenant's own connection was registered with. */
  async function pinBefore({ row }: Draft, phoneNumberId: string): Promise<string | null> {
    const { customerConfigId } = row;
    const held = (await connections.holders([phoneNumberId])).find((one) => one.customerConfigId === customerConfigId);
    if (held === undefined || held.pinEnc === null) return null;
    return secretBox.open(held.pinEnc, { customerConfigId, rowId: held.connectionId, field: "pin" });
  }

  async function saveConnection(draft: Draft, number: OfferedNumber): Promise<Connection> {
    const { customerConfigId, onboardingId } = draft.row;
    const { phoneNumberId, wabaId, displayPhoneNumber, verifiedName, qualityRating, isOnBusinessApp } = number;
    const pinEnc = draft.progress.pins[phoneNumberId];
    const pin =
      pinEnc === undefined ? null : secretBox.open(pinEnc, { customerConfigId, rowId: onboardingId, field: "pin" });
    const connection = await connections.save({
      customerConfigId,
      phoneNumberId,
      wabaId,
      displayPhoneNumber,
      verifiedName,
      qualityRating,
      isOnBusinessApp,
      takeover: draft.progress.takeover,
      ...(draft.progress.token === null ? {} : { token: draft.progress.token }),
      seal: (rowId) => secretBox.seal(draft.accessToken, { customerConfigId, rowId, field: "access_token" }),
      sealPin: pin === null ? undefined : (rowId) => secretBox.seal(pin, { customerConfigId, rowId, field: "pin" }),
    });
    deps.onConnected();
    return connection;
  }

  /** Meta grants each once: only the one who has claimed it asks. */
  async function sync(
    connectionId: string,
    what: "contacts" | "history",
    { phoneNumberId }: OfferedNumber,
    accessToken: string,
  ): Promise<void> {
    if (!(await connections.claimSync(connectionId, what))) return;
    try {
      await metaAccounts.requestSync({ phoneNumberId, accessToken, what });
    } catch (error) {
      await connections.unclaimSync(connectionId, what);
      throw error;
    }
  }

  /** Runs what is not done yet, and writes down what became of it. */
  async function step(
    draft: Draft,
    name: StepName,
    phoneNumberId: string | null,
    work: () => Promise<"done" | "skipped">,
  ): Promise<void> {
    if (isDone(draft.progress.steps, name, phoneNumberId)) return;
    try {
      mark(draft, { step: name, phoneNumberId, state: await work(), error: null });
    } catch (error) {
      mark(draft, { step: name, phoneNumberId, state: "failed", error: wordsOf(error) });
      throw error;
    }
    await write(draft, "running", null, false);
  }

  /** For what a connection can do without: it is written down, and tried again with the next look. */
  async function tryStep(...args: Parameters<typeof step>): Promise<void> {
    try {
      await step(...args);
    } catch (error) {
      if (!(error instanceof ChannelError && (error.code === "GRAPH_REJECTED" || error.code === "GRAPH_UNREACHABLE")))
        throw error;
    }
  }

  /** What could not be done yet keeps the token for a day, for another try. */
  async function finish(draft: Draft): Promise<Onboarding> {
    if (draft.progress.steps.every(({ state }) => state !== "failed")) draft.accessTokenEnc = null;
    draft.progress = { ...draft.progress, pins: {} };
    return end(draft, "done", null);
  }

  async function end(draft: Draft, state: OnboardingState, error: Onboarding["error"]): Promise<Onboarding> {
    return write(draft, state, error, true);
  }

  async function write(
    draft: Draft,
    state: OnboardingState,
    error: Onboarding["error"],
    isOver: boolean,
  ): Promise<Onboarding> {
    const { row, progress, accessTokenEnc } = draft;
    const next = { ...row, state, error, progress, accessTokenEnc };
    if (!(await onboardings.save(next, isOver))) throw missing();
    return next;
  }
}

/** In which state an error leaves it; any other one: failed. */
const STATE_AFTER: Partial<Record<ErrorCode, OnboardingState>> = {
  PIN_REQUIRED: "pin",
  CONNECTION_CONFLICT: "takeover",
};

function isDone(steps: readonly OnboardingStep[], name: StepName, phoneNumberId: string | null): boolean {
  return steps.some((one) => one.step === name && one.phoneNumberId === phoneNumberId && one.state !== "failed");
}

function mark(draft: Draft, done: OnboardingStep): void {
  const others = draft.progress.steps.filter(
    (one) => one.step !== done.step || one.phoneNumberId !== done.phoneNumberId,
  );
  draft.progress = { ...draft.progress, steps: [...others, done] };
}

function keepPin(draft: Draft, phoneNumberId: string, sealed: string): void {
  draft.progress = { ...draft.progress, pins: { ...draft.progress.pins, [phoneNumberId]: sealed } };
}

function dropPin(draft: Draft, phoneNumberId: string): void {
  const { [phoneNumberId]: _, ...pins } = draft.progress.pins;
  draft.progress = { ...draft.progress, pins };
}

function wordsOf(error: unknown): { readonly code: string; readonly message: string } {
  return error instanceof ChannelError
    ? { code: error.code, message: error.message }
    : { code: "INTERNAL", message: "Something went wrong on our side." };
}

function hasFailedWith({ progress }: Draft, name: StepName, phoneNumberId: string, code: string): boolean {
  return progress.steps.some(
    (one) => one.step === name && one.phoneNumberId === phoneNumberId && one.error?.code === code,
  );
}

function pinRequired(): ChannelError {
  return new ChannelError(
    "PIN_REQUIRED",
    "Two-step verification is on for this number with a PIN that we do not know: enter that PIN, or switch it off in WhatsApp Manager.",
  );
}

function missing(): ChannelError {
  return new ChannelError(
    "ONBOARDING_MISSING",
    "There is nothing to go on with, or a later try has taken its place: press Connect WhatsApp.",
  );
}
