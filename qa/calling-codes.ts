/** Which digits of a number are its country's calling code. @see https://www.itu.int/pub/T-SP-E.164D */

const TWO_DIGITS = new Set(
  `20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92
  93 94 95 98`.split(/\s+/),
);

/** @param digits with country code. One that begins with 0 has none: empty. */
export function callingCodeOf(digits: string): string {
  if (digits.startsWith("0")) return "";
  if (/^[17]/.test(digits)) return digits.slice(0, 1);
  return digits.slice(0, TWO_DIGITS.has(digits.slice(0, 2)) ? 2 : 3);
}
