/** Somebody's card, as phones share it: what its program says in it, and what a person has written. */

const PROPERTIES = `adr agent anniversary bday begin caladruri caluri categories class email end fburl fn gender geo impp key kind
  label lang logo mailer member n name nickname note org photo prodid profile rel rev role sort-string sound source tel title tz uid
  url version xml`;
const PARAMETERS = "altid calscale charset encoding geo label language mediatype pid pref sort-as type tz value waid";
/** What kind of a number, address or place it is, and how it is written. */
const LABELS = `applewatch b base64 bbs car cell dom fax fax_home fax_work home home_fax internet intl iphone isdn main mobile modem
  msg other pager parcel pcs personal postal pref quoted-printable text textphone uri url utf-8 video voice work work_fax x400 8bit
  binary date date-time jpeg png gif us-ascii iso-8859-1 1 2 3`;

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));
const [KNOWN_PROPERTIES, KNOWN_PARAMETERS, KNOWN_LABELS] = [PROPERTIES, PARAMETERS, LABELS].map(setOf) as [
  ReadonlySet<string>,
  ReadonlySet<string>,
  ReadonlySet<string>,
];
/** A program's own. */
const OWN = /^x-[\w-]+$/i;

/** Of a number, an address or a link: what a phone offers to choose from; anything else is somebody's own word. */
export function isLabel(label: string): boolean {
  return label.split(",").every((one) => KNOWN_LABELS.has(one.toLowerCase()));
}

/** What stands in a card in the place of what was there. */
export type CardParts = {
  readonly name: (value: string) => string;
  readonly number: (value: string) => string;
  /** Whatever somebody has written. */
  readonly text: (value: string) => string;
};

/** Long lines go on in the next one. */
export function unfolded(card: string): string {
  return card.replace(/\r?\n[ \t]/g, "");
}

/** The same card of another person. */
export function otherCard(card: string, parts: CardParts): string {
  return unfolded(card)
    .split(/(?<=\n)/)
    .map((line) => otherLine(line, parts))
    .join("");
}

function otherLine(line: string, { name, number, text }: CardParts): string {
  const at = line.indexOf(":");
  const [field = "", ...parameters] = line.slice(0, Math.max(at, 0)).split(";");
  const property = field.replace(/^item\d{1,3}\./i, "").toLowerCase();
  if (!KNOWN_PROPERTIES.has(property) && !OWN.test(property)) return text(line);
  if (/^(?:begin|end|version)$/.test(property) && parameters.length === 0 && /^[\w.]{1,6}\s*$/.test(line.slice(at + 1)))
    return line;
  const told = parameters.map((parameter) => {
    const value = parameter.indexOf("=") + 1;
    const what = parameter.slice(0, Math.max(value - 1, 0)).toLowerCase();
    const rest = parameter.slice(value);
    if (value > 0 && !KNOWN_PARAMETERS.has(what) && !OWN.test(what)) return text(parameter);
    if (what === "waid" && /^\d+$/.test(rest)) return parameter.slice(0, value) + number(rest);
    return isLabel(rest) ? parameter : parameter.slice(0, value) + text(rest);
  });
  const isName = property === "fn" || property === "n";
  return `${[field, ...told].join(";")}:${isName ? name(line.slice(at + 1)) : text(line.slice(at + 1))}`;
}

const WORDS_OF_CARDS = setOf(
  [PROPERTIES, PARAMETERS, LABELS].join(" ").toLowerCase().replace(/[-_]/g, " ").concat(" item vcard"),
);

/** All of a card that no program says by itself: its own words are left out, wherever they stand. */
export function writtenInCard(card: string): string {
  return unfolded(card)
    .replace(/(?<=^|;|\.)x-[\w-]+(?=[;:=])/gim, "")
    .replace(/\p{L}+/gu, (word) => (WORDS_OF_CARDS.has(word.toLowerCase()) ? "" : word));
}
