/** Graph errors as Meta words them: code, HTTP status and title in one table. */
import { newTraceId } from "./ids.ts";

/** How a fault or a rule names an error; what is left out comes from the table. */
export type GraphErrorSpec = {
  readonly code: number;
  readonly subcode?: number;
  readonly httpStatus?: number;
  readonly message?: string;
  readonly type?: string;
  readonly details?: string;
  /** `error_user_title` and `error_user_msg`: what Meta's own pages would show. */
  readonly userTitle?: string;
  readonly userMessage?: string;
};

export type GraphAnswer = {
  readonly httpStatus: number;
  /** Answered as JSON, unless the headers name another type. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes */
const ERRORS: Readonly<Record<number, { readonly httpStatus: number; readonly title: string }>> = {
  0: { httpStatus: 401, title: "AuthException" },
  1: { httpStatus: 500, title: "An unknown error occurred" },
  2: { httpStatus: 503, title: "An unexpected error has occurred. Please retry your request later." },
  3: { httpStatus: 500, title: "Application does not have the capability to make this API call" },
  4: { httpStatus: 400, title: "Application request limit reached" },
  10: { httpStatus: 403, title: "Application does not have permission for this action" },
  15: { httpStatus: 400, title: "This method must be called with an app access_token." },
  17: { httpStatus: 400, title: "User request limit reached" },
  32: { httpStatus: 400, title: "Page request limit reached" },
  33: { httpStatus: 400, title: "Parameter value is not valid" },
  100: { httpStatus: 400, title: "Invalid parameter" },
  101: { httpStatus: 401, title: "Error validating application. Cannot get application info due to a system error." },
  102: { httpStatus: 401, title: "Session key invalid or no longer valid" },
  104: { httpStatus: 400, title: "Incorrect signature" },
  190: { httpStatus: 401, title: "Invalid OAuth access token - Cannot parse access token" },
  200: { httpStatus: 403, title: "You do not have the necessary permissions" },
  341: { httpStatus: 400, title: "Application limit reached" },
  368: { httpStatus: 403, title: "Temporarily blocked for policies violations" },
  506: { httpStatus: 400, title: "Duplicate status message" },
  613: { httpStatus: 400, title: "Calls to this api have exceeded the rate limit" },
  803: { httpStatus: 404, title: "Some of the aliases you requested do not exist" },
  2200: { httpStatus: 400, title: "Callback verification failed" },
  2500: { httpStatus: 400, title: "Unknown path components" },
  80007: { httpStatus: 400, title: "Rate limit issues" },
  80008: { httpStatus: 400, title: "There have been too many calls to this WhatsApp Business account" },
  130403: { httpStatus: 400, title: "Business has blocked this user" },
  130429: { httpStatus: 400, title: "Rate limit hit" },
  130472: { httpStatus: 400, title: "User's number is part of an experiment" },
  130497: { httpStatus: 400, title: "Business account is restricted from messaging users in this country" },
  131000: { httpStatus: 500, title: "Something went wrong" },
  131005: { httpStatus: 403, title: "Access denied" },
  131008: { httpStatus: 400, title: "Required parameter is missing" },
  131009: { httpStatus: 400, title: "Parameter value is not valid" },
  131016: { httpStatus: 500, title: "Service unavailable" },
  131020: { httpStatus: 400, title: "Invalid group" },
  131021: { httpStatus: 400, title: "Recipient cannot be sender" },
  131026: { httpStatus: 400, title: "Message undeliverable" },
  131030: { httpStatus: 400, title: "Recipient phone number not in allowed list" },
  131031: { httpStatus: 400, title: "Business account has been locked" },
  131037: { httpStatus: 400, title: "WhatsApp provided number needs display name approval before message can be sent" },
  131041: { httpStatus: 400, title: "Group unknown" },
  131042: { httpStatus: 400, title: "Business eligibility payment issue" },
  131044: { httpStatus: 400, title: "Business eligibility - payment issue" },
  131045: { httpStatus: 500, title: "Message failed to send due to phone number registration error" },
  131047: { httpStatus: 400, title: "Re-engagement message" },
  131048: { httpStatus: 400, title: "Spam rate limit hit" },
  131049: { httpStatus: 400, title: "This message was not delivered to maintain healthy ecosystem engagement" },
  131050: {
    httpStatus: 400,
    title:
      "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from your business",
  },
  131051: { httpStatus: 400, title: "Unsupported message type" },
  131052: { httpStatus: 400, title: "Media download error" },
  131053: { httpStatus: 400, title: "Media upload error" },
  131055: { httpStatus: 400, title: "Method not allowed" },
  131056: { httpStatus: 400, title: "(Business Account, Consumer Account) pair rate limit hit" },
  131057: { httpStatus: 500, title: "Account in maintenance mode" },
  131058: { httpStatus: 400, title: "Hello World templates can only be sent from the Public Test Numbers" },
  131059: { httpStatus: 400, title: "Invalid or expired cursor" },
  131060: { httpStatus: 400, title: "This message is currently unavailable" },
  131062: { httpStatus: 400, title: "Business-scoped User ID (BSUID) recipients are not supported for this message" },
  131063: { httpStatus: 400, title: "Marketing templates are disabled on Cloud API" },
  131064: { httpStatus: 400, title: "Messaging limit because of template classification violations" },
  132000: { httpStatus: 400, title: "Number of parameters does not match the expected number of params" },
  132001: { httpStatus: 404, title: "Template does not exist" },
  132005: { httpStatus: 400, title: "Translated text too long" },
  132007: { httpStatus: 400, title: "Template format character policy violated" },
  132008: { httpStatus: 400, title: "Template parameter value is not valid" },
  132012: { httpStatus: 400, title: "Parameter format does not match format in the created template" },
  132015: { httpStatus: 400, title: "Template is Paused" },
  132016: { httpStatus: 400, title: "Template is Disabled" },
  132018: { httpStatus: 400, title: "There's an issue with the parameters in your template" },
  132068: { httpStatus: 400, title: "Flow is in blocked state" },
  132069: { httpStatus: 400, title: "Flow is in throttled state" },
  133000: { httpStatus: 500, title: "Incomplete deregistration" },
  133004: { httpStatus: 503, title: "Server temporarily unavailable" },
  133005: { httpStatus: 400, title: "Two step verification PIN Mismatch" },
  133006: { httpStatus: 400, title: "Phone number needs to be verified before registering" },
  133008: { httpStatus: 400, title: "Too many two step verification PIN guesses" },
  133009: { httpStatus: 400, title: "Two step verification PIN guessed too fast" },
  133010: { httpStatus: 400, title: "Phone number not registered" },
  133015: { httpStatus: 400, title: "Please wait a few minutes before attempting to register this phone number" },
  133016: { httpStatus: 400, title: "Account register/deregister rate limit exceeded" },
  134011: { httpStatus: 400, title: "WhatsApp Payments terms of service has not been accepted" },
  134100: { httpStatus: 400, title: "Only marketing messages supported" },
  134101: { httpStatus: 400, title: "Template is syncing" },
  134102: { httpStatus: 400, title: "Template is unavailable" },
  135000: { httpStatus: 400, title: "Generic user error" },
  137000: { httpStatus: 400, title: "Recipient identity key hash mismatch" },
  2593107: { httpStatus: 400, title: "Data synchronization request limit exceeded" },
  2593108: { httpStatus: 400, title: "Data synchronization request made outside of the allowed time window" },
  2593109: { httpStatus: 400, title: "History sync is turned off by the business from the WhatsApp Business App" },
};

/** Title of a code, for answers and failed statuses alike. */
export function titleOf(code: number): string {
  return ERRORS[code]?.title ?? "Unknown error";
}

/** A refusal with Meta's body. */
export function refuse(spec: GraphErrorSpec): GraphAnswer {
  const error = {
    message: spec.message ?? `(#${spec.code}) ${titleOf(spec.code)}`,
    type: spec.type ?? "OAuthException",
    code: spec.code,
    ...(spec.details !== undefined && { error_data: { messaging_product: "whatsapp", details: spec.details } }),
    ...(spec.subcode !== undefined && { error_subcode: spec.subcode }),
    ...(spec.userTitle !== undefined && { is_transient: false, error_user_title: spec.userTitle }),
    ...(spec.userMessage !== undefined && { error_user_msg: spec.userMessage }),
    fbtrace_id: newTraceId(),
  };
  return { httpStatus: spec.httpStatus ?? ERRORS[spec.code]?.httpStatus ?? 400, body: { error } };
}

/** Meta's answer to an id that does not exist or that the token may not see: it does not say which. */
export function unknownObject(method: string, objectId: string): GraphAnswer {
  return refuse({
    code: 100,
    subcode: 33,
    type: "GraphMethodException",
    message: `Unsupported ${method.toLowerCase()} request. Object with ID '${objectId}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
  });
}
