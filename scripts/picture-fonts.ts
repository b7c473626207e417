/** The fonts of the browser that came with us have no emoji: with those of this machine, where it has some. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @param own of the browser, as in its FONTCONFIG_FILE. @returns what to launch it with, and an end to it. */
export async function pictureFonts(
  own: string | undefined,
): Promise<{ readonly env: Readonly<Record<string, string>>; remove(): Promise<void> }> {
  if (own === undefined) return { env: {}, remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), "picture-fonts-"));
  const file = join(folder, "fonts.conf");
  await writeFile(
    file,
    `<?xml version="1.0"?><fontconfig><include>${own}</include><dir>/usr/share/fonts/truetype/noto</dir><cachedir>${folder}</cachedir></fontconfig>`,
  );
  return { env: { FONTCONFIG_FILE: file }, remove: () => rm(folder, { recursive: true, force: true }) };
}
