/** When each webhook of a replay is due, and which times its messages bear. */
import { setTimeout as sleep } from "node:timers/promises";
import { writeJson } from "./lossless-json.ts";
import type { Post } from "./plan-posts.ts";
import { newestTimeIn, retime, shiftTimes } from "./retime.ts";

/** `none`: one after the other. `original`: with the recorded pauses. A number: so many times faster. */
export type Timing = "none" | "original" | number;

export type ReplayClock = {
  /** Resolves when it is due. */
  until(post: Post, signal: AbortSignal | undefined): Promise<void>;
  /** As old as it was when it came, or, without pauses, as if it had just been written. @param json the post's, or what was made of it. */
  bytesOf(post: Post, json: unknown): Uint8Array;
};

export function createReplayClock(timing: Timing, posts: readonly Post[]): ReplayClock {
  const startedAt = Date.now();
  const speed = timing === "original" ? 1 : Number(timing);
  const first = posts[0]?.atMs ?? 0;
  const isTimed = posts.some((post) => post.atMs > 0);
  // In seconds, by the clock of the recording's own times: the delivery that came soonest after it was written came at once.
  const beganAt = Math.max(
    ...posts.map(({ json, atMs }) => (newestTimeIn(Buffer.from(writeJson(json))) ?? 0) - atMs / 1000),
  );
  return {
    async until({ atMs }, signal) {
      if (timing === "none") return;
      const waitMs = startedAt + (atMs - first) / speed - Date.now();
      if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    },
    bytesOf({ atMs }, json) {
      const bytes = Buffer.from(writeJson(json));
      // What was late then is late now, and what came at once is as if it had just been written, however fast the pauses pass.
      if (timing !== "none" && isTimed) return shiftTimes(bytes, Math.floor(Date.now() / 1000 - beganAt - atMs / 1000));
      return retime(bytes, new Date());
    },
  };
}
