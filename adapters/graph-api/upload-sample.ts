/** The resumable upload: a session, the bytes, and after an interruption the bytes that Meta does not have yet. */
import { ChannelError } from "../../plugin/errors.ts";
import type { GraphApi } from "../../plugin/ports.ts";
import { digits, type GraphCall } from "./graph-call.ts";
import { exactly } from "./multipart.ts";
import { type Json, readText } from "./read-answer.ts";
import { requireAnswer, UPLOAD_REFUSED } from "./require-answer.ts";

/** More interruptions than this are no accident. */
const MOST_TRIES = 4;

export function createUploadSample(call: GraphCall): GraphApi["uploadSample"] {
  return async ({ appId, accessToken, filename, mime, size, from }) => {
    const query = { file_length: String(size), file_type: mime, file_name: filename };
    const opened = await call({ method: "POST", path: `${digits(appId)}/uploads`, accessToken, query });
    const session = readSession(requireAnswer(opened, UPLOAD_REFUSED));
    const headers = { authorization: `OAuth ${accessToken}` };

    async function reached(): Promise<number> {
      const { file_offset: offset } = requireAnswer(await call({ ...session, accessToken, headers }), UPLOAD_REFUSED);
      const number = typeof offset === "string" ? Number(offset) : offset;
      if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > size) throw unusable();
      return number;
    }

    let offset = 0;
    for (let attempt = 1; ; attempt += 1) {
      const file = {
        contentType: "application/octet-stream",
        length: size - offset,
        bytes: exactly(from(offset), size - offset),
      };
      try {
        const outcome = await call({
          ...session,
          accessToken,
          file,
          headers: { ...headers, file_offset: String(offset) },
        });
        const handle = readText(requireAnswer(outcome, UPLOAD_REFUSED).h);
        if (handle !== null) return handle;
        throw unusable();
      } catch (error) {
        if (!isInterruption(error) || attempt === MOST_TRIES) throw error;
        offset = await reached();
      }
    }
  };
}

/** `upload:MTphd…?sig=…`, of which the second half belongs into the query. */
function readSession({ id }: Json): { readonly path: string; readonly query: Readonly<Record<string, string>> } {
  const [, path, query = ""] = /^(upload:[\w.~=+/-]+)(?:\?(.*))?$/s.exec(readText(id) ?? "") ?? [];
  if (path === undefined || path.includes("..")) throw unusable();
  return { path, query: Object.fromEntries(new URLSearchParams(query)) };
}

function isInterruption(error: unknown): boolean {
  return error instanceof ChannelError && (error.code === "GRAPH_UNREACHABLE" || error.retry === "backoff");
}

function unusable(): ChannelError {
  return new ChannelError("GRAPH_UNREACHABLE", "Graph answered an upload with nothing that can be used: try again.", {
    retry: "backoff",
  });
}
