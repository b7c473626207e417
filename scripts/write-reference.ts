/** `npm run reference`: writes the pages of docs/reference/ that are made from code; tests compare them with it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "@omniops/whatsapp/migrations";
import knexFactory from "knex";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { optionsPage } from "./reference-options.ts";
import { tablesPage } from "./reference-tables.ts";

writeFileSync("docs/reference/options.md", optionsPage());

const dataDir = mkdtempSync(join(tmpdir(), "reference-"));
const postgres = await startEmbeddedPostgres({ dataDir });
const knex = knexFactory({ client: "pg", connection: postgres.url });
try {
  await migrate(knex);
  writeFileSync("docs/reference/tables.md", await tablesPage(knex));
} finally {
  await knex.destroy();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
