/** A person who is forgotten: the files that they have sent go too, rows first and bytes right after. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFilesystemMediaStore } from "../../../adapters/media-store/filesystem.ts";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { createMediaRecords } from "../../../adapters/postgres/media.ts";
import { startChannel, TENANT, until } from "../../support/channel.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };
const BEN = { name: "Ben", phoneNumber: "447700900456" };
const PICTURE = Buffer.from("89504e470d0a1a0a", "hex");

describe("somebody who is erased", () => {
  it("leaves no file behind, and nobody else loses one", async () => {
    const channel = await startChannel();
    const records = createMediaRecords(
      createDatabase(channel.database.knex, { schema: "public", hostSchema: "public" }),
    );
    const store = createFilesystemMediaStore(channel.mediaDir);
    const mediaOf = async (person: typeof ADA) => {
      channel.meta.person(person).says("hello");
      const contact = await channel.until(
        async () =>
          (
            await channel.rows<{ id: string; conversation_id: string }>(
              "select id, conversation_id from whatsapp_contacts where phone_number = ? and conversation_id is not null",
              [person.phoneNumber],
            )
          )[0],
        "the contact",
      );
      const storageKey = await records.reserve(TENANT);
      async function* bytes() {
        yield PICTURE;
      }
      await store.put(storageKey, bytes(), { mime: "image/png" });
      const sha256 = createHash("sha256").update(PICTURE).digest("hex");
      const about = { kind: "image", filename: `of ${person.name}.png`, mime: "image/png", size: 8, sha256 } as const;
      const id = await records.keep({ ...about, customerConfigId: TENANT, storageKey }, Number.POSITIVE_INFINITY);
      await channel.rows(
        "update whatsapp_media set direction = 'in', contact_id = ?, conversation_id = ? where id = ?",
        [contact.id, contact.conversation_id, id],
      );
      return { id, path: join(channel.mediaDir, storageKey) };
    };
    const [ada, ben] = [await mediaOf(ADA), await mediaOf(BEN)];
    expect([existsSync(ada.path), existsSync(ben.path)]).toEqual([true, true]);

    expect(await channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).toMatchObject({ media: 1 });

    // At once for everybody who asks, and from the disk with the next upkeep.
    expect(await records.find(ada.id, TENANT)).toBeNull();
    await until(() => !existsSync(ada.path), "the file to be gone");
    expect(existsSync(ben.path)).toBe(true);
    expect(await records.find(ben.id, TENANT)).toMatchObject({ filename: "of Ben.png" });
    await until(
      async () => (await channel.rows("select 1 from whatsapp_media_leftovers")).length === 0,
      "nothing to be left over",
    );
    expect(await channel.plugin.erase({ phoneNumber: ADA.phoneNumber })).toMatchObject({ media: 0 });
  });
});
