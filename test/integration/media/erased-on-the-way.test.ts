/** A person who is forgotten while a file of theirs is still on its way from Meta. */
import { describe, expect, it } from "vitest";
import { quiet } from "../../support/channel.ts";
import { ADA, PICTURE, startWithMedia } from "./files.ts";

describe("somebody who is erased while a file of theirs is on its way", () => {
  it("leaves neither row, lane nor bytes, and the worker that brings them ends in peace", async () => {
    const { ada, meta, media, mediaStore, channel } = await startWithMedia({ plugin: { mediaWaitMs: 0 } });
    meta.faults.next({ on: "media-download", do: "slow", ms: 1_000 });
    ada.sendsMedia(PICTURE);
    await channel.until(
      async () =>
        (await channel.rows("select 1 from whatsapp_lanes where stage = 'media' and lease_token is not null")).length >
        0,
      "the worker to be at it",
    );
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_media where conversation_id is not null")).length > 0,
      "the row",
    );

    expect(await channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).toMatchObject({ media: 1 });

    await quiet(channel);
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_media_leftovers")).length === 0,
      "nothing to be left over",
    );
    expect(await media()).toEqual([]);
    expect([...mediaStore.objects.keys()]).toEqual([]);
    expect(await channel.rows("select lane_key from whatsapp_lanes where stage = 'media'")).toEqual([]);
    expect(channel.events.filter(({ kind }) => kind === ("media" as never))).toEqual([]);
  });

  it("loses what has come as well", async () => {
    const { ada, asked, mediaStore, channel, media } = await startWithMedia();
    ada.sendsMedia(PICTURE);
    await asked();
    await quiet(channel);
    expect(mediaStore.objects.size).toBe(1);

    expect(await channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).toMatchObject({ media: 1 });

    await channel.until(() => mediaStore.objects.size === 0, "the bytes to be gone");
    expect(await media()).toEqual([]);
  });
});
