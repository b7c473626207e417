/** What each member of Meta's JSON holds, as far as privacy goes: whatever is not named here is taken for a text of a person's. */

export type Kind =
  /** A word of Meta's: a type, a state, a currency. */
  | "word"
  /** An id of the business's own: a choice, a template, a product. */
  | "own"
  /** A phone number, or a business-scoped user id. */
  | "address"
  | "name"
  | "username"
  /** What somebody wrote. */
  | "text"
  /** The same as a message of its own: what answers a numbered list is told from other digits there. */
  | "body"
  /** A sentence of Meta's. */
  | "sentence"
  /** Meta's sentence about who has become whom. */
  | "system"
  /** An id of a message, a call, a group, or of whatever it looks like. */
  | "id"
  | "media-id"
  /** Of a number or an account. */
  | "business-id"
  /** A token, a click id, a checksum: what it looks like stays. */
  | "opaque"
  | "media-url"
  | "link"
  | "email"
  | "time"
  | "coordinate"
  | "filename"
  /** A JSON text: what somebody has filled in. */
  | "form"
  | "vcard"
  /** Of one of somebody's numbers or addresses: their word for it, or the phone's. */
  | "label"
  /** Of a place or of somebody's card: words that nobody wrote in the conversation. */
  | "particulars"
  | "sdp"
  | "birthday"
  | "emoji";

const BY_KIND: Readonly<Partial<Record<Kind, string>>> = {
  word: `object field messaging_product type status event mime_type currency category recipient_type direction action origin
    response response_source format parameter_format otp_type pricing_model country_code language policy sub_type parameter_name flow_action mode
    flow_message_version version index screen event_name decision reason rejection_reason rejection_reasons tier
    waba_ban_state initiated_by current_limit old_limit max_daily_conversations_per_business click_component
    previous_owner_role new_owner_role call_icon_visibility payment_method country message_template_language verb
    effective_month endpoint parameterFormat new_category correct_category previous_category new_quality_score previous_quality_score`,
  own: `code payload catalog_id product_retailer_id thumbnail_product_retailer_id flow_id flow_name message_template_id
    message_template_name coupon_code solution_id solution_partner_business_ids partner_app_id configuration_name
    provider_name provider_mid product_id source_id`,
  address: `from to recipient input wa_id new_wa_id customer recipient_id user_id parent_user_id from_user_id
    from_parent_user_id to_user_id to_parent_user_id recipient_user_id recipient_parent_user_id parent_recipient_user_id
    recipient_participant_id recipient_participant_user_id recipient_participant_parent_user_id previous_user_id
    previous_parent_user_id phone phone_number display_phone_number requester message_template_button_phone_number`,
  name: `name formatted_name first_name last_name middle_name full_name prefix suffix company department
    requested_verified_name verified_name`,
  username: "username",
  sentence: "href details",
  id: "id message_id original_message_id group_id request_id",
  "business-id": "phone_number_id waba_id business_id owner_business_id client_business_id entity_id",
  opaque: `sha256 hash identity_key_hash recipient_identity_key_hash ctwa_clid click_id tracking_token flow_token
    biz_opaque_callback_data from_logical_id reference_id credential_id signup_id saved_address_id last_four_digits`,
  link: `url link image_url video_url thumbnail_url source_url invite_link message_template_button_url`,
  email: "email",
  time: "timestamp time expiration expiration_time_ms disable_date",
  coordinate: "latitude longitude",
  filename: "filename",
  form: "response_json",
  vcard: "vcard",
  sdp: "sdp",
  birthday: "birthday",
  emoji: "emoji",
};

const BY_MEMBER: ReadonlyMap<string, Kind> = new Map(
  Object.entries(BY_KIND).flatMap(([kind, members]) =>
    members.split(/\s+/).map((member) => [member, kind as Kind] as const),
  ),
);

export const MEDIA: readonly string[] = ["image", "video", "audio", "document", "sticker"];

