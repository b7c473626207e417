/** Templates of an account, asked for by many sends of one moment. */
import { expect, it, vi } from "vitest";
import type { KnownTemplate } from "../../../plugin/ports.ts";
import { createAccountTemplates } from "../../../plugin/templates/account-templates.ts";

const HELLO = { name: "hello", language: "en" } as KnownTemplate;
const ACCOUNT = { customerConfigId: "t", connectionId: "c", wabaId: "w", accessTokenEnc: "sealed" };

it("are read once, also where one send hears only after the reading that nothing was known before it", async () => {
  const answers: (() => void)[] = [];
  let stored: readonly KnownTemplate[] | null = null;
  const readAccount = vi.fn(async () => {
    stored = [HELLO];
    return { synced: 1, at: new Date() } as never;
  });
  const templatesNamed = createAccountTemplates({
    templates: {
      // What the database knew when it was asked, heard when the test says so.
      async named() {
        const then = stored;
        if (then === null) await new Promise<void>((resolve) => answers.push(resolve));
        return then;
      },
    },
    readAccount,
  });
  const ask = () => templatesNamed(ACCOUNT, "hello", "en");

  const first = ask();
  const second = ask();
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[0]?.();
  expect(await first).toEqual([HELLO]);
  answers[1]?.();

  expect(await second).toEqual([HELLO]);
  expect(readAccount).toHaveBeenCalledTimes(1);
});
