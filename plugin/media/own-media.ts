/** The tenant's own media in what is to be sent: bytes become ids before it is stored, and ids of others are refused. */
import type { AiMedia, AiResponse, OutboundMessage } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { checkMessage } from "../messages/check-message.ts";
import type { MediaRecords } from "../ports.ts";
import { readUuid } from "../uuid.ts";
import type { KeepBytes } from "./keep-bytes.ts";

/** Whose they are, asked only where there are any. */
export type Owner = () => Promise<{ readonly customerConfigId: string; readonly conversationId: string }>;

export type What =
  | { readonly response: AiResponse | string }
  | { readonly message: OutboundMessage }
  | { readonly template: unknown };

export type OwnMedia = {
  /** @returns the same without bytes; what is wrong with a message is left for its check. */
  keep<Given extends What>(what: Given, owner: Owner): Promise<Given>;
  /** @throws ChannelError MEDIA_NOT_FOUND for the first id that is not this tenant's, or has no bytes. */
  require(messages: readonly unknown[], owner: Owner): Promise<void>;
};

export function createOwnMedia(deps: {
  readonly keepBytes: KeepBytes;
  readonly records: Pick<MediaRecords, "find">;
}): OwnMedia {
  const { keepBytes, records } = deps;

  async function keepOne<Media extends Pick<AiMedia, "kind" | "bytes" | "mime" | "caption" | "filename">>(
    media: Media,
    owner: Owner,
  ): Promise<Media> {
    const { bytes, mime, ...rest } = media;
    if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0 || typeof mime !== "string") return media;
    const { kind, filename, caption } = media;
    const file = { kind, bytes, mime, filename, hasCaption: (caption ?? "") !== "" };
    return { ...rest, mediaId: await keepBytes(file, await owner()) } as unknown as Media;
  }

  return {
    async keep(what, owner) {
      if ("message" in what) {
        const { message } = what;
        if (!("bytes" in message) || checkMessage(message).length > 0) return what;
        return { ...what, message: await keepOne(message, owner) };
      }
      if (!("response" in what) || typeof what.response === "string") return what;
      const { media } = what.response;
      if (!Array.isArray(media) || !media.some((one: AiMedia) => one?.bytes !== undefined)) return what;
      const kept: AiMedia[] = [];
      for (const one of media as readonly AiMedia[]) kept.push(await keepOne(one, owner));
      return { ...what, response: { ...what.response, media: kept } };
    },

    async require(messages, owner) {
      const ids = new Set(messages.flatMap(idsIn));
      if (ids.size === 0) return;
      const { customerConfigId } = await owner();
      for (const id of ids)
        if ((await records.find(id, customerConfigId))?.state !== "stored")
          throw new ChannelError("MEDIA_NOT_FOUND", "This tenant has no media with this id, or their bytes are gone.");
    },
  };
}

/** What leads to media in a message of ours. A `mediaId` elsewhere is the host's own: in the data of a Flow, say. */
const WAYS: ReadonlySet<string> = new Set(["params", "header", "cards"]);

/** What cannot be an id is left for the message's check, which says so. */
function idsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(idsIn);
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    if (name === "mediaId") return readUuid(member) ?? [];
    return WAYS.has(name) ? idsIn(member) : [];
  });
}
