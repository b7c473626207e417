/** Makes a recorded delivery fit where it is replayed: ids that this run knows, numbers that are connected there, files that exist. */
import type { Simulator } from "@omniops/whatsapp/simulator";
import { isObject, textOf } from "./lossless-json.ts";
import { placeholderFor } from "./placeholder-files.ts";

export type Rewriter = {
  rewrite(json: unknown): unknown;
  /** A message that was sent now takes the place of the one that was promised. */
  sentAs(recorded: string, now: string): void;
  /** The other way: what was sent now, in the recording's ids. */
  restore(json: unknown): unknown;
};

const MEDIA = new Set(["image", "video", "audio", "document", "sticker"]);

export function createRewriter(options: {
  readonly keepMedia: Simulator["keepMedia"];
  /** Recorded id of a number or account → the one that it is here. */
  readonly businessIds: ReadonlyMap<string, string>;
  /** Makes a new message id, for a host that may have seen the recorded one; null keeps them. */
  readonly newId: (() => string) | null;
}): Rewriter {
  const { keepMedia, businessIds, newId } = options;
  const now = new Map(businessIds);
  const recorded = new Map([...businessIds].map(([one, other]) => [other, one]));
  const files = new Map<string, ReturnType<Simulator["keepMedia"]> | null>();

  function idNow(value: string): string {
    const known = now.get(value);
    if (known !== undefined || newId === null || !/^wa[a-z]id\./.test(value)) return known ?? value;
    const fresh = newId();
    now.set(value, fresh);
    recorded.set(fresh, value);
    return fresh;
  }

  function fileNow(value: Readonly<Record<string, unknown>>): unknown {
    const id = textOf(value.id);
    const mime = textOf(value.mime_type);
    if (id === null || mime === null) return value;
    if (!files.has(id)) files.set(id, keepMedia({ bytes: placeholderFor(mime), mime }));
    const { url: _, ...rest } = value;
    return { ...rest, ...files.get(id) };
  }

  function walk(json: unknown, id: (value: string) => string, withFiles: boolean, member = ""): unknown {
    if (typeof json === "string") return id(json);
    if (Array.isArray(json)) return json.map((item) => walk(item, id, withFiles, member));
    if (!isObject(json)) return json;
    const value = withFiles && MEDIA.has(member) ? fileNow(json) : json;
    return Object.fromEntries(
      Object.entries(value as object).map(([key, one]) => [key, walk(one, id, withFiles, key)]),
    );
  }

  return {
    rewrite: (json) => walk(json, idNow, true),
    sentAs(before, after) {
      now.set(before, after);
      recorded.set(after, before);
    },
    restore: (json) => walk(json, (value) => recorded.get(value) ?? value, false),
  };
}
