/** What has become of media that people have sent. */
import type { MediaState } from "../../plugin/ports.ts";
import type { Database, Queries } from "./database.ts";

export function readMediaStates(on: Queries, db: Database, ids: readonly string[]): Promise<readonly MediaState[]> {
  return on.query<MediaState>(
    `select id, state, mime, size::float8 as size, storage_key as "storageKey", reason from ${db.name("whatsapp_media")}
     where id = any($1::uuid[])`,
    [ids],
  );
}
