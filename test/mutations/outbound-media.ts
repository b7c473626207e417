/** Media that leave: each rule with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const GUARD = "plugin/media/guarded-fetch.ts";
const ADDRESSES = "plugin/media/public-address.ts";
const DISPATCH = "plugin/pipeline/dispatch-outbox.ts";
const PREPARE = "plugin/media/prepare-media.ts";

const FETCHES = ["test/unit/media/guarded-fetch.test.ts"];
const LEAVING = ["test/integration/media/outbound.test.ts"];
const OWN = ["test/integration/media/outbound-own.test.ts"];

export const OUTBOUND_MEDIA_MUTATIONS: readonly Mutation[] = [
  {
    rule: "T51: every address of a name must be public",
    file: GUARD,
    find: "for (const address of addresses) if (!mayAsk",
    replace: "for (const address of addresses.slice(0, 1)) if (!mayAsk",
    tests: FETCHES,
  },
  {
    rule: "T51: a redirect is looked at like the first address",
    file: GUARD,
    find: "url = readUrl(location, url);",
    replace: "url = new URL(location, url);",
    tests: FETCHES,
  },
  {
    rule: "T51: IPv4 in the form of IPv6 is not public",
    file: ADDRESSES,
    find: 'return family === 6 && global.check(address, "ipv6") && !special.check(address, "ipv6");',
    replace: 'return family === 6 && !special.check(address, "ipv6");',
    tests: ["test/unit/media/public-address.test.ts"],
  },
  {
    rule: "T51: this machine is asked in development only",
    file: GUARD,
    find: "if (allowLoopback && isLoopbackAddress(address)) return true;",
    replace: "if (isLoopbackAddress(address)) return true;",
    tests: FETCHES,
  },
  {
    rule: "media: a file without an end is cut off",
    file: GUARD,
    find: "if (count > about.maxBytes) throw tooLarge(about.maxBytes);",
    replace: "",
    tests: FETCHES,
  },
  {
    rule: "media: the upload ends before the attempt begins",
    file: DISPATCH,
    find: "const prepared = await preparePart(part, accessToken, signal);",
    replace:
      "await begin.add({ part, token: newToken() });\n    const prepared = await preparePart(part, accessToken, signal);",
    tests: OWN,
  },
  {
    rule: "media: what Meta had accepted and cannot show is followed by a link",
    file: "plugin/pipeline/prepare-part.ts",
    find: "return DEAD_LINK.has(code) ? withoutMedia(part) : null;",
    replace: "return code < 0 ? withoutMedia(part) : null;",
    tests: LEAVING,
  },
  {
    rule: "media: a picture that nobody can show takes no words and buttons with it",
    file: "plugin/pipeline/without-media.ts",
    find: "if (interactive !== undefined) return withoutHeader(part, interactive as Framed);",
    replace: "if (interactive !== undefined) return null;",
    tests: ["test/integration/media/outbound-headers.test.ts"],
  },
  {
    rule: "media: and once only, however often Meta says so",
    file: "adapters/postgres/statuses.ts",
    find: 'state === "failed" && was !== "failed" && error !== null',
    replace: 'state === "failed" && error !== null',
    tests: LEAVING,
  },
  {
    rule: "media: an id that Meta has lost is forgotten",
    file: DISPATCH,
    find: "await outboundMedia.forgetUploads(part.connection.phoneNumberId, known);",
    replace: "",
    tests: OWN,
  },
  {
    rule: "media: and one that it could not use later too, of which the attempt tells",
    file: DISPATCH,
    find: "mediaIds: used }",
    replace: "mediaIds: [] }",
    tests: LEAVING,
  },
  {
    rule: "media: what Meta refuses of ours at once is a link in the text",
    file: DISPATCH,
    find: "blamed.link && part.ambiguous.count === 0 ? withoutMedia(part) : null;",
    replace: "blamed.link && part.ambiguous.count === 0 ? withoutMedia({ ...part, payload: {} }) : null;",
    tests: LEAVING,
  },
  {
    rule: "media: what Meta has is not uploaded again",
    file: PREPARE,
    find: "await outboundMedia.rememberUpload({ ...file, metaMediaId: id, lifeMs: LIFE_MS });",
    replace: "",
    tests: LEAVING,
  },
  {
    rule: "media: another tenant's are refused",
    file: "adapters/postgres/media.ts",
    find: "where id = $1 and customer_config_id = $2`",
    replace: "where id = $1 and $2::uuid is not null`",
    tests: OWN,
  },
];
