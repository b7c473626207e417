/** The sample that Meta wants to see of a template with a picture, video or document in its header. */
import { ChannelError } from "../errors.ts";
import type { ByteStream, GraphApi, MediaRecords, MediaStore, SecretBox, Templates } from "../ports.ts";
import { readTenant, readUuid } from "../uuid.ts";

/** @see https://developers.facebook.com/docs/graph-api/guides/upload */
const SAMPLE_TYPES = ["image/jpeg", "image/png", "video/mp4", "application/pdf"];

/** Which file of the tenant is to be a sample of a template. */
export type SampleRequest = {
  readonly customerConfigId: string;
  /** From `POST /media/upload`. */
  readonly mediaId: string;
  /** The account that the template is for; without it any of the tenant's, because a sample is the app's. */
  readonly wabaId?: string | undefined;
};

/**
 * Gives Meta a file of the tenant's, in pieces that are gone on with after an interruption.
 * @returns what `example.header_handle` of the template takes, to be kept as it is.
 * @throws ChannelError MEDIA_NOT_FOUND, MEDIA_TYPE_UNSUPPORTED, CONNECTION_MISSING, CONFIG_INVALID without META_APP_ID, GRAPH_REJECTED, GRAPH_UNREACHABLE,
 * MEDIA_STORE_UNAVAILABLE.
 */
export type UploadSample = (request: SampleRequest) => Promise<{ readonly handle: string }>;

export type UploadSampleDeps = {
  readonly records: Pick<MediaRecords, "find">;
  readonly mediaStore: Pick<MediaStore, "get">;
  readonly templates: Pick<Templates, "accountOf">;
  readonly secretBox: Pick<SecretBox, "open">;
  readonly graphApi: Pick<GraphApi, "uploadSample">;
  readonly appId: string | null;
};

export function createUploadSample(deps: UploadSampleDeps): UploadSample {
  const { records, mediaStore, templates, secretBox, graphApi, appId } = deps;

  return async ({ wabaId, ...given }) => {
    const customerConfigId = readTenant(given.customerConfigId);
    const mediaId = readUuid(given.mediaId);
    if (appId === null)
      throw new ChannelError("CONFIG_INVALID", "A sample is uploaded to the app: set META_APP_ID.", { retry: "fix" });
    const media = mediaId === null ? null : await records.find(mediaId, customerConfigId);
    if (media === null || media.storageKey === null || media.mime === null || media.size === null)
      throw new ChannelError("MEDIA_NOT_FOUND", "This tenant has no media with this id, or their bytes are gone.");
    const { mime, size, storageKey, kind } = media;
    if (!SAMPLE_TYPES.includes(mime))
      throw new ChannelError(
        "MEDIA_TYPE_UNSUPPORTED",
        `A template's header takes no ${mime}. It may be ${SAMPLE_TYPES.join(", ")}.`,
      );
    const account = await templates.accountOf(customerConfigId, wabaId ?? null);
    if (account === null || account.accessTokenEnc === null)
      throw new ChannelError("CONNECTION_MISSING", "No number of this tenant is connected in that account.");
    const accessToken = secretBox.open(account.accessTokenEnc, {
      customerConfigId,
      rowId: account.connectionId,
      field: "access_token",
    });
    const filename = media.filename ?? `${kind}.${mime.slice(mime.indexOf("/") + 1)}`;
    const from = (offset: number) => bytesFrom(storageKey, offset, size);
    return { handle: await graphApi.uploadSample({ appId, accessToken, filename, mime, size, from }) };
  };

  async function* bytesFrom(storageKey: string, offset: number, size: number): ByteStream {
    if (offset >= size) return;
    const found = await mediaStore.get(storageKey, offset === 0 ? undefined : { first: offset, last: size - 1 });
    if (found === null)
      throw new ChannelError("MEDIA_STORE_UNAVAILABLE", "The media store has lost this file.", { retry: "backoff" });
    yield* found.bytes;
  }
}
