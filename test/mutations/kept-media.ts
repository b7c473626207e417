/** Media that are kept, served and uploaded: each rule with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const FOLDER = "adapters/media-store/filesystem.ts";
const BUCKET = "adapters/media-store/s3.ts";
const RECORDS = "adapters/postgres/media.ts";
const ROUTES = "plugin/http/media-routes.ts";
const FORM = "plugin/http/multipart-file.ts";
const UPLOAD = "plugin/media/upload-media.ts";
const TYPES = "plugin/media/sniff-type.ts";
const NAMES = "plugin/media/file-name.ts";
const LEFTOVERS = "plugin/media/remove-leftovers.ts";

const STORES = ["test/contract/media-store.test.ts"];
const ROWS = ["test/integration/media/leftovers.test.ts"];
const DOWNLOADS = ["test/integration/media/downloads.test.ts"];
const UPLOADS = ["test/integration/media/uploads.test.ts"];
const UNITS = ["test/unit/media/sniff-type.test.ts", "test/unit/media/file-name.test.ts"];

export const KEPT_MEDIA_MUTATIONS: readonly Mutation[] = [
  {
    rule: "media: a file is written under another name first",
    file: FOLDER,
    find: 'const temporary = join(partial, randomBytes(16).toString("hex"));',
    replace: "const temporary = path;\n      await mkdir(dirname(path), { recursive: true });",
    tests: STORES,
  },
  {
    rule: "media: what could not be written leaves nothing",
    file: FOLDER,
    find: "await rm(temporary, { force: true }).catch(() => undefined);",
    replace: "",
    tests: STORES,
  },
  {
    rule: "media: a full disk is told as full",
    file: FOLDER,
    find: 'new Set(["ENOSPC", ',
    replace: "new Set([",
    tests: STORES,
  },
  {
    rule: "media: files are read by their user only",
    file: FOLDER,
    find: '"wx", 0o600',
    replace: '"wx", 0o644',
    tests: STORES,
  },
  {
    rule: "media: what is being written is not swept",
    file: FOLDER,
    find: "found.mtime >= before",
    replace: "false",
    tests: STORES,
  },
  {
    rule: "media: a key is no path",
    file: "adapters/media-store/media-key.ts",
    find: "if (!KEY.test(key))",
    replace: "if (key.length > 1_000)",
    tests: STORES,
  },
  {
    rule: "media: a source that throws is heard as it was",
    file: BUCKET,
    find: "failure === null ? explain(error) : failure.error",
    replace: "explain(error)",
    tests: STORES,
  },
  {
    rule: "media: a link ends after fifteen minutes",
    file: BUCKET,
    find: "const LINK_SECONDS = 15 * 60;",
    replace: "const LINK_SECONDS = 24 * 60 * 60;",
    tests: STORES,
  },
  {
    rule: "media: a link is bound to a type",
    file: BUCKET,
    find: "        ResponseContentType: contentType,\n",
    replace: "",
    tests: STORES,
  },
  {
    rule: "media: what is due cannot be kept",
    file: RECORDS,
    find: " and remove_at > clock_timestamp() returning 1",
    replace: " returning 1",
    tests: ROWS,
  },
  {
    rule: "media: whoever does not know whether it was kept removes nothing",
    file: RECORDS,
    find: "await db.query(`update",
    replace: "await db.transaction((tx) => leaveBytes(tx, db, [storageKey]));\n      await db.query(`update",
    tests: ROWS,
  },
  {
    rule: "media: what a row has is no leftover",
    file: RECORDS,
    find: "await keepBytes(tx, db, { ...given, quotaBytes });",
    replace: "await usedBytes(tx, db, String(quotaBytes * 0 || given.customerConfigId));",
    tests: ROWS,
  },
  {
    rule: "T57: what a tenant has is counted by one at a time",
    file: RECORDS,
    find: 'await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [',
    replace: 'await tx.query("select $1::text", [',
    tests: ROWS,
  },
  {
    rule: "T57: a file that passes the share is refused while it comes",
    file: UPLOAD,
    find: "if (size > left) throw quotaExceeded(quotaBytes);",
    replace: "if (size > left + quotaBytes) throw quotaExceeded(quotaBytes);",
    tests: ["test/unit/media/upload-media.test.ts"],
  },
  {
    rule: "T57: a tenant has few uploads under way",
    file: UPLOAD,
    find: "if (before >= UPLOADS_AT_ONCE)",
    replace: "if (before >= 100 * UPLOADS_AT_ONCE)",
    tests: ["test/unit/media/upload-media.test.ts"],
  },
  {
    rule: "T56: media are looked up with their tenant",
    file: RECORDS,
    find: "where id = $1 and customer_config_id = $2`,",
    replace: "where id = $1 and $2::uuid is not null`,",
    tests: [...DOWNLOADS, ...ROWS],
  },
  {
    rule: "T54: a row's word for a type is not enough",
    file: ROUTES,
    find: "const contentType = inertType(media.mime);",
    replace: "inertType(media.mime);\n    const contentType = media.mime;",
    tests: DOWNLOADS,
  },
  {
    rule: "T54: no browser guesses",
    file: ROUTES,
    find: 'response.setHeader("x-content-type-options", "nosniff");',
    replace: "",
    tests: DOWNLOADS,
  },
  {
    rule: "T54: what is opened may do nothing",
    file: ROUTES,
    find: "\"sandbox; default-src 'none'\"",
    replace: "\"default-src 'self'\"",
    tests: DOWNLOADS,
  },
  {
    rule: "T54: a type is what the bytes say",
    file: TYPES,
    find: "return OPEN[sniffed]?.includes(named) === true ? named : sniffed;",
    replace: "return named || sniffed;",
    tests: UNITS,
  },
  {
    rule: "T54: what is no picture, sound or film is a download",
    file: ROUTES,
    find: 'isSafeInline(contentType) ? "inline" : "attachment"',
    replace: 'isSafeInline(contentType) ? "inline" : "inline"',
    tests: DOWNLOADS,
  },
  {
    rule: "T55: names lose what turns text around",
    file: NAMES,
    find: "\\u2028-\\u202e",
    replace: "\\u2028-\\u2029",
    tests: UNITS,
  },
  {
    rule: "T55: a saved picture is not called a page",
    file: NAMES,
    find: "const fits = known === undefined || known.includes(own.toLowerCase());",
    replace: 'const fits = own !== "" || known === undefined || known.includes(own.toLowerCase());',
    tests: UNITS,
  },
  {
    rule: "T55: a stored name is a harmless one",
    file: UPLOAD,
    find: "filename === null ? null : safeFileName(filename, mime)",
    replace: "safeFileName === undefined ? mime : filename",
    tests: UPLOADS,
  },
  {
    rule: "media: a client that goes away ends the reading",
    file: ROUTES,
    find: 'response.once("close", onClose);',
    replace: "",
    tests: DOWNLOADS,
  },
  {
    rule: "media: bytes are read no faster than they are taken",
    file: ROUTES,
    find: "if (!response.write(chunk)) await new Promise<void>((resolve) => afterwards(response, resolve));",
    replace: "response.write(chunk);",
    tests: DOWNLOADS,
  },
  {
    rule: "media: a store that breaks off does not end in a whole answer",
    file: FOLDER,
    find: 'if (bytesRead === 0) throw unavailable(new Error("The file is shorter than it was."));',
    replace: "if (bytesRead === 0) return;",
    tests: STORES,
  },
  {
    rule: "media: a form that breaks off is no file",
    file: FORM,
    find: "        await ended;\n",
    replace: "",
    tests: UPLOADS,
  },
  {
    rule: "media: a socket that closes ends the upload",
    file: FORM,
    find: "if (!request.complete) reject(incomplete());",
    replace: "",
    tests: UPLOADS,
  },
  {
    rule: "media: a file is no larger than Meta takes of its kind",
    file: UPLOAD,
    find: "if (size > maxBytes) throw tooLarge(kind, maxBytes);",
    replace: "",
    tests: UPLOADS,
  },
  {
    rule: "media: objects go before the notes of them",
    file: LEFTOVERS,
    find: "          removed.push(storageKey);\n        } catch (error) {",
    replace: "          removed.push(storageKey);\n        } catch (error) {\n          removed.push(storageKey);",
    tests: ROWS,
  },
  {
    rule: "media: a person's files go with them",
    file: RECORDS,
    find: "where contact_id = any($1) or conversation_id = any($2) order by id for update)",
    replace: "where contact_id = any($1) and conversation_id <> all($2) order by id for update)",
    tests: ["test/integration/media/erased.test.ts"],
  },
  {
    rule: "media: the bytes of what is erased are left over",
    file: RECORDS,
    find: "[contacts, conversations],\n  );\n  await leaveBytes(tx, db, keysOf(gone));",
    replace: "[contacts, conversations],\n  );\n  await leaveBytes(tx, db, keysOf(gone).slice(gone.length));",
    tests: ["test/integration/media/erased.test.ts"],
  },
  {
    rule: "media: what is on its way is never too old",
    file: RECORDS,
    find: " and state <> 'pending'\n",
    replace: "\n",
    tests: ROWS,
  },
];
