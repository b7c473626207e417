/** How dead letters are explained to whoever runs the host. */
import { expect, it } from "vitest";
import { createDeadLetterService } from "../../plugin/dead-letters.ts";
import type { DeadLetterRow } from "../../plugin/ports.ts";

const row = (lastError: string | null): DeadLetterRow => ({
  stage: "turn",
  id: "turn:1",
  kind: "turn",
  conversationId: null,
  at: "2026-11-27T10:00:00.000000Z",
  attempts: 8,
  lastError,
});

it("one that ended the process says so, instead of blaming an answer that never came", async () => {
  const list = async () => [row("ProcessEnded"), row("TypeError")];
  const service = createDeadLetterService({ list } as never, { log: { info() {} }, onRedriven() {} });
  const { letters } = await service.list();
  expect(letters.map(({ error, explanation }) => [error, explanation])).toEqual([
    ["ProcessEnded", expect.stringMatching(/^The process ended during every attempt/)],
    ["TypeError", expect.stringMatching(/^Your reply\(\) failed/)],
  ]);
});
