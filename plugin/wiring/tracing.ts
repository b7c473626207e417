/** The tracer of the host's OpenTelemetry, where `@opentelemetry/api` is installed. */
import { createRequire } from "node:module";
import type { Tracer } from "../operations/trace-work.ts";

type Api = { readonly trace: { getTracer(name: string, version?: string): Tracer } };

/** At once and not by `import()`: the plugin is made at once, and a bundler must not look for a package that need not be there. */
export function findTracer(): Tracer | null {
  try {
    return (createRequire(import.meta.url)("@opentelemetry/api") as Api).trace.getTracer("@omniops/whatsapp");
  } catch (error) {
    if ((error as { code?: string }).code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}
