/** Media that people send: each rule with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const HOSTS = "plugin/media/media-hosts.ts";
const FETCH = "plugin/media/fetch-media.ts";
const BYTES = "plugin/media/checked-bytes.ts";
const STAGE = "plugin/pipeline/keep-media.ts";
const ROWS = "adapters/postgres/inbound-media.ts";
const NEW = "adapters/postgres/new-media.ts";
const TURNS = "adapters/postgres/turns.ts";

const HOST_TESTS = ["test/unit/media/media-hosts.test.ts"];
const FETCH_TESTS = ["test/unit/media/fetch-media.test.ts"];
const BYTES_TESTS = ["test/unit/media/checked-bytes.test.ts"];
const FAULTS = ["test/integration/media/inbound-faults.test.ts"];
const TURN_TESTS = ["test/integration/media/inbound.test.ts"];

export const FETCHED_MEDIA_MUTATIONS: readonly Mutation[] = [
  {
    rule: "fetched media: a host is Meta's label for label",
    file: HOSTS,
    find: "hostname === name || hostname.endsWith(",
    replace: "hostname.endsWith(name) || hostname.endsWith(",
    tests: HOST_TESTS,
  },
  {
    rule: "fetched media: an address with a name in it is none",
    file: HOSTS,
    find: 'return username === "" && password === "";',
    replace: "return username.length + password.length >= 0;",
    tests: HOST_TESTS,
  },
  {
    rule: "fetched media: only https",
    file: HOSTS,
    find: 'url.protocol === "https:" && ',
    replace: "",
    tests: HOST_TESTS,
  },
  {
    rule: "fetched media: the CDN gets no token",
    file: HOSTS,
    find: "getsToken: (url) => isSimulator(url) || isOneOf(url, WITH_TOKEN),",
    replace: "getsToken: (url) => isSimulator(url) || isOneOf(url, [...WITH_TOKEN, ...WITHOUT_TOKEN]),",
    tests: HOST_TESTS,
  },
  {
    rule: "fetched media: a redirect never takes the token along",
    file: FETCH,
    find: "const isFirst = redirects === 0 && hosts.getsToken(at);",
    replace: "const isFirst = hosts.isAllowed(at);",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: where a redirect leads is checked",
    file: FETCH,
    find: "if (!hosts.isAllowed(at))",
    replace: "if (redirects === 0 && !hosts.isAllowed(at))",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: two redirects at most",
    file: FETCH,
    find: "redirects === MOST_REDIRECTS",
    replace: "redirects === 7 * MOST_REDIRECTS",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: an address that has ended is looked up once more",
    file: FETCH,
    find: "if (LOOK_AGAIN.has(answer.status)) {",
    replace: "if (LOOK_AGAIN.has(answer.status + 1_000)) {",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: what is said to be too large is not asked for",
    file: FETCH,
    find: "if (found.size !== null && found.size > maxBytes[kind])",
    replace: "if (found.size === -1)",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: what stalls ends its connection",
    file: FETCH,
    find: "if (!isOver) cancel();",
    replace: "if (isOver) cancel();",
    tests: FETCH_TESTS,
  },
  {
    rule: "fetched media: no more bytes than the cap",
    file: BYTES,
    find: "if (size > maxBytes) {",
    replace: "if (size > 100 * maxBytes) {",
    tests: BYTES_TESTS,
  },
  {
    rule: "fetched media: the length is compared",
    file: BYTES,
    find: "said !== null && said !== size",
    replace: "said !== null && said < 0",
    tests: BYTES_TESTS,
  },
  {
    rule: "fetched media: the sum is compared",
    file: BYTES,
    find: "wanted.some((sum) => sum !== sha256)",
    replace: "wanted.length > 9",
    tests: BYTES_TESTS,
  },
  {
    rule: "fetched media: the type must fit the kind",
    file: STAGE,
    find: "if (!fitsKind(mime, kind))",
    replace: 'if (kind === "sticker" && !fitsKind(mime, kind))',
    tests: FAULTS,
  },
  {
    rule: "fetched media: ten errors an hour",
    file: STAGE,
    find: "if (others >= allowed)",
    replace: "if (others >= 10 * allowed)",
    tests: FAULTS,
  },
  {
    rule: "fetched media: a full store is tried again",
    file: STAGE,
    find: "if (!signal.aborted) await fail(media, error);",
    replace: 'if (!signal.aborted) await (error instanceof ChannelError ? expire(media, "full") : fail(media, error));',
    tests: FAULTS,
  },
  {
    rule: "fetched media: what Meta has no longer is not waited for",
    file: STAGE,
    find: "if (media.isTooOld)",
    replace: "if (media.isTooOld && media.attempts > 99)",
    tests: FAULTS,
  },
  {
    rule: "fetched media: the turn goes on when the last has come",
    file: ROWS,
    find: "wakeLanes(tx, db, [laneKey]);",
    replace: "",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: a turn does not wait for what will not come soon",
    file: STAGE,
    find: "if (await inboundMedia.letTurnGo(media)) deps.onSettled();",
    replace: "",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: the host hears of what no turn shows",
    file: ROWS,
    find: "else enqueueHostEvents(tx, db, [event]);",
    replace: "else enqueueHostEvents(tx, db, []);",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: a turn that shows it is not told as well",
    file: ROWS,
    find: "const isShown = inTurn.includes(id);",
    replace: "const isShown = inTurn.includes(laneKey);",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: a turn waits for its media",
    file: TURNS,
    find: "where t.sealed_at is not null or t.waits_until is null or t.waits_until <= now())",
    replace: ")",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: what is taken back is forgotten with its bytes",
    file: NEW,
    find: "if (keys.length > 0) await leaveBytes(tx, db, keys);",
    replace: "if (keys.length > 99) await leaveBytes(tx, db, keys);",
    tests: TURN_TESTS,
  },
  {
    rule: "fetched media: what is taken back while it settles stays so",
    file: ROWS,
    find: "if (before !== undefined && row === undefined) throw new LeaseLost();",
    replace: "",
    tests: ["test/integration/engine/changes.test.ts"],
  },
];
