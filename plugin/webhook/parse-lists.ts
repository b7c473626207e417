/** A change whose value holds lists: every element of every list becomes its own event, the unknown ones too. */
import type { ChannelEvent } from "../contract.ts";
import { type ChangeContext, type ParseChange, unsupportedItem } from "./change-context.ts";
import { objectsIn, type Wire } from "./wire.ts";

type ParseItem = (item: Wire, change: ChangeContext) => ChannelEvent | readonly ChannelEvent[];

/** @param parsers by the name of the list, in the order in which the events are wanted. */
export function parseLists(parsers: Readonly<Record<string, ParseItem>>): ParseChange {
  const known = Object.entries(parsers);
  return (value, change) => {
    const events: ChannelEvent[] = [];
    for (const [list, parse] of known)
      for (const item of objectsIn(value[list])) {
        const made = parse(item, change);
        // Not spread into `push`: a list can be longer than a call can have arguments.
        if ("kind" in made) events.push(made);
        else for (const event of made) events.push(event);
      }
    // Whatever else Meta puts beside them, such as `errors`.
    for (const [list, items] of Object.entries(value))
      if (list !== "contacts" && !Object.hasOwn(parsers, list))
        for (const item of objectsIn(items)) events.push(unsupportedItem(list, item, change));
    return events;
  };
}
