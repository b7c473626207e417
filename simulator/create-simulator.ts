/** Puts the simulator together: the one file that sees all of its parts. */
import { createAccountBook } from "./accounts/account-book.ts";
import { createAccountsEndpoint } from "./accounts/accounts-endpoint.ts";
import { createAppEndpoint } from "./accounts/app-endpoint.ts";
import { createRemovePartner } from "./accounts/leaving.ts";
import { createPhoneEndpoint } from "./accounts/phone-endpoint.ts";
import { createUserEndpoint } from "./accounts/user-endpoint.ts";
import { createActivity } from "./activity.ts";
import { replyOf } from "./choices.ts";
import { createConversations } from "./conversations.ts";
import { createFaults } from "./faults.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { GraphCall, GraphPlan, OpenCall } from "./graph-plan.ts";
import { createGraphServer } from "./graph-server.ts";
import { performHandshake } from "./handshake.ts";
import { createInbound, type InboundOptions } from "./inbound.ts";
import { createLedgers } from "./ledgers.ts";
import { createMessagesEndpoint } from "./messages-endpoint.ts";
import { resolveOptions, type SimulatorOptions } from "./options.ts";
import { createPeople, type PersonRecord } from "./people.ts";
import { createWebhookPoster } from "./post-webhook.ts";
import { createCallbacks } from "./sign-in/callbacks.ts";
import { createCodes } from "./sign-in/codes.ts";
import { createDialogEndpoint } from "./sign-in/dialog-endpoint.ts";
import { createExchange } from "./sign-in/exchange.ts";
import { createLogin } from "./sign-in/login.ts";
import { createLoginSettings } from "./sign-in/login-options.ts";
import { planSdk } from "./sign-in/sdk-endpoint.ts";
import type { Person, Simulator } from "./simulator.ts";
import { createStatuses } from "./statuses.ts";
import { createTemplates } from "./templates.ts";
import { createTimers } from "./timers.ts";
import { createTokens } from "./tokens.ts";
import { createWebhookSender } from "./webhook-sender.ts";
import type { WireChange, WireObject } from "./wire.ts";

const DEFAULT_WAIT_MS = 5_000;
/** Password changed: the commonest way a token dies. */
const DEFAULT_REVOCATION_SUBCODE = 460;

/**
 * Meta, offline: a Graph API that answers as Meta does, people who write, and signed webhooks with retries.
 *
 * @example
 * const meta = createSimulator({ appSecret, verifyToken, accessToken, webhookUrl, numbers: [number] });
 * await meta.start();                       // META_GRAPH_URL = meta.url
 * const ada = meta.person({ name: "Ada", phoneNumber: "447700900123" });
 * ada.says("Are you open today?");
 * await meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
 * ada.press("Yes");                         // a button, a row, or a quick reply of the newest message that has it
 * await meta.stop();
 */
