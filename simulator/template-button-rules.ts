/** What Meta checks in the buttons of a template or of one of its cards, against those that it has approved. */
import { type Accepts, isObject, isText, isWhole, objectsOf } from "./accepts.ts";
import type { GraphErrorSpec } from "./graph-error.ts";
import {
  componentOf,
  formatMismatch,
  hasForbiddenSpace,
  type Part,
  parametersOf,
  textIn,
  upper,
  variablesIn,
} from "./template-parts.ts";
import type { WireObject } from "./wire.ts";

type ButtonRule = {
  readonly subType: string;
  /** Without a parameter the message is refused. */
  readonly isNeeded: boolean;
  /** Each type of parameter, once at most, with what its value may be. */
  readonly takes: Readonly<Record<string, Accepts>>;
};

const LONGEST_CODE = 15;
const ACTION = { action: isObject };

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components#buttons */
const RULES: Readonly<Record<string, ButtonRule>> = {
  QUICK_REPLY: { subType: "quick_reply", isNeeded: false, takes: { payload: isText(1, 256) } },
  // A limit of the whole address.
  URL: { subType: "url", isNeeded: true, takes: { text: isValue(2000) } },
  OTP: { subType: "url", isNeeded: true, takes: { text: isValue(LONGEST_CODE) } },
  COPY_CODE: { subType: "copy_code", isNeeded: true, takes: { coupon_code: isValue(20) } },
  CATALOG: { subType: "catalog", isNeeded: false, takes: ACTION },
  MPM: { subType: "mpm", isNeeded: true, takes: ACTION },
  FLOW: { subType: "flow", isNeeded: false, takes: ACTION },
  ORDER_DETAILS: { subType: "order_details", isNeeded: true, takes: ACTION },
  VOICE_CALL: {
    subType: "voice_call",
    isNeeded: false,
    takes: { ttl_minutes: isWhole(1, 43_200), payload: isText(1, 512) },
  },
};
/** Pages say 128, 256 and 512 for the quick reply of a card: the least of them holds. */
const CARD_QUICK_REPLY = { payload: isText(1, 128) };
const SUB_TYPES = [...new Set(Object.values(RULES).map(({ subType }) => subType.toUpperCase()))].sort();

/** The first thing that Meta would refuse; null when it takes the buttons. */
export function refusalOfButtons({ sent, approved, isCard }: Part): GraphErrorSpec | null {
  const buttons = objectsOf(componentOf(approved, "BUTTONS")?.buttons);
  const given = sent.filter(({ type }) => upper(type) === "BUTTON");
  return refusalOfPlaces(given, buttons) ?? firstOf(buttons, (button, index) => refusalOf(button, index));

  function refusalOf(button: WireObject, index: number): GraphErrorSpec | null {
    const parameters = objectsOf(given.find((component) => isAt(component, index))?.parameters);
    const type = upper(button.type);
    const rule = RULES[type];
    if (rule === undefined) return null;
    if (type === "URL" && variablesIn(String(button.url)).length === 0)
      return parameters.length === 0 ? null : unsupported(type, index);
    if (rule.isNeeded && parameters.length === 0) return missing(type, index);
    const takes = isCard && type === "QUICK_REPLY" ? CARD_QUICK_REPLY : rule.takes;
    return refusalOfParameters(parameters, takes, { type, index });
  }
}

/** Each component names a button that is there, with its type, and no two the same. */
function refusalOfPlaces(given: readonly WireObject[], buttons: readonly WireObject[]): GraphErrorSpec | null {
  const indexes = given.map(({ index }) => String(index));
  return firstOf(given, ({ index, sub_type: subType }, at) => {
    if (!SUB_TYPES.includes(upper(subType)))
      return {
        code: 100,
        message: `(#100) Param template['components'][sub_type] must be one of {${SUB_TYPES.join(", ")}}.`,
      };
    if (indexes.indexOf(String(index)) !== at)
      return { code: 100, details: `buttons: There is more than one component for the button at index ${index}` };
    const type = upper(buttons.find((_, place) => isAt({ index }, place))?.type);
    if (type !== "" && RULES[type] === undefined) return unsupported(type, index);
    return RULES[type]?.subType === String(subType).toLowerCase()
      ? null
      : formatMismatch(`button at index ${index}`, type === "" ? "no button" : type, upper(subType));
  });
}

function refusalOfParameters(
  parameters: readonly WireObject[],
  takes: ButtonRule["takes"],
  { type, index }: { readonly type: string; readonly index: number },
): GraphErrorSpec | null {
  const types = parameters.map((parameter) => String(parameter.type));
  const foreign = types.find((one) => !Object.hasOwn(takes, one));
  if (foreign !== undefined)
    return formatMismatch(`button at index ${index}`, Object.keys(takes).join(" or "), foreign);
  if (types.some((one, at) => types.indexOf(one) !== at))
    return {
      code: 132000,
      details: `buttons: Button at index ${index} of type ${type} was given ${parameters.length} parameters`,
    };
  return firstOf(parameters, (parameter) => {
    const value = parameter[String(parameter.type)];
    if (value === undefined || value === null || (typeof value === "string" && value.trim() === ""))
      return missing(type, index);
    return takes[String(parameter.type)]?.(value)
      ? null
      : { code: 132018, details: `buttons: Button at index ${index} of type ${type} has a value that is not valid` };
  });
}

/** A one-time code is the same in the body and in the button that copies it, and short. */
export function refusalOfCode(sent: readonly WireObject[]): GraphErrorSpec | null {
  const [inBody] = parametersOf(sent, "BODY");
  const code = inBody === undefined ? null : textIn(inBody);
  const buttons = sent.filter(({ type, sub_type: subType }) => upper(type) === "BUTTON" && upper(subType) === "URL");
  const isRight = buttons.flatMap(({ parameters }) => objectsOf(parameters)).every((one) => textIn(one) === code);
  if (isRight && (code === null || buttons.length === 0 || code.length <= LONGEST_CODE)) return null;
  return {
    code: 132018,
    details: `The one-time code has at most ${LONGEST_CODE} characters and is the same in the body and in its button`,
  };
}

function missing(type: string, index: number): GraphErrorSpec {
  return { code: 131008, details: `buttons: Button at index ${index} of type ${type} requires a parameter` };
}

function unsupported(type: string, index: unknown): GraphErrorSpec {
  return { code: 100, details: `buttons: Button at index ${index} is of type ${type} and does not support parameters` };
}

function isValue(longest: number): Accepts {
  return (value) => isText(1, longest)(value) && !hasForbiddenSpace(String(value));
}

/** Meta takes the place of a button as a number and as a text. */
function isAt({ index }: WireObject, place: number): boolean {
  return String(index) === String(place);
}

function firstOf<T>(
  items: readonly T[],
  refusalOf: (item: T, index: number) => GraphErrorSpec | null,
): GraphErrorSpec | null {
  for (const [index, item] of items.entries()) {
    const refusal = refusalOf(item, index);
    if (refusal !== null) return refusal;
  }
  return null;
}
