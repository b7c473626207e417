/** Puts the simulator together: the one file that sees all of its parts. */
import { isObject } from "./accepts.ts";
import { createAccountBook } from "./accounts/account-book.ts";
import { createAccounts } from "./accounts/create-accounts.ts";
import { refusalToSend } from "./accounts/may-send.ts";
import { createActivity } from "./activity.ts";
import { replyOf } from "./choices.ts";
import { createClock } from "./clock.ts";
import { createConversations } from "./conversations.ts";
import { createDesk } from "./desk/create-desk.ts";
import { createFaults } from "./faults.ts";
import { type GraphAnswer, refuse, titleOf } from "./graph-error.ts";
import type { GraphCall, GraphPlan } from "./graph-plan.ts";
import { createGraphServer } from "./graph-server.ts";
import { performHandshake } from "./handshake.ts";
import { createInbound, type InboundOptions } from "./inbound.ts";
import { createLedgers } from "./ledgers.ts";
import { createMedia } from "./media.ts";
import { createMediaUploads } from "./media-uploads.ts";
import { createMessagesEndpoint } from "./messages-endpoint.ts";
import { resolveOptions, type SimulatedFile, type SimulatorOptions } from "./options.ts";
import { createPeople, type PersonRecord } from "./people.ts";
import { createWebhookPoster } from "./post-webhook.ts";
import { createSignIn } from "./sign-in/create-sign-in.ts";
import type { Person, Simulator } from "./simulator.ts";
import { createStatuses } from "./statuses.ts";
import { createTemplateManagement } from "./template-management.ts";
import { createTemplateUpdates } from "./template-updates.ts";
import { createTemplates } from "./templates.ts";
import { createTimers } from "./timers.ts";
import { createTokens } from "./tokens.ts";
import { createWebhookSender } from "./webhook-sender.ts";
import type { WireObject } from "./wire.ts";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/unsupported */
function unsupported(type: string): WireObject {
  const title = titleOf(131_051);
  const error = {
    code: 131_051,
    title,
    message: title,
    error_data: { details: "Message type is currently not supported." },
  };
  return { type: "unsupported", errors: [error], unsupported: { type } };
}

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
  const clock = createClock(options.now ?? (() => new Date()));
  const settings = { ...resolveOptions(options), now: clock.now };
  const numbers = new Map(settings.numbers.map((number) => [number.phoneNumberId, number]));
  const activity = createActivity();
  const timers = createTimers();
  const people = createPeople();
  const conversations = createConversations({ keepsContent: settings.keepBytes === "all" });
  const ledgers = createLedgers(activity);
  const faults = createFaults({ ...settings, onInjected: activity.changed });
  const tokens = createTokens(settings);
  const templates = createTemplates(settings);
  const media = createMedia({ settings, tokens, faults, timers, onDownload: activity.changed });
  const uploads = createMediaUploads(settings, activity.changed);
  const book = createAccountBook(settings);
  const sender = createWebhookSender({
    settings,
    activity,
    timers,
    faults,
    poster: createWebhookPoster({ timeoutMs: settings.webhookTimeoutMs, now: settings.now }),
    isWanted: (change) => accounts.isWanted(change),
    overrideOf: (change) => accounts.overrideOf(change),
    onAcknowledged({ kind, wamids }) {
      if (kind !== "status") for (const wamid of wamids) conversations.acknowledge(wamid);
    },
  });
  const templateUpdates = createTemplateUpdates({ now: settings.now, store: templates, sender });
  const management = createTemplateManagement({
    settings,
    store: templates,
    updates: templateUpdates,
    timers,
    activity,
    isVerified: (wabaId) => (book.account(wabaId)?.about.verificationStatus ?? "verified") === "verified",
  });
  const accounts = createAccounts({ settings, book, tokens, templates, management, sender });
  const signIn = createSignIn({ settings, book, tokens });
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
    uploads,
    refusalToSend: (phoneNumberId, about) => refusalToSend(book, phoneNumberId, about),
  });
  const inbound = createInbound({
    settings,
    numbers,
    people,
    conversations,
    sender,
    isOnBusinessApp: (phoneNumberId) => book.number(phoneNumberId)?.about.isOnBusinessApp ?? false,
  });
  const server = createGraphServer({
    apiVersion: settings.apiVersion,
    tokens,
    faults,
    timers,
    planOpen: signIn.plan,
    plan: planCall,
    onRequest: ledgers.count,
    onRefused(request, { httpStatus, body }) {
      // The dialog refuses with a page, which is nothing that a program would have to read.
      const error = isObject(body) && isObject(body.error) ? body.error : null;
      if (error === null) return;
      const {
        code,
        error_subcode: subcode = null,
        message,
      } = error as { code: number; error_subcode?: number; message: string };
      ledgers.refuse({ request, httpStatus, code, subcode, message, at: settings.now() });
    },
    serve: (request, response) => desk.serve(request, response) || media.serve(request, response),
  });
  const records = new WeakMap<Person, PersonRecord>();
  const keepMedia = (file: SimulatedFile, to = settings.numbers[0]?.phoneNumberId ?? "") =>
    media.keep(file, { phoneNumberId: to });
  let url: string | null = null;
  let starting: Promise<string> | null = null;
  let isStopped = false;

  function planCall(call: GraphCall): GraphPlan | GraphAnswer {
    const number = numbers.get(call.objectId);
    if (number && call.edge === "media" && call.method === "POST" && call.access.wabaIds.has(number.wabaId))
      return uploads.plan(number, call);
    const endpoint = call.edge === "messages" || call.edge === "marketing_messages" ? call.edge : null;
    const isSend = number && endpoint && call.method === "POST" && call.access.wabaIds.has(number.wabaId);
    if (!isSend) return media.plan(call) ?? uploads.planSession(call) ?? accounts.plan(call);
    return call.access.scopes.has("whatsapp_business_messaging")
      ? messages(number, call.body, endpoint)
      : refuse({ code: 200 });
  }

  function personOf(record: PersonRecord): Person {
    const { name, phoneNumber, userId, username } = record;
    const sends = (message: WireObject, about: InboundOptions = {}) =>
      inbound.send([{ ...about, from: record, message }])[0] ?? "";
    // Numbers that are on the Cloud API alone hear only that something happened which it cannot tell.
    const amends = (shown: WireObject, about: InboundOptions = {}) => {
      const to = about.to ?? settings.numbers[0]?.phoneNumberId ?? "";
      if (book.number(to)?.about.isOnBusinessApp) return sends(shown, about);
      const message = unsupported(String(shown.type));
      return inbound.send([{ ...about, from: record, message, shown }])[0] ?? "";
    };
    const person: Person = {
      name,
      phoneNumber,
      userId,
      username,
      sends,
      says: (text, about) => sends({ type: "text", text: { body: text } }, about),
      sendsMedia({ kind, bytes, mime, ...rest }, about = {}) {
        return sends({ type: kind, [kind]: { ...keepMedia({ bytes, mime }, about.to), ...rest } }, about);
      },
      press(title, about = {}) {
        const to = about.to ?? settings.numbers[0]?.phoneNumberId ?? "";
        const { wamid, choice } = conversations.offered(
          conversations.between(to, record),
          title,
          about.replyTo ?? null,
        );
        return sends(replyOf(choice), { ...about, replyTo: wamid });
      },
      edits(wamid, text, about) {
        const original = conversations.contentOf(wamid)?.message ?? {};
        const type = String(original.type ?? "text");
        const message =
          type === "text"
            ? { type, text: { body: text } }
            : { type, [type]: { ...(original[type] as WireObject), caption: text } };
        return amends({ type: "edit", edit: { original_message_id: wamid, message } }, about);
      },
      deletes: (wamid, about) => amends({ type: "revoke", revoke: { original_message_id: wamid } }, about),
      reacts(emoji, wamid, about) {
        return sends({ type: "reaction", reaction: { message_id: wamid, ...(emoji !== null && { emoji }) } }, about);
      },
      plays: (wamid) => statuses.play(wamid, record),
      stopsMarketing: (to) => inbound.prefer(record, "stop", to),
      resumesMarketing: (to) => inbound.prefer(record, "resume", to),
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

  const meta: Simulator = {
    async start() {
      if (isStopped) throw new Error("This simulator was stopped, which is for good; create another one.");
      starting ??= server.listen(settings.port, settings.host);
      url = await starting;
      return url;
    },
    async stop() {
      isStopped = true;
      activity.close();
      timers.close();
      desk.close();
      // Whoever stops while it starts wants nothing left listening either; that it could not start is said by start().
      const isListening = await starting?.then(
        () => true,
        () => false,
      );
      await Promise.all([sender.close(), isListening ? server.close() : undefined]);
    },
    get url() {
      if (url === null) throw new Error("The simulator has no URL before start().");
      return url;
    },
    phoneUrlOf(person, to = settings.numbers[0]?.phoneNumberId ?? "") {
      return `${meta.url}/phone#${recordOf(person).key}/${to}`;
    },
    get phoneUrl() {
      return `${meta.url}/phone`;
    },
    setWebhookUrl: sender.setUrl,
    async verifyWebhook() {
      const webhookUrl = sender.url();
      if (webhookUrl === null) throw new Error("The simulator has no webhookUrl to verify; call setWebhookUrl first.");
      return performHandshake(webhookUrl, settings.verifyToken, settings.webhookTimeoutMs);
    },
    person(about) {
      const person = personOf(people.add(about));
      activity.changed();
      return person;
    },
    batch: (batched) =>
      inbound.send(
        batched.map((item) => ({
          ...item,
          from: recordOf(item.from),
          message: "text" in item ? { type: "text", text: { body: item.text } } : item.message,
        })),
      ),
    staffWrites: (to, text, about = {}) => inbound.echo(recordOf(to), text, about.from),
    deliver: inbound.deliver,
    keepMedia,
    downloads: media.downloads,
    uploads: uploads.uploads,
    forgetUpload: uploads.forget,
    templates: { ...templates.api, ...templateUpdates },
    login: signIn.login,
    issueToken: signIn.issueToken,
    numbers: book.states,
    changeNumber: book.changeNumber,
    changeAccount: book.changeAccount,
    addPartner: accounts.addPartner,
    removePartner: accounts.removePartner,
    changeQuality: accounts.changeQuality,
    deauthorize: signIn.deauthorize,
    requestDataDeletion: signIn.requestDataDeletion,
    clock: {
      now: clock.now,
      moveOn(milliseconds) {
        clock.moveOn(milliseconds);
        activity.changed();
      },
      get aheadMs() {
        return clock.aheadMs;
      },
    },
    faults: faults.api,
    revokeToken({ accessToken = settings.accessToken, subcode = DEFAULT_REVOCATION_SUBCODE } = {}) {
      tokens.revoke(accessToken, { subcode });
    },
    restoreToken: (accessToken = settings.accessToken) => tokens.restore(accessToken),
    setAppUsage: server.setAppUsage,
    accepted: ledgers.accepted,
    deliveries: sender.deliveries,
    refusals: ledgers.refusals,
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
  const desk = createDesk({
    meta,
    appName: settings.appName,
    appId: settings.appId,
    tokens,
    activity,
    people,
    personOf,
    book,
    conversations,
    fileOf: (id) => media.fileOf(id) ?? uploads.fileOf(id) ?? (/^https?:/.test(id) ? settings.fetchLink(id) : null),
  });
  return meta;
}