export function createSimulator(options: SimulatorOptions): Simulator {
  const settings = resolveOptions(options);
  const numbers = new Map(settings.numbers.map((number) => [number.phoneNumberId, number]));
  const activity = createActivity();
  const timers = createTimers();
  const people = createPeople();
  const conversations = createConversations();
  const ledgers = createLedgers(activity);
  const faults = createFaults({ ...settings, onInjected: activity.changed });
  const tokens = createTokens(settings);
  const templates = createTemplates(settings);
  const book = createAccountBook(settings);
  const sender = createWebhookSender({
    settings,
    activity,
    timers,
    faults,
    poster: createWebhookPoster({ timeoutMs: settings.webhookTimeoutMs, now: settings.now }),
    isWanted: (change) =>
      (change.isForApp || book.isSubscribed(change.wabaId)) && (apps.hears(change) || overrideOf(change) !== null),
    overrideOf,
    onAcknowledged({ kind, wamids }) {
      if (kind !== "status") for (const wamid of wamids) conversations.acknowledge(wamid);
    },
  });
  const around = { ...settings, book, tokens, templates, sender, webhookUrl: sender.url, setWebhookUrl: sender.setUrl };
  const apps = createAppEndpoint(around);
  const accounts = createAccountsEndpoint({
    ...around,
    apps,
    phones: createPhoneEndpoint(around),
    users: createUserEndpoint(around),
  });
  const login = createLoginSettings(settings.login);
  const codes = createCodes(settings.now);
  const desk = createLogin({ ...around, settings: login, codes });
  const exchange = createExchange({ ...around, codes });
  const dialog = createDialogEndpoint({ ...around, settings: login, desk });
  const callbacks = createCallbacks({ ...around, userId: login.userId });
  const statuses = createStatuses({ settings, activity, timers, conversations, sender });
  const messages = createMessagesEndpoint({
    settings,
    activity,
    people,
    conversations,
    statuses,
    ledgers,
    faults,
    templates,
    isRegistered: book.isRegistered,
  });
  const inbound = createInbound({ settings, numbers, people, conversations, sender });
  const server = createGraphServer({
    apiVersion: settings.apiVersion,
    tokens,
    faults,
    timers,
    planOpen,
    plan: planCall,
    onRequest: ledgers.count,
  });
  const records = new WeakMap<Person, PersonRecord>();
  let url: string | null = null;

  // Messages go to the address of their number or account, where it has one; everything else to the app's.
  function overrideOf({ wabaId, field, value }: WireChange): string | null {
    if (field !== "messages") return null;
    const { phone_number_id: phoneNumberId } = value.metadata as { readonly phone_number_id: string };
    return book.overrideOf(wabaId, phoneNumberId);
  }

  function planOpen(call: OpenCall): GraphPlan | null {
    const isAsked = call.method === "GET" || call.method === "POST";
    if (!isAsked || call.item !== null) return null;
    if (call.edge === "sdk.js") return planSdk(call);
    if (call.objectId === "dialog" && call.edge === "oauth") return dialog(call);
    return call.objectId === "oauth" && call.edge === "access_token" ? exchange(call) : null;
  }

  function planCall(call: GraphCall): GraphPlan | GraphAnswer {
    const number = numbers.get(call.objectId);
    const endpoint = call.edge === "messages" || call.edge === "marketing_messages" ? call.edge : null;
    const isSend = number && endpoint && call.method === "POST" && call.access.wabaIds.has(number.wabaId);
    if (!isSend) return accounts(call);
    return call.access.scopes.has("whatsapp_business_messaging")
      ? messages(number, call.body, endpoint)
      : refuse({ code: 200 });
  }

  function personOf(record: PersonRecord): Person {
    const { name, phoneNumber, userId, username } = record;
    const sends = (message: WireObject, about: InboundOptions = {}) =>
      inbound.send([{ ...about, from: record, message }])[0] ?? "";
    const person: Person = {
      name,
      phoneNumber,
      userId,
      username,
      sends,
      says: (text, about) => sends({ type: "text", text: { body: text } }, about),
      press(title, about = {}) {
        const to = about.to ?? settings.numbers[0]?.phoneNumberId ?? "";
        const { wamid, choice } = conversations.offered(
          conversations.between(to, record),
          title,
          about.replyTo ?? null,
        );
        return sends(replyOf(choice), { ...about, replyTo: wamid });
      },
      reacts(emoji, wamid, about) {
        return sends({ type: "reaction", reaction: { message_id: wamid, ...(emoji !== null && { emoji }) } }, about);
      },
      transcript(to = settings.numbers[0]?.phoneNumberId ?? "") {
        return conversations.between(to, record).entries.map((entry) => ({ ...entry }));
      },
    };
    records.set(person, record);
    return person;
  }

  function recordOf(person: Person): PersonRecord {
    const record = records.get(person);
    if (!record) throw new Error(`${person.name} is not a person of this simulator.`);
    return record;
  }

  return {
    async start() {
      url = await server.listen(settings.port, settings.host);
      return url;
    },
    async stop() {
      activity.close();
      timers.close();
      await Promise.all([sender.close(), url === null ? undefined : server.close()]);
    },
    get url() {
      if (url === null) throw new Error("The simulator has no URL before start().");
      return url;
    },
    setWebhookUrl: sender.setUrl,
    async verifyWebhook() {
      const webhookUrl = sender.url();
      if (webhookUrl === null) throw new Error("The simulator has no webhookUrl to verify; call setWebhookUrl first.");
      return performHandshake(webhookUrl, settings.verifyToken);
    },
    person: (about) => personOf(people.add(about)),
    batch: (batched) =>
      inbound.send(
        batched.map((item) => ({
          ...item,
          from: recordOf(item.from),
          message: "text" in item ? { type: "text", text: { body: item.text } } : item.message,
        })),
      ),
    deliver: inbound.deliver,
    templates: templates.api,
    login: desk.api,
    issueToken: desk.issueToken,
    numbers: book.states,
    changeNumber: book.changeNumber,
    changeAccount: book.changeAccount,
    removePartner: createRemovePartner(around),
    deauthorize: callbacks.deauthorize,
    requestDataDeletion: callbacks.requestDataDeletion,
    faults: faults.api,
    revokeToken({ accessToken = settings.accessToken, subcode = DEFAULT_REVOCATION_SUBCODE } = {}) {
      tokens.revoke(accessToken, { subcode });
    },
    restoreToken: (accessToken = settings.accessToken) => tokens.restore(accessToken),
    setAppUsage: server.setAppUsage,
    accepted: ledgers.accepted,
    deliveries: sender.deliveries,
    requests: ledgers.requests,
    conversations() {
      const now = settings.now().getTime();
      return conversations.list().map(({ phoneNumberId, person, entries, typingUntil }) => ({
        phoneNumberId,
        person,
        entries: entries.map((entry) => ({ ...entry })),
        isTyping: typingUntil > now,
      }));
    },
    onAccepted: ledgers.onAccepted,
    clearLedgers() {
      ledgers.clear();
      sender.clear();
    },
    idle: activity.idle,
    waitFor: (predicate, timeoutMs = DEFAULT_WAIT_MS) => activity.waitFor(predicate, timeoutMs),
  };
}
