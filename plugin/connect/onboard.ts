/** From a token to connected numbers: whatever ends in between leaves something to go on with, and harms nothing that works. */
import { ChannelError, connectError, type ErrorCode } from "../errors.ts";
import type {
  GrantedToken,
  HeldNumber,
  MetaOauth,
  OfferedNumber,
  Onboarding,
  OnboardingProgress,
  OnboardingState,
  Onboardings,
} from "../ports.ts";
import { readUuid } from "../uuid.ts";
import { chooseNumbers } from "./choose-numbers.ts";
import { type ConnectNumberDeps, createConnectNumber } from "./connect-number.ts";
import { findNumbers } from "./find-numbers.ts";
import { judgeToken } from "./judge-token.ts";
import { BUSY_MS, createDraftKeeper, type Draft, keepPin, missing } from "./onboarding-draft.ts";

export type OnboardDeps = Omit<ConnectNumberDeps, "keeper"> & {
  readonly appId: string | null;
  readonly onboardings: Onboardings;
  readonly metaOauth: MetaOauth;
  readonly now: () => Date;
};

/** What somebody answers to an onboarding that has asked. */
export type OnboardingAnswer = {
  /** Which one asked; without it the last one. */
  readonly onboardingId?: string | undefined;
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
   * @throws ChannelError as {@link Onboard.begin}; ONBOARDING_MISSING, ONBOARDING_REPLACED.
   */
  goOn(customerConfigId: string, answer: OnboardingAnswer): Promise<Onboarding>;
  /** The tenant's last one, with who holds its numbers; null when there is none. */
  current(
    customerConfigId: string,
  ): Promise<{ readonly onboarding: Onboarding; readonly held: readonly HeldNumber[] } | null>;
};

const DAY_MS = 86_400_000;

export function createOnboard(deps: OnboardDeps): Onboard {
  const { onboardings, connections, metaOauth, metaAccounts, secretBox } = deps;
  const keeper = createDraftKeeper(onboardings);
  const { step } = keeper;
  const connectNumber = createConnectNumber({ ...deps, keeper });

  return {
    async begin({ granted, hints, ...begun }) {
      const { customerConfigId } = begun;
      const progress: OnboardingProgress = {
        hints,
        token: null,
        numbers: null,
        chosen: [],
        pins: {},
        takeovers: [],
        steps: [{ step: "exchange", phoneNumberId: null, state: "done", error: null }],
      };
      const seal = (rowId: string) =>
        secretBox.seal(granted.accessToken, { customerConfigId, rowId, field: "access_token" });
      return run(await onboardings.begin({ ...begun, progress, seal, busyMs: BUSY_MS }), {});
    },

    async goOn(customerConfigId, answer) {
      const current = await onboardings.current(customerConfigId);
      const asking = answer.onboardingId === undefined ? undefined : readUuid(answer.onboardingId);
      // A yes that was meant for another one must not be taken for this one's.
      if (current !== null && asking !== undefined && current.onboardingId !== asking)
        throw connectError("ONBOARDING_REPLACED");
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
    const draft: Draft = { row, claim: row.claim, accessToken, accessTokenEnc, progress: row.progress };
    try {
      takeAnswer(draft, answer);
      await inspect(draft);
      await accounts(draft);
      if (!(await choose(draft, answer))) return await end(draft, "choice", null);
      for (const number of chosenOf(draft)) await connectNumber(draft, number);
      return await finish(draft);
    } catch (thrown) {
      const error = asRefusedToken(thrown);
      const known = error instanceof ChannelError ? error : null;
      // A later one has taken its place, or somebody else goes on with it: there is nothing left to write to.
      if (known?.code === "ONBOARDING_MISSING") {
        const current = await onboardings.current(customerConfigId);
        if (current !== null && current.onboardingId !== rowId) throw connectError("ONBOARDING_REPLACED");
        if (current === null || (current.accessTokenEnc === null && current.state !== "done")) throw error;
        return current.accessTokenEnc === null ? current : { ...current, state: "running" };
      }
      await end(draft, (known === null ? undefined : STATE_AFTER[known.code]) ?? "failed", {
        code: known?.code ?? "INTERNAL",
        message: known?.message ?? "Something went wrong on our side: try again.",
      });
      throw error;
    }
  }

  function takeAnswer(draft: Draft, { pins = {} }: OnboardingAnswer): void {
    const { customerConfigId, onboardingId: rowId } = draft.row;
    for (const [phoneNumberId, pin] of Object.entries(pins)) {
      if (!/^\d{6}$/.test(pin)) throw new ChannelError("REQUEST_INVALID", "A PIN is six digits.");
      keepPin(draft, phoneNumberId, secretBox.seal(pin, { customerConfigId, rowId, field: "pin" }));
    }
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
  async function choose(draft: Draft, { phoneNumberIds: asked = [], takeover }: OnboardingAnswer): Promise<boolean> {
    const { numbers, hints, chosen } = draft.progress;
    const { customerConfigId } = draft.row;
    const offered = numbers ?? [];
    const held = await connections.holders(offered.map(({ phoneNumberId }) => phoneNumberId));
    const picked =
      chosen.length > 0 && asked.length === 0 ? chosen : chooseNumbers(offered, hints, asked, held, customerConfigId);
    if (picked === null) return false;
    const others = held
      .filter((one) => picked.includes(one.phoneNumberId) && one.customerConfigId !== customerConfigId)
      .map(({ phoneNumberId }) => phoneNumberId);
    const takeovers = [...new Set([...draft.progress.takeovers, ...(takeover === true ? others : [])])];
    draft.progress = { ...draft.progress, chosen: picked, takeovers };
    await step(draft, "choice", null, async () => "done");
    if (!others.every((id) => takeovers.includes(id))) throw connectError("CONNECTION_CONFLICT");
    // Before anything is asked of Meta: what people write to these numbers from now on is kept for them.
    await keeper.write(draft, "running", null, false);
    return true;
  }

  function chosenOf({ progress }: Draft): readonly OfferedNumber[] {
    return (progress.numbers ?? []).filter(({ phoneNumberId }) => progress.chosen.includes(phoneNumberId));
  }

  /** What could not be done yet keeps the token for a day, for another try. */
  async function finish(draft: Draft): Promise<Onboarding> {
    if (draft.progress.steps.every(({ state }) => state !== "failed")) draft.accessTokenEnc = null;
    draft.progress = { ...draft.progress, pins: {} };
    return end(draft, "done", null);
  }

  async function end(draft: Draft, state: OnboardingState, error: Onboarding["error"]): Promise<Onboarding> {
    return keeper.write(draft, state, error, true);
  }
}

/** A token that Meta takes back in the middle of it: going on with it would fail the same way. */
function asRefusedToken(error: unknown): unknown {
  if (!(error instanceof ChannelError) || error.retry !== "reauth" || error.meta === undefined) return error;
  return connectError("TOKEN_REFUSED", { meta: error.meta });
}

/** In which state an error leaves it; any other one: failed. */
const STATE_AFTER: Partial<Record<ErrorCode, OnboardingState>> = {
  PIN_REQUIRED: "pin",
  CONNECTION_CONFLICT: "takeover",
};
