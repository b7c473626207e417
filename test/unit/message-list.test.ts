/** What came and what went as one list: in the order of time, nothing twice, nothing left out, however far each was looked through. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createMessageAudit } from "../../plugin/audit/messages.ts";
import type { MessageStream, ReceivedMessage, SentMessage } from "../../plugin/ports.ts";

type Placed = { readonly id: number; readonly at: Date };

/** Newest first, and never more than `scan` looked through in one call. */
function streamOf<Message>(
  all: readonly Placed[],
  scan: number,
  isWanted: (one: Placed) => boolean,
  place: (id: number) => object,
) {
  return (limit: number, before: string): MessageStream<Message> => {
    const seen = all.filter(({ id }) => BigInt(id) < BigInt(before)).slice(0, scan);
    const messages = seen.filter(isWanted).slice(0, limit);
    const last = seen.length === scan ? seen.at(-1) : undefined;
    return {
      messages: messages.map(({ id, at }) => ({ ...rowOf(id), at, cursor: place(id) })) as never,
      more: last === undefined ? null : { at: last.at, cursor: place(last.id) },
    };
  };
}

function rowOf(id: number): object {
  const event = { kind: "message", type: "text", text: String(id), content: null, messageId: "w", occurredAt: null };
  const contact = { name: null, phoneNumber: null };
  return {
    id: String(id),
    contact,
    conversationId: null,
    state: "received",
    error: null,
    event,
    times: {},
    attempts: [],
    degraded: [],
  };
}

const times = fc
  .uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 40 })
  .map((list) => list.sort((a, b) => b - a).map((id): Placed => ({ id, at: new Date(id * 1_000) })));

it("is whole and in order, page by page", async () => {
  await fc.assert(
    fc.asyncProperty(
      times,
      times,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 12 }),
      async (came, went, limit, scan) => {
        const isWanted = ({ id }: Placed) => id % 3 !== 0;
        const received = streamOf<ReceivedMessage>(came, scan, isWanted, (id) => ({
          webhookId: String(id),
          eventId: String(id),
        }));
        const sent = streamOf<SentMessage>(went, scan, isWanted, (id) => ({ outboxId: String(id) }));
        const audit: Parameters<typeof createMessageAudit>[0] = {
          receivedOne: async () => null,
          sentOne: async () => null,
          received: async (_filter, page) => received(page.limit, page.before.webhookId),
          sent: async (_filter, page) => sent(page.limit, page.before.outboxId),
        };
        const { list } = createMessageAudit(audit);

        const found: string[] = [];
        let pages = 0;
        for (let before: string | null = null; ; ) {
          const page = await list({ customerConfigId: "" }, { limit, before });
          expect(page.messages.length).toBeLessThanOrEqual(limit);
          found.push(...page.messages.map(({ id, at }) => `${at.getTime() / 1_000} ${id}`));
          before = page.next;
          pages += 1;
          if (before === null || pages > 500) break;
        }

        const all = [
          ...came.filter(isWanted).map(({ id }) => `${id} in:${id}`),
          ...went.filter(isWanted).map(({ id }) => `${id} out:${id}`),
        ];
        expect([...found].sort()).toEqual(all.sort());
        const order = found.map((one) => Number(one.split(" ")[0]));
        expect(order).toEqual([...order].sort((a, b) => b - a));
      },
    ),
  );
});