/** Where the same member holds something else. */
const BY_PLACE: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...MEDIA.map((kind) => [`${kind}.id`, "media-id"] as const),
  ...MEDIA.map((kind) => [`${kind}.url`, "media-url"] as const),
  ...["button_reply", "list_reply", "reply", "rows", "quick_reply"].map((place) => [`${place}.id`, "own"] as const),
  // Of a promised send: the ids of what it answers, in whose letters there is a short name in every hundredth recording.
  [".answers", "id"],
  ["entry.id", "business-id"],
  ["threads.id", "address"],
  ["user_id.previous", "address"],
  ["user_id.current", "address"],
  ["parent_user_id.previous", "address"],
  ["parent_user_id.current", "address"],
  ["contacts.profile", "name"],
  ...["name", "address", "url"].map((member) => [`location.${member}`, "particulars"] as const),
  ...["street", "city", "state", "zip", "country", "country_code"].map(
    (member) => [`addresses.${member}`, "particulars"] as const,
  ),
  ["urls.url", "particulars"],
  ...["phones", "emails", "addresses", "urls"].map((place) => [`${place}.type`, "label"] as const),
  ["org.title", "particulars"],
  ["system.body", "system"],
  ["text.body", "body"],
  ["groups.invite_link", "opaque"],
  ["template.name", "word"],
  ["templates.name", "word"],
  ["action.name", "word"],
  ["nfm_reply.name", "word"],
  ["flow.name", "word"],
  ["errors.title", "sentence"],
  ["errors.message", "sentence"],
  ["user_preferences.value", "word"],
  ["user_preferences.detail", "sentence"],
  ["recipient.recipient", "address"],
]);

/** What their names say by themselves. */
const BY_ENDING: readonly (readonly [RegExp, Kind])[] = [
  [/_(timestamp|time)$/, "time"],
  [/_(type|status|state|severity|category)$/, "word"],
];

/** What a business asks for in a form has names of its own: only what tells a person is taken at its word. */
const IN_FORMS: ReadonlySet<Kind> = new Set<Kind>([
  ...(["address", "name", "username", "email", "id", "opaque", "birthday", "coordinate"] as const),
]);

/** What a member holds, by its name and by the one that its object stands in, past arrays. */
export type KindAt = (member: string, parent: string) => Kind;

export function kindInForm(member: string, parent: string): Kind {
  const kind = kindOf(member, parent);
  return IN_FORMS.has(kind) ? kind : "text";
}

/** What a business gives to its own form says as little in Meta's words as what comes back filled in. */
export function kindsWithin(member: string, parent: string, kindAt: KindAt): KindAt {
  const isForForm = member === "flow_action_data" || (member === "data" && parent === "flow_action_payload");
  return isForForm ? kindInForm : kindAt;
}

export function kindOf(member: string, parent: string): Kind {
  return (
    BY_PLACE.get(`${parent}.${member}`) ??
    BY_MEMBER.get(member) ??
    BY_ENDING.find(([ending]) => ending.test(member))?.[1] ??
    "text"
  );
}

/** What Meta's own words look like; anything else in such a place is taken for a text. */
export function isWord(value: string): boolean {
  return value.length <= 80 && /^[A-Za-z0-9][\w.+/:-]*(?:; ?[\w=.-]+)*$/.test(value) && !/\d{7}/.test(value);
}

/** Whether it is a word of Meta's, or a template's name, in a place for one. */
export function isMetas(value: string, member: string, parent: string): boolean {
  return kindOf(member, parent) === "word" && isWord(value);
}

/** A name that Meta gives to members, whoever is called so. */
export function isMetasMember(key: string): boolean {
  return BY_MEMBER.has(key);
}

/** What the names of Meta's members look like, and those that a business gives to the fields of a form. */
export function isMember(key: string): boolean {
  return /^[A-Za-z_]\w{0,60}$/.test(key) && !/\d{7}/.test(key);
}
