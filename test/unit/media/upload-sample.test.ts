/** A template's sample: which bytes are asked for again after an interruption. */
import { describe, expect, it } from "vitest";
import { createUploadSample } from "../../../plugin/templates/upload-sample.ts";

const TENANT = "00000000-0000-4000-8000-000000000001";
const MEDIA = "00000000-0000-4000-8000-00000000000a";
const BYTES = Buffer.from("%PDF-1.7 and so on");

function uploadWith(appId: string | null, sent: string[] = []) {
  return createUploadSample({
    records: {
      find: async () => ({
        id: MEDIA,
        customerConfigId: TENANT,
        direction: "out",
        kind: "document",
        state: "stored",
        reason: null,
        filename: null,
        mime: "application/pdf",
        size: BYTES.byteLength,
        sha256: "",
        storageKey: "tenant/key",
      }),
    },
    mediaStore: {
      get: async (_key, range) => ({
        bytes: (async function* () {
          yield BYTES.subarray(range?.first ?? 0, (range?.last ?? BYTES.byteLength) + 1);
        })(),
        size: BYTES.byteLength,
      }),
    },
    templates: {
      accountOf: async () => ({ customerConfigId: TENANT, connectionId: "c", wabaId: "1", accessTokenEnc: "sealed" }),
    },
    secretBox: { open: (sealed) => `${sealed} opened` },
    graphApi: {
      async uploadSample({ accessToken, filename, from }) {
        sent.push(accessToken, filename);
        for (const offset of [0, 9, BYTES.byteLength])
          for await (const chunk of from(offset)) sent.push(Buffer.from(chunk).toString());
        return "4::aW";
      },
    },
    appId,
  });
}

describe("a template's sample", () => {
  it("is read from where Meta stands, with the token of a number of the tenant's, and is called something", async () => {
    const sent: string[] = [];

    const { handle } = await uploadWith("77", sent)({ customerConfigId: TENANT, mediaId: MEDIA });

    expect(handle).toBe("4::aW");
    expect(sent).toEqual(["sealed opened", "document.pdf", BYTES.toString(), "and so on"]);
  });

  it("needs the app's id, and says so", async () => {
    await expect(uploadWith(null)({ customerConfigId: TENANT, mediaId: MEDIA })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("META_APP_ID"),
    });
  });
});
