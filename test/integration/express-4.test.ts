/** The same promises on Express 4: host and router alike run on the version that many hosts still have. */
import { createRequire } from "node:module";
import express from "express";
import express4 from "express4";
import { describe, expect, it, vi } from "vitest";
import { startChannel } from "../support/channel.ts";
import { describeReceiving } from "./receiving/receiving-suite.ts";

vi.mock("express", () => import("express4"));

describe("these tests", () => {
  it("run on Express 4, the host's app and our router alike", async () => {
    const { version } = createRequire(import.meta.url)("express4/package.json") as { version: string };
    const channel = await startChannel({ start: false, connect: false });

    expect(version).toMatch(/^4\./);
    expect(express).toBe(express4);
    // Express 4 makes its own Router function the prototype of every router; Express 5 uses the `router` package.
    expect(Object.getPrototypeOf(channel.plugin.router)).toBe(express4.Router);
  });
});

describeReceiving("receiving on Express 4");
