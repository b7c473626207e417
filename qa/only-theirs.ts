/** A delivery without whatever concerns others than the person who is recorded. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { isObject, objectOf, objectsIn } from "./lossless-json.ts";

/** Meta puts several people into one delivery: what concerns none of these names is left out. Undefined when nothing is left. */
export function onlyTheirs(json: unknown, names: ReadonlySet<string>): unknown {
  const body = objectOf(json);
  const entry = objectsIn(body.entry).flatMap((one) => {
    const changes = objectsIn(one.changes).flatMap((change) => {
      const value = theirPart(objectOf(change.value), names);
      return value === null ? [] : [{ ...change, value }];
    });
    return changes.length === 0 ? [] : [{ ...one, changes }];
  });
  return entry.length === 0 ? undefined : { ...body, entry };
}

/** Whose items are lists of several people's messages again. */
const HOLDS_LISTS: ReadonlySet<string> = new Set(["history", "threads", "standby"]);

/** Lists of messages and the like lose what is others'; null when nothing is left that says anything. */
function theirPart(value: WireObject, names: ReadonlySet<string>): WireObject | null {
  let isEmpty = true;
  const kept = Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (!Array.isArray(member)) {
        if (!isObject(member) || key === "metadata" || !mentions(member, names)) return [key, member];
        isEmpty = false;
        return [key, HOLDS_LISTS.has(key) ? theirPart(member, names) : member];
      }
      const theirs = member
        .filter((item) => mentions(item, names))
        .map((item) => (HOLDS_LISTS.has(key) && isObject(item) ? theirPart(item, names) : item));
      if (theirs.length > 0 && key !== "contacts") isEmpty = false;
      return [key, theirs];
    }),
  );
  return isEmpty ? null : kept;
}

function mentions(json: unknown, names: ReadonlySet<string>): boolean {
  if (typeof json === "string") return names.has(json) || names.has(json.replace(/\D/g, ""));
  if (Array.isArray(json)) return json.some((item) => mentions(item, names));
  return isObject(json) && Object.values(json).some((item) => mentions(item, names));
}
