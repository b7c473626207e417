/** The host's logger, made harmless; pino where it brings none. */
import { pino } from "pino";
import type { Logger } from "../ports.ts";

/** A host's logger that throws must not undo what is stored, nor end the process. */
export function harmless(logger: Logger): Logger {
  const guard = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nowhere left to say it.
    }
  };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}

/** Ids only ever reach it; the redaction is the second net under that rule. */
export function defaultLogger(): Logger {
  return pino({
    name: "whatsapp",
    redact: {
      paths: [
        "accessToken",
        "token",
        "authorization",
        "text",
        "content",
        "phoneNumber",
        "*.accessToken",
        "*.token",
        "*.authorization",
        "*.text",
        "*.content",
        "*.phoneNumber",
      ],
      censor: "[redacted]",
    },
  });
}
