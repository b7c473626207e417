/** One number, from granted to working: subscribed, registered, stored; then what is good to have. */
import { ChannelError, connectError } from "../errors.ts";
import type {
  Connections,
  GraphApi,
  MetaAccounts,
  OfferedNumber,
  Onboardings,
  SecretBox,
  Templates,
} from "../ports.ts";
import { type Draft, type DraftKeeper, dropPin, hasFailedWith, keepPin } from "./onboarding-draft.ts";

export type ConnectNumberDeps = {
  readonly connections: Connections;
  readonly onboardings: Pick<Onboardings, "knownPin">;
  readonly templates: Templates;
  readonly metaAccounts: MetaAccounts;
  readonly graphApi: Pick<GraphApi, "templatesOf">;
  readonly secretBox: SecretBox;
  readonly keeper: DraftKeeper;
  /** Six digits that nobody can guess. */
  readonly newPin: () => string;
  /** Called after the commit: sends and events may have waited for this number. */
  readonly onConnected: () => void;
};

/** Two-step verification has another PIN. @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const PIN_MISMATCH = 133_005;
const NOT_VERIFIED = 133_006;
/** It has been asked for before. */
const SYNC_GRANTED = 2_593_107;

export function createConnectNumber(deps: ConnectNumberDeps): (draft: Draft, number: OfferedNumber) => Promise<void> {
  const { connections, onboardings, templates, metaAccounts, graphApi, secretBox } = deps;
  const { step, tryStep, write } = deps.keeper;

  return connectNumber;

  async function connectNumber(draft: Draft, number: OfferedNumber): Promise<void> {
    const { phoneNumberId, wabaId } = number;
    const { customerConfigId } = draft.row;
    const { accessToken } = draft;
    const subscribe = () => metaAccounts.subscribe({ wabaId, accessToken });
    await step(draft, "subscribe", phoneNumberId, async () => {
      await subscribe();
      return "done";
    });
    await step(draft, "register", phoneNumberId, () => register(draft, number));
    await step(draft, "connect", phoneNumberId, async () => {
      await saveConnection(draft, number);
      // Another number of the account may have left since, with its webhooks; from here on this one keeps them.
      await subscribe();
      return "done";
    });
    const connectionId = (await connections.holders([phoneNumberId])).find(
      (one) => one.customerConfigId === customerConfigId,
    )?.connectionId;
    // It has left since: the others go on without it.
    if (connectionId === undefined) return;
    // It works from here on; what follows is looked up again when it is needed.
    const account = { customerConfigId, connectionId, wabaId, accessTokenEnc: null };
    await tryStep(draft, "templates", phoneNumberId, async () => {
      await templates.replace(account, await graphApi.templatesOf({ wabaId, accessToken }), null);
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
      if (code === NOT_VERIFIED) throw connectError("NUMBER_NOT_VERIFIED");
      throw error;
    }
    return "done";
  }

  /** The PIN is the number's: whoever may register it, by the token, may do so with what it was registered with before. */
  async function pinBefore({ row }: Draft, phoneNumberId: string): Promise<string | null> {
    const known = await onboardings.knownPin(row.customerConfigId, phoneNumberId);
    if (known === null) return null;
    const { customerConfigId, rowId, pinEnc } = known;
    return secretBox.open(pinEnc, { customerConfigId, rowId, field: "pin" });
  }

  async function saveConnection(draft: Draft, number: OfferedNumber): Promise<void> {
    const { customerConfigId } = draft.row;
    const {
      phoneNumberId,
      wabaId,
      displayPhoneNumber,
      verifiedName,
      qualityRating,
      isOnBusinessApp,
      throughputLevel = null,
    } = number;
    const pin = await pinBefore(draft, phoneNumberId);
    await connections.save({
      customerConfigId,
      phoneNumberId,
      wabaId,
      displayPhoneNumber,
      verifiedName,
      qualityRating,
      isOnBusinessApp,
      throughputLevel,
      isAnnounced: true,
      takeover: draft.progress.takeovers.includes(phoneNumberId),
      ...(draft.progress.token === null ? {} : { token: draft.progress.token }),
      seal: (rowId) => secretBox.seal(draft.accessToken, { customerConfigId, rowId, field: "access_token" }),
      sealPin: pin === null ? undefined : (rowId) => secretBox.seal(pin, { customerConfigId, rowId, field: "pin" }),
    });
    deps.onConnected();
  }

  /** Meta grants each once: written down when it has, so that a process that ends while it is asked costs nothing. */
  async function sync(
    connectionId: string,
    what: "contacts" | "history",
    { phoneNumberId }: OfferedNumber,
    accessToken: string,
  ): Promise<void> {
    if (await connections.hasSynced(connectionId, what)) return;
    try {
      await metaAccounts.requestSync({ phoneNumberId, accessToken, what });
    } catch (error) {
      if (!(error instanceof ChannelError) || error.meta?.code !== SYNC_GRANTED) throw error;
    }
    await connections.rememberSync(connectionId, what);
  }
}

function pinRequired(): ChannelError {
  return connectError("PIN_REQUIRED");
}
