/** No test leaves this machine: every name but its own is unknown at once, with or without a network. */
import type { LookupAllOptions } from "node:dns";
import type * as Dns from "node:dns/promises";
import { isIP } from "node:net";
import { vi } from "vitest";

vi.mock("node:dns/promises", async (original) => {
  const dns = await original<typeof Dns>();
  const lookup = async (hostname: string, options: LookupAllOptions) => {
    if (hostname === "localhost" || isIP(hostname) > 0) return dns.lookup(hostname, options);
    throw Object.assign(new Error("There is no such name."), { code: "ENOTFOUND" });
  };
  return { ...dns, default: { ...dns, lookup }, lookup };
});
