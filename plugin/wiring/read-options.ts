/** Everything that a host gives, looked at once: what is wrong is said all together, before anything is made. */
import { parseConfig } from "../config.ts";
import { ChannelError } from "../errors.ts";
import { readMediaBytes, readMediaTimes } from "../media/media-limits.ts";
import { readQuota } from "../media/quota.ts";
import { readAlarmLimits } from "../operations/alarms.ts";
import { readAmbiguityPolicy } from "../pipeline/ambiguity-policy.ts";
import { readMetaLimits } from "../pipeline/meta-limits.ts";
import { readRetention } from "../pipeline/retention.ts";
import { readRetry } from "../pipeline/retry-schedule.ts";
import { type Problems, shapeProblems } from "./option-shapes.ts";
import { requireTimes } from "./require-times.ts";
import type { WhatsAppPluginOptions } from "./whatsapp-plugin.ts";

/**
 * @returns what is read of them, with defaults.
 * @throws ChannelError CONFIG_INVALID naming every problem.
 */
export function readOptions(options: WhatsAppPluginOptions) {
  if (typeof options !== "object" || options === null)
    throw invalid(["createWhatsAppPlugin needs its options: { knex, config, reply }."]);
  const shapes = shapeProblems(options);
  const problems = Object.values(shapes).flat();
  /** One whose shape is wrong already is not read. */
  const read = <T>(names: readonly (keyof Problems)[], reader: () => T): T => {
    if (names.some((name) => shapes[name] !== undefined)) return undefined as T;
    try {
      return reader();
    } catch (error) {
      if (!(error instanceof ChannelError) || error.code !== "CONFIG_INVALID") throw error;
      const [first = "", ...list] = error.message.split("\n- ");
      problems.push(...(list.length > 0 ? list : [first]));
      return undefined as T;
    }
  };
  const config = read(["config"], () => parseConfig(options.config));
  const retention = read(["retention"], () => readRetention(options.retention));
  const alarmLimits = read(["alarms"], () => readAlarmLimits(options.alarms));
  const ambiguity = read(["onAmbiguous"], () => readAmbiguityPolicy(options.onAmbiguous));
  const limits = read(["metaLimits"], () => readMetaLimits(options.metaLimits));
  const mediaMaxBytes = read(["mediaMaxBytes"], () => readMediaBytes(options.mediaMaxBytes));
  read([], () => requireTimes(options));
  const mediaTimes = read(["mediaTimeouts"], () => readMediaTimes(options.mediaWaitMs, options.mediaTimeouts));
  const retry = read(["retry"], () => readRetry(options.retry));
  const mediaQuotaBytes = read([], () => readQuota(options.mediaQuotaBytes));
  // What was not read is not there: but then it is thrown here.
  if (problems.length > 0) throw invalid(problems);
  return {
    config,
    retention,
    alarmLimits,
    ambiguity,
    limits,
    mediaMaxBytes,
    mediaTimes,
    retry,
    mediaQuotaBytes,
  };
}

function invalid(problems: readonly string[]): ChannelError {
  const [only] = problems;
  // What is wrong with `config` comes as a list, as the doctor and hosts read it.
  const isPlain = problems.length === 1 && only !== undefined && !/^(?:[A-Z_]+ \(|config\.)/.test(only);
  const message = isPlain ? only : `The WhatsApp channel is not configured:\n- ${problems.join("\n- ")}`;
  return new ChannelError("CONFIG_INVALID", message, { retry: "fix" });
}
