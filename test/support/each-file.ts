/** Before each file: what is cleared away after it, and modules anew for those that replace some of them, and for who comes next. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, expect, vi } from "vitest";

const { testPath = "" } = expect.getState();
const isMocking = /\bvi\.mock\(/.test(readFileSync(testPath, "utf8"));
if (isMocking || process.env.OMNIOPS_TEST_MOCKED === "yes") vi.resetModules();
process.env.OMNIOPS_TEST_MOCKED = isMocking ? "yes" : "no";

// The one that this file's support will have.
const { clearAway } = await import("./clear-away.ts");
afterEach(() => clearAway("test"));
afterAll(() => clearAway("file"));
