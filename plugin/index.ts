/** The public names of `@omniops/whatsapp`, nothing else. */
export { type ChatApiOptions, createChatApi } from "../adapters/chat-api/chat-api.ts";
export { type WhatsAppConfigInput, whatsappConfigFromEnv } from "./config.ts";
export type { DisconnectRequest } from "./connect/own-numbers.ts";
export type { KeyCount, KeyRotation, UnreadableValue } from "./connect/rotate-keys.ts";
export type * from "./contract.ts";
export { createWhatsAppPlugin } from "./create-whatsapp-plugin.ts";
export type { DeadLetter, DeadLetterQuery, DeadLetterService } from "./dead-letters.ts";
export type { DoctorRequest } from "./doctor/doctor.ts";
export type { CheckId, Diagnosis, Finding } from "./doctor/finding.ts";
export type { Erase } from "./erase.ts";
export { ChannelError, type ChannelErrorOptions, type ErrorCode, type Problem, type Retry } from "./errors.ts";
export type { InFrontOf } from "./http/in-front.ts";
export type { AllowMetrics } from "./http/metrics-route.ts";
export type { Router } from "./http/router.ts";
export type { Authenticate, Permission, Session } from "./http/session.ts";
export { manifest } from "./manifest.ts";
export type { AlarmLimits } from "./operations/alarms.ts";
export type { MetricsRegistry } from "./operations/collect.ts";
export type { Metrics } from "./operations/metrics.ts";
export type { MetaLimitsGiven } from "./pipeline/meta-limits.ts";
export type { RetrySchedule } from "./pipeline/retry-schedule.ts";
export type { Tick, TickOptions, TickReport } from "./pipeline/tick.ts";
export type {
  ByteStream,
  DeadLetterStage,
  ErasureCounts,
  ErasureSubject,
  Logger,
  MediaStore,
  NumberState,
  PairLimit,
  PartBacklog,
  ReadAgain,
  Retention,
  Stage,
  StageBacklog,
  StoredDelivery,
  StoredNumber,
  StoredPerson,
  StoredTraffic,
  StoredTurn,
  TemplateAccount,
  TemplateFilter,
  TemplateSync,
  ThroughputLevel,
  TrafficQuery,
  TrafficTemplate,
} from "./ports.ts";
export type {
  ManagedTemplate,
  OneTemplate,
  TemplateService,
  TemplateToCreate,
  TemplateToEdit,
} from "./templates/manage-templates.ts";
export type { SampleRequest, UploadSample } from "./templates/upload-sample.ts";
export {
  type EraseOptions,
  erase,
  type OnProgress,
  openDeadLetters,
  type RunDoctorOptions,
  readTraffic,
  replayUnknown,
  rotateKeys,
  runDoctor,
  whatEraseDeletes,
} from "./wiring/maintenance.ts";
export type { WhatsAppPlugin, WhatsAppPluginOptions } from "./wiring/whatsapp-plugin.ts";
