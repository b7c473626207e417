/** Which of two forms a value has, for hosts that spell an absent member as `undefined`. */

/** Whether the member is there; an explicit `undefined` is as good as absent. */
export function has<Value extends object, Member extends string>(
  value: Value,
  member: Member,
): value is Extract<Value, Readonly<Record<Member, unknown>>> {
  return (value as Readonly<Record<string, unknown>>)[member] !== undefined;
}
