/** The answer's text → WhatsApp's text, with a picture that stands alone in a paragraph as a picture. */
import { inOrder, type Piece, type Said, sayText } from "./said.ts";
import { withCaption } from "./say-media.ts";
import { toWhatsApp } from "./whatsapp-markup.ts";

export type Text = {
  /** Its last piece of text, where a question may stand. */
  readonly last: Piece;
  readonly endsInPicture: boolean;
  /** All of it, with that piece, or what was left of it, at its place. */
  readonly said: (last: Piece) => Said;
};

export function readText(markdown: string): Text {
  const { text, changes, pictures } = toWhatsApp(markdown, { withPictures: true });
  const steps: (Piece | (typeof pictures)[number])[] = [];
  let from = 0;
  for (const picture of pictures) {
    steps.push(pieceOf(text, changes, from, picture.at), picture);
    from = picture.at;
  }
  steps.push(pieceOf(text, changes, from, text.length + 1));
  const isText = (step: (typeof steps)[number]): step is Piece => "text" in step;
  const lastIndex = Math.max(
    0,
    steps.findLastIndex((step) => isText(step) && step.text !== ""),
  );
  const last = steps[lastIndex];
  return {
    last: last !== undefined && isText(last) ? last : { text: "", changes: [] },
    endsInPicture: lastIndex < steps.length - 1 && pictures.length > 0,
    said: (end) =>
      inOrder(
        ...steps.map((step, index) => {
          if (isText(step)) return sayText(index === lastIndex ? end : step, "text");
          const { url, caption, changes: own } = step;
          return withCaption({
            media: { kind: "image", url },
            caption: { text: caption, changes: [] },
            changes: own.map((change) => ({ ...change, what: "text" })),
            what: "text",
          });
        }),
      ),
  };
}

function pieceOf(
  text: string,
  changes: readonly { at: number; from: string; to: string }[],
  from: number,
  end: number,
): Piece {
  const all = text.slice(from, end);
  const leading = all.length - all.replace(/^\n+/, "").length;
  return {
    text: all.slice(leading).trimEnd(),
    changes: changes
      .filter(({ at }) => at >= from && at < end)
      .map((change) => ({ ...change, what: "text", at: Math.max(0, change.at - from - leading) })),
  };
}
