/** The public names of the simulator, nothing else. */
export type { AccountUpdates, LeavingEvent, LeavingOptions } from "./accounts/account-updates.ts";
export type {
  AccountChanges,
  NumberChanges,
  NumberState,
  SimulatedAccount,
  SimulatedHealth,
  SimulatedNumber,
} from "./accounts/simulated-number.ts";
export type { Choice } from "./choices.ts";
export type { Clock } from "./clock.ts";
export type { Conversation, Ticks, TranscriptEntry } from "./conversations.ts";
export { createSimulator } from "./create-simulator.ts";
export { escapedJson } from "./escape-json.ts";
export type {
  ArmedFault,
  DownloadFault,
  Fault,
  FaultKind,
  Faults,
  GraphEndpoint,
  InjectedFault,
  RandomFaults,
  WebhookFaults,
} from "./faults.ts";
export type { GraphErrorSpec } from "./graph-error.ts";
export type { AppUsage } from "./graph-server.ts";
export type { InboundOptions } from "./inbound.ts";
export { INBOUND_MESSAGES } from "./inbound-messages.ts";
export type { AcceptedMessage, Refusal } from "./ledgers.ts";
export type { KeptMedia, MediaDownload } from "./media.ts";
export type { UploadedMedia } from "./media-uploads.ts";
export type { SimulatedFile, SimulatorOptions, StatusDelays } from "./options.ts";
export type { PersonOptions, PersonRecord } from "./people.ts";
export { drawMessages, PHONE_CSS } from "./phone/draw.js";
export type { DeliveryAttempt } from "./post-webhook.ts";
export { signatureOf } from "./sign.ts";
export type { CallbackAnswer, CallbackOptions, Callbacks } from "./sign-in/callbacks.ts";
export type { IssueTokenOptions, Login, LoginDecision } from "./sign-in/login.ts";
export type { LoginOptions } from "./sign-in/login-options.ts";
export { signedRequestOf } from "./sign-in/signed-request.ts";
export type { BatchedMessage, Person, SentMedia, Simulator } from "./simulator.ts";
export type { SimulatedTemplate, TemplateChanges, Templates } from "./templates.ts";
export type { Delivery, DeliveryKind } from "./webhook-sender.ts";
export type { WireObject } from "./wire.ts";
