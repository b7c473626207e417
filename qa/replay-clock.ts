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
  /** As if it had just been written. @param json the post's, or what was made of it. */
  bytesOf(json: unknown): Uint8Array;
};

export function createReplayClock(timing: Timing, posts: readonly Post[]): ReplayClock {
  const startedAt = Date.now();
  const speed = timing === "original" ? 1 : Number(timing);
  const newest = Math.max(...posts.map(({ json }) => newestTimeIn(Buffer.from(writeJson(json))) ?? 0));
  const first = posts[0]?.atMs ?? 0;
  return {
    async until({ atMs }, signal) {
      if (timing === "none") return;
      const waitMs = startedAt + (atMs - first) / speed - Date.now();
      if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    },
    bytesOf(json) {
      const bytes = Buffer.from(writeJson(json));
      // With pauses all of it moves by one step, so that what was late then is late now.
      if (timing !== "none") return shiftTimes(bytes, Math.floor(Date.now() / 1000) - newest);
      return retime(bytes, new Date());
    },
  };
}
