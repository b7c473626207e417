/** Every way in which connecting can end badly, as one sentence that says what to do. The plugin says the same. */

/** By the code as it stands in the URL: in lower case. */
export const SENTENCES = Object.freeze({
  invalid_state:
    "Invalid state parameter: this login was started in another browser or session, is older than 10 minutes or was finished already. Press Connect WhatsApp again.",
  access_denied:
    "The login at Meta was cancelled, so nothing was connected. Press Connect WhatsApp again and leave all permissions switched on.",
  invalid_redirect_uri:
    "Invalid redirect_uri: Meta does not know the callback address of this platform. Its operator must add that address, exactly, to Valid OAuth Redirect URIs of the Meta app.",
  dialog_failed:
    "Meta's dialog ended with an error, so nothing was connected. Press Connect WhatsApp again; if that does not help, tell the operator of this platform.",
  code_refused:
    "Meta did not accept the login: it was used already, or is older than Meta allows. Press Connect WhatsApp again.",
  token_refused:
    "Meta's answer is not valid, or belongs to another app. Press Connect WhatsApp again; if that does not help, tell the operator of this platform.",
  scopes_missing:
    "A permission is missing. Press Connect WhatsApp again and leave all permissions switched on in Meta's dialog.",
  no_business_accounts:
    "No WhatsApp Business Accounts found: create one in Meta Business Suite (business.facebook.com), then press Connect WhatsApp again and choose it.",
  no_phone_numbers:
    "The WhatsApp Business Account has no phone number. Add one in WhatsApp Manager (business.facebook.com), then press Connect WhatsApp again.",
  account_not_granted:
    "This number or its account was not shared with this platform. Press Connect WhatsApp again and choose it in Meta's dialog.",
  connection_conflict:
    "Another account on this platform uses this number. Disconnect it there first, or choose another number.",
  pin_required:
    "This number has two-step verification. Enter its PIN, or switch two-step verification off in WhatsApp Manager, and go on.",
  number_not_verified:
    "Meta has not verified this number yet. Verify it by code in WhatsApp Manager (business.facebook.com), then try again.",
  not_permitted:
    "You may not connect or disconnect WhatsApp here. Ask somebody who manages integrations in your account.",
  not_authenticated: "You are not signed in. Sign in, then open this page again.",
  onboarding_missing:
    "There is nothing to go on with: the connection was finished, or was begun more than a day ago. Press Connect WhatsApp again.",
  onboarding_replaced:
    "A newer connection was begun, in another tab or by a colleague, and has taken the place of this one: go on with that one.",
  login_not_configured:
    "Connecting is not set up on this platform yet. Its operator must set META_APP_ID and NEXT_PUBLIC_APP_URL.",
  return_to_not_allowed:
    "Meta may not send you back to this page. The operator of this platform must add its path to WHATSAPP_RETURN_PATHS.",
  graph_unreachable: "Meta could not be reached. Nothing is lost: try again in a minute.",
  graph_rejected:
    "Meta refused a step. Try again; if that does not help, look for a notice about the account in WhatsApp Manager (business.facebook.com).",
  internal: "Something went wrong on this platform. Try again; if that does not help, tell its operator.",
});

/** For a code that we do not know; it repeats nothing, because anybody can write a URL. */
export const GENERAL_SENTENCE =
  "The connection did not succeed. Press Connect WhatsApp again; if that does not help, tell the operator of this platform.";
