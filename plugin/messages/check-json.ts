/** JSON that is passed on as it is: what of it could not be stored or sent. */
import { isStorable } from "../storable.ts";
import { type Check, isFields } from "./check-value.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";

const DEEPEST = 64;
const UNSTORABLE = "holds a NUL character or half of a surrogate pair";

/** How much may still be looked at, and the objects that the value is inside of. */
type Walk = { left: number; readonly ancestors: Set<object> };

/** A plain object of plain JSON. Never follows a circle, calls `toJSON`, or runs deeper than Postgres would. */
export const jsonObject: Check = (value, place) => {
  if (!isFields(value)) return place.report("is not an object", "Give an object.");
  const walk: Walk = { left: LIMITS.rawJson.max, ancestors: new Set() };
  const isPlain = isPlainJson(value, place, walk);
  if (walk.left <= 0 || (isPlain && Buffer.byteLength(JSON.stringify(value)) > LIMITS.rawJson.max))
    place.report(
      `is more than ${LIMITS.rawJson.max} bytes as JSON`,
      "Send less, or send it as media.",
      LIMITS.rawJson.max,
    );
};

/** Reports the first thing that is no JSON and says whether there was none. */
function isPlainJson(value: unknown, place: Place, walk: Walk): boolean {
  walk.left -= 1;
  if (walk.left <= 0) return false;
  if (value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
    return true;
  if (typeof value === "string") return isStorable(value) || refuse(place, UNSTORABLE);
  if (typeof value !== "object") return refuse(place, "is nothing that JSON can hold");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return refuse(place, "is not a plain object");
  if (walk.ancestors.has(value)) return refuse(place, "refers back to what it is part of");
  if (walk.ancestors.size >= DEEPEST) return refuse(place, `is nested deeper than ${DEEPEST}`);
  walk.ancestors.add(value);
  const isPlain = Array.isArray(value)
    ? Array.from(value).every((item: unknown, index) => isPlainJson(item, place.item(index), walk))
    : Object.entries(value).every(
        // JSON leaves an undefined member out, as if it were not there.
        ([name, member]) =>
          (isStorable(name) || refuse(place, UNSTORABLE)) &&
          (member === undefined || isPlainJson(member, place.member(name), walk)),
      );
  walk.ancestors.delete(value);
  return isPlain;
}

function refuse(place: Place, problem: string): false {
  place.report(problem, "Give plain JSON: texts, numbers, true, false, null, arrays and objects of them.");
  return false;
}
