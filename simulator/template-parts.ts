/** Reads the components of a template, as approved and as sent. */
import { isObject, objectsOf } from "./accepts.ts";
import type { GraphErrorSpec } from "./graph-error.ts";
import type { WireObject } from "./wire.ts";

/** The components that were sent, and those that were approved: of the whole template, or of one card. */
export type Part = {
  readonly sent: readonly WireObject[];
  readonly approved: readonly WireObject[];
  readonly isNamed: boolean;
  readonly isCard: boolean;
};

export const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/** The names of the variables of a text, each once. */
export function variablesIn(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(VARIABLE), ([, name = ""]) => name))];
}

/** What a parameter puts into a text; null when it has no words. */
export function textIn(parameter: WireObject): string | null {
  const content = parameter[String(parameter.type)];
  const value = isObject(content) ? content.fallback_value : content;
  return typeof value === "string" ? value : null;
}

export function componentOf(components: readonly WireObject[], type: string): WireObject | undefined {
  return components.find((component) => upper(component.type) === upper(type));
}

export function parametersOf(components: readonly WireObject[], type: string): readonly WireObject[] {
  return objectsOf(componentOf(components, type)?.parameters);
}

export function formatMismatch(where: string, expected: string, received: string): GraphErrorSpec {
  return { code: 132012, details: `${where}: Format mismatch, expected ${expected}, received ${received}` };
}

/** Whether it has what Meta takes in no value of a template. */
export function hasForbiddenSpace(text: string): boolean {
  return /[\n\r\t]| {5,}/.test(text);
}

export function upper(value: unknown): string {
  return typeof value === "string" ? value.toUpperCase() : "";
}
