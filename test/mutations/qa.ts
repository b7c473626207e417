/** Recordings without people: each rule with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const SCRUB = "qa/scrub.ts";
const CARDS = "qa/vcard.ts";
const IN_CARDS = ["test/unit/qa/cards.test.ts"];
const SCRUBBED = ["test/unit/qa/scrub.test.ts"];
const OTHER_SCRIPTS = ["test/unit/qa/other-scripts.test.ts"];
const RECORDED = ["test/unit/qa/recording.test.ts"];
const ATTACKS = ["test/unit/qa/attacks.test.ts"];
const REPLAYED = ["test/unit/qa/replay.test.ts"];
const WORKFLOW = ["test/integration/qa/workflow.test.ts"];

export const QA_MUTATIONS: readonly Mutation[] = [
  {
    rule: "qa: who stands in a card is replaced in what others write",
    file: SCRUB,
    find: "        people.learnName(name);\n      learnWords(value);",
    replace: "        void name;\n      learnWords(value);",
    tests: IN_CARDS,
  },
  {
    rule: "qa: a name in a card is replaced by a name",
    file: CARDS,
    find: 'property === "fn" || property === "n"',
    replace: 'property === "n"',
    tests: IN_CARDS,
  },
  {
    rule: "qa: a text in an emoji's place is a text",
    file: SCRUB,
    find: "emoji: (value) => (/\\p{L}|(?:\\p{N}\\ufe0f?\\u20e3?){3}/u.test(value) ? shapeText(value) : value),",
    replace: "emoji: (value) => value,",
    tests: SCRUBBED,
  },
  {
    rule: "qa: two originals have two stand-ins",
    file: "qa/pseudonyms.ts",
    find: "owners.has(owned) || ",
    replace: "",
    tests: SCRUBBED,
  },
  {
    rule: "qa: no stand-in is somebody's",
    file: "qa/pseudonyms.ts",
    find: " || !isNobodys || isReal(candidate)) continue;",
    replace: ") continue;",
    tests: SCRUBBED,
  },
  {
    rule: "qa: of a card only what its program says stays",
    file: CARDS,
    find: "if (!KNOWN_PROPERTIES.has(property) && !OWN.test(property)) return text(line);",
    replace: "if (at === -1) return text(line);",
    tests: IN_CARDS,
  },
  {
    rule: "qa: somebody's own word for a number is a text",
    file: "qa/kinds.ts",
    find: '"label"] as const),',
    replace: '"word"] as const),',
    tests: IN_CARDS,
  },
  {
    rule: "qa: the checker reads what is written in a card",
    file: "qa/check.ts",
    find: "    collectText(writtenInCard(card), secrets, mode);\n",
    replace: "",
    tests: IN_CARDS,
  },
  {
    rule: "qa: a digit of any script, or on a key's cap, is one of a number",
    file: "qa/spelling.ts",
    find: 'const DIGIT = "\\\\p{Nd}\\\\ufe0f?\\\\u20e3?";',
    replace: 'const DIGIT = "[0-9٠-٩۰-۹०-९০-৯๐-๙０-９]";',
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: digits of a name are replaced in any script",
    file: SCRUB,
    find: 'withDigits(digits, pseudonyms.alike("digits", asciiDigits(digits)))',
    replace: "digits",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: a name is one without its space, and with its dots written out",
    file: "qa/clean-text.ts",
    find: "for (const word of [...own, ...joinedIn(words)]) {",
    replace: "for (const word of own) {",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: the checker knows a name without its space",
    file: "qa/check.ts",
    find: ", ...joinedIn(all)])",
    replace: "])",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: what friends and strangers say of an unspaced name is a name",
    file: "qa/spelling.ts",
    find: "return [part, family, given];",
    replace: "return [part, given];",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: a word of a file's name is nobody's in a text",
    file: "qa/check.ts",
    find: 'if (kind === "filename" && secrets.fileWords',
    replace: "if (secrets.fileWords",
    tests: ["test/unit/qa/attacks.test.ts"],
  },
  {
    rule: "qa: digits that are nobody's stay in what the business made",
    file: SCRUB,
    find: "own: people.cleanOwn,",
    replace: "own: clean,",
    tests: RECORDED,
  },
  {
    rule: "qa: a number that somebody has written is in nothing that the business made",
    file: SCRUB,
    find: "if (!TELLS_NO_NUMBER.has(kind)) people.learnTold(value);",
    replace: "",
    tests: RECORDED,
  },
  {
    rule: "qa: an email address has one shape, whoever's it is",
    file: "qa/shape-text.ts",
    find: '.replace(EMAILS, "xxxx@xxxx.xxx")',
    replace: "",
    tests: RECORDED,
  },
  {
    rule: "qa: a host elsewhere has time to think",
    file: "cli/replay.ts",
    find: ", quietMs: patience * 1000",
    replace: "",
    tests: ["test/unit/qa/replay-elsewhere.test.ts"],
  },
  {
    rule: "qa: nothing that was sent is no promise",
    file: "cli/replay.ts",
    find: "values.to !== undefined && result.counts.sent === 0",
    replace: "values.to !== undefined && result.counts.sent < 0",
    tests: ["test/unit/qa/replay-elsewhere.test.ts"],
  },
  {
    rule: "qa: words of other scripts in an address's or an id's place are words",
    file: "qa/pseudonyms.ts",
    find: "if (!/^[A-Za-z0-9]/.test(character)) return shapeText(character);",
    replace: "if (!/^[A-Za-z0-9]/.test(character)) return character;",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: the checker looks for words in an address's place",
    file: "qa/check.ts",
    find: "} else if (/\\p{L}/u.test(value)) collectText(value, secrets, mode);",
    replace: "}",
    tests: OTHER_SCRIPTS,
  },
  {
    rule: "qa: a recording is cleaned of whoever is stored, also elsewhere",
    file: "cli/record.ts",
    find: "        known,\n",
    replace: "",
    tests: WORKFLOW,
  },
  {
    rule: "qa: what a host gives to its own form is as little Meta's as what comes back",
    file: "qa/kinds.ts",
    find: "return isForForm ? kindInForm : kindAt;",
    replace: "return kindAt;",
    tests: ATTACKS,
  },
  {
    rule: "qa: a form's field is named by nobody",
    file: SCRUB,
    find: "return isMember(key) && !isMetasMember(key) ? clean(key) : keyOf(key);",
    replace: "return keyOf(key);",
    tests: ATTACKS,
  },
  {
    rule: "qa: one or two digits are an answer to a list only as a message of their own",
    file: "qa/kinds.ts",
    find: '  ["text.body", "body"],\n',
    replace: "",
    tests: ATTACKS,
  },
  {
    rule: "qa: a token in a link is taken whole, before anything in it is decoded",
    file: "qa/clean-text.ts",
    find: "    rule(LINK_TOKEN, (token) => (/[%.]/.test(token) ? (known(token) ?? linkToken(token)) : null)),\n",
    replace: "",
    tests: ATTACKS,
  },
  {
    rule: "qa: a name with an ending or a prefix is that name",
    file: "qa/clean-text.ts",
    find: "[...foldings(word), ...bareFoldings(word)]",
    replace: "foldings(word)",
    tests: ATTACKS,
  },
  {
    rule: "qa: a number that is known is one whatever takes it apart",
    file: "qa/clean-text.ts",
    find: "    byScatteredNumber,\n",
    replace: "",
    tests: ATTACKS,
  },
  {
    rule: "qa: a file is the same by its link and by its id",
    file: "qa/comparable.ts",
    find: "return link === undefined ? media : { ...media, id: FILE };",
    replace: "return link === undefined ? media : { ...media, link };",
    tests: REPLAYED,
  },
  {
    rule: "qa: an answer is promised to the address that was written from",
    file: "qa/make-recording.ts",
    find: 'senders.get(last ?? "") ?? ',
    replace: "",
    tests: RECORDED,
  },
  {
    rule: "qa: nobody's messages overtake their own",
    file: "qa/plan-posts.ts",
    find: "({ json }) => writersIn(json, canonical))",
    replace: "() => [])",
    tests: REPLAYED,
  },
  {
    rule: "qa: nothing is written that the checker has found somebody in",
    file: "cli/record.ts",
    find: "out: isDry || leaks.length > 0 ? null : out,",
    replace: "out: isDry ? null : out,",
    tests: WORKFLOW,
  },
];
