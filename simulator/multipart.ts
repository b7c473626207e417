/** A form with a file in it, read as it comes: the file's bytes are handed on and never kept. */

/** Of the file that a form holds. */
export type FormFile = { readonly name: string; readonly filename: string | null; readonly mime: string };

export type MultipartReader = {
  readonly onFile: (file: FormFile, bytes: Uint8Array) => void;
};

const MAX_FIELD = 8_192;
const MAX_HEAD = 4_096;

/** @returns the form's fields without its file; null when it is no form, or breaks off. */
export async function readMultipart(
  bytes: AsyncIterable<Uint8Array>,
  contentType: string,
  { onFile }: MultipartReader,
): Promise<Readonly<Record<string, string>> | null> {
  const boundary = /^multipart\/form-data;.*\bboundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return null;
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const fields: Record<string, string> = {};
  let rest: Buffer = Buffer.from("\r\n");
  let part: { readonly file: FormFile | null; readonly name: string; text: string } | null = null;
  let isOver = false;

  /** @returns whether there may be more to take from what is there. */
  const step = (): boolean => {
    if (part !== null) {
      const end = rest.indexOf(delimiter);
      const taken = end === -1 ? rest.subarray(0, Math.max(0, rest.length - delimiter.length)) : rest.subarray(0, end);
      if (part.file !== null && taken.length > 0) onFile(part.file, taken);
      else if (part.text.length + taken.length <= MAX_FIELD) part.text += taken.toString("latin1");
      rest = rest.subarray(taken.length);
      if (end === -1) return false;
      if (part.file === null) fields[part.name] = Buffer.from(part.text, "latin1").toString("utf8");
      part = null;
    }
    if (rest.length < delimiter.length + 2) return false;
    const after = rest.subarray(delimiter.length);
    if (after.subarray(0, 2).toString() === "--") {
      isOver = true;
      return false;
    }
    const end = after.indexOf("\r\n\r\n");
    if (end === -1) {
      if (after.length > MAX_HEAD) rest = Buffer.alloc(0);
      return false;
    }
    part = readHead(after.subarray(0, end).toString("utf8"));
    rest = after.subarray(end + 4);
    if (part.file !== null) onFile(part.file, Buffer.alloc(0));
    return true;
  };

  for await (const chunk of bytes) {
    if (isOver) continue;
    rest = Buffer.concat([rest, chunk]);
    while (step());
  }
  return isOver ? fields : null;
}

function readHead(head: string): { file: FormFile | null; name: string; text: string } {
  const name = /\bname="([^"]*)"/i.exec(head)?.[1] ?? "";
  const filename = /\bfilename="([^"]*)"/i.exec(head)?.[1];
  const mime = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim() ?? "";
  return { name, text: "", file: filename === undefined ? null : { name, filename, mime } };
}
