/**
 * T17: nothing that any test sends, parses or answers changes the prototypes that every object shares.
 * They are compared and not frozen: frozen ones forbid an object a `toString` of its own, which libraries rely on, and slow
 * V8 down enough to fail the tests of growth.
 */
import { afterAll, expect } from "vitest";

const SHARED = [Object, Array, Function, String, Number, Boolean, RegExp, Map, Set, Promise, Error].map(
  ({ prototype }) => prototype as object,
);
const before = SHARED.map((prototype) => Object.getOwnPropertyDescriptors(prototype));

afterAll(() => {
  for (const [i, prototype] of SHARED.entries()) {
    const now = Object.getOwnPropertyDescriptors(prototype);
    const changed = Reflect.ownKeys(now).filter((name) => {
      const [was, is] = [before[i], now].map((all) => (all as Record<PropertyKey, PropertyDescriptor>)[name]);
      return was?.value !== is?.value || was?.get !== is?.get || was?.set !== is?.set;
    });
    expect(changed, "changes of a prototype that every object shares").toEqual([]);
  }
});
