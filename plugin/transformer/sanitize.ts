/** Unpaired surrogates cannot be sent as UTF-8, and WhatsApp has no use for control characters. */
export function sanitize(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|\u0085/g, "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
