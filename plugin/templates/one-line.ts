/** Text of several lines → the same words on one, as Meta wants them inside a template. */

const GAPS = /[\s\u0085]+/gu;
/** Meta allows four spaces in a row, and nothing else between words. */
const ALLOWED = /^\p{Zs}{1,4}$/u;

/** Unchanged when Meta takes it as it is. */
export function toOneLine(text: string): string {
  return text.replace(GAPS, (gap, at: number) => {
    if (ALLOWED.test(gap)) return gap;
    return at === 0 || at + gap.length === text.length ? "" : " ";
  });
}
