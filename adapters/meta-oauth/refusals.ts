/** Why there is no token: what Meta's dialog brought back, or its token endpoint said, as errors that say what to do. */
import type { MetaError } from "../../plugin/contract.ts";
import { ChannelError, connectError } from "../../plugin/errors.ts";
import { MetaRefusal } from "./meta-answers.ts";

/** The callback address, or its domain, is not one of the app's. */
const REDIRECT_CODES = new Set([191, 1_349_048]);
const REDIRECT_SUBCODE = 36_008;
/** Meta calls a wrong app id or secret by these. */
const APP_CODES = new Set([1, 101]);
const BUSY_CODES = new Set([2, 4]);

/**
 * Cancel comes as `error`, trouble with the app sometimes as `error_code` alone.
 * @returns null when the dialog brought a code.
 */
export function dialogRefusal(query: URLSearchParams): ChannelError | null {
  const error = query.get("error");
  const code = Number(query.get("error_code") ?? Number.NaN);
  if (error === null && Number.isNaN(code)) return null;
  if (error === "access_denied") return connectError("ACCESS_DENIED");
  if (REDIRECT_CODES.has(code)) return connectError("INVALID_REDIRECT_URI", { retry: "fix" });
  const number = Number.isSafeInteger(code) ? ` (Meta's code ${code})` : "";
  return new ChannelError("DIALOG_FAILED", `Meta's dialog ended with an error${number}: connect again.`);
}

export function tokenRefusal(error: unknown): ChannelError {
  const refusal = refusalIn(error);
  if (refusal !== null) return ofMeta(refusal);
  // openid-client's own finding: the answer to the dialog was not one, or not for us.
  const { code } = error as { readonly code?: unknown };
  if (code === "OAUTH_INVALID_RESPONSE") return connectError("CODE_REFUSED");
  return new ChannelError("GRAPH_UNREACHABLE", "Meta could not be asked for a token: connect again.", {
    retry: "backoff",
    cause: error,
  });
}

function ofMeta({ status, error }: MetaRefusal): ChannelError {
  const code = Number(error.code);
  const subcode = Number(error.error_subcode);
  const meta: MetaError = {
    code,
    subcode: Number.isSafeInteger(subcode) ? subcode : null,
    title: typeof error.type === "string" ? error.type : null,
    details: null,
    fbtraceId: typeof error.fbtrace_id === "string" ? error.fbtrace_id : null,
  };
  if (subcode === REDIRECT_SUBCODE || REDIRECT_CODES.has(code))
    return connectError("INVALID_REDIRECT_URI", { retry: "fix", meta });
  if (status >= 500 || BUSY_CODES.has(code))
    return new ChannelError("GRAPH_UNREACHABLE", "Meta is busy: connect again.", { retry: "backoff", meta });
  if (APP_CODES.has(code))
    return new ChannelError(
      "LOGIN_NOT_CONFIGURED",
      "Meta refuses this app: check that META_APP_ID and META_APP_SECRET belong together.",
      { retry: "fix", meta },
    );
  return connectError("CODE_REFUSED", { meta });
}

/** openid-client wraps what its fetch throws. */
function refusalIn(error: unknown): MetaRefusal | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (at instanceof MetaRefusal) return at;
  return null;
}
