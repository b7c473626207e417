/** The public names of the simulator, nothing else. */
export type { Choice } from "./choices.ts";
export type { Conversation, Ticks, TranscriptEntry } from "./conversations.ts";
export { createSimulator } from "./create-simulator.ts";
export { escapedJson } from "./escape-json.ts";
export type {
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
export type { AcceptedMessage } from "./ledgers.ts";
export type { SimulatorOptions, StatusDelays } from "./options.ts";
export type { PersonOptions, PersonRecord } from "./people.ts";
export type { DeliveryAttempt } from "./post-webhook.ts";
export { signatureOf } from "./sign.ts";
export type { SimulatedNumber } from "./simulated-number.ts";
export type { BatchedMessage, Person, Simulator } from "./simulator.ts";
export type { SimulatedTemplate, Templates } from "./templates.ts";
export type { Delivery, DeliveryKind } from "./webhook-sender.ts";
export type { WireObject } from "./wire.ts";
