/** A stream of Markdown → pieces that can be sent on their own. */
export async function* streamParagraphs(chunks: AsyncIterable<string> | Iterable<string>): AsyncIterable<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  yield text;
}
