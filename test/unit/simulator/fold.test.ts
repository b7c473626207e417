/** The entries of a chat as the person sees them: what reacts, edits or deletes is seen on what it is about. */
import { describe, expect, it } from "vitest";
import { fold } from "../../../simulator/phone/fold.js";

const words = {
  business: "Corner Bakery",
  timeOf: (at: string) => at.slice(11, 16),
  dayOf: (at: string) => at.slice(0, 10),
};
let count = 0;

function entry(direction: "inbound" | "outbound", message: object, more: object = {}) {
  count += 1;
  const { type } = message as { type: string };
  return {
    wamid: `w${count}`,
    direction,
    type,
    text: "words",
    at: "2026-11-27T10:24:00Z",
    status: "read",
    replyTo: null,
    message: message as Readonly<Record<string, unknown>>,
    files: {},
    ...more,
  };
}
const said = (body: string) => ({ type: "text", text: { body } });
const shown = (entries: Parameters<typeof fold>[0]) =>
  fold(entries, words).flatMap((item) => (item.kind === "message" ? [item.shown] : []));

describe("a chat", () => {
  it("puts reactions on their message, the last of each side, and takes them back", () => {
    const first = entry("inbound", said("hello"));
    const reaction = (emoji?: string) => ({
      type: "reaction",
      reaction: { message_id: first.wamid, ...(emoji && { emoji }) },
    });
    const both = [
      first,
      entry("outbound", reaction("😍")),
      entry("inbound", reaction("👍")),
      entry("inbound", reaction("🙏")),
    ];

    expect(shown(both)).toMatchObject([{ reactions: ["😍", "🙏"] }]);
    expect(shown([...both, entry("inbound", reaction())])).toMatchObject([{ reactions: ["😍"] }]);
    expect(shown([entry("inbound", reaction("👍"))])).toHaveLength(1);
    expect(shown([first, entry("outbound", reaction("👍"), { status: "failed" })])).toMatchObject([
      { reactions: [] },
      { failure: expect.stringContaining("Not delivered") },
    ]);
  });

  it("quotes a sound as what it is: somebody's voice, or a file", () => {
    const voice = entry("inbound", { type: "audio", audio: { id: "1", voice: true } }, { text: "[audio]" });
    const file = entry("inbound", { type: "audio", audio: { id: "2", voice: false } }, { text: "[audio]" });
    const answers = [voice, file].map(({ wamid }) => entry("outbound", said("heard"), { replyTo: wamid }));

    expect(shown([voice, file, ...answers]).slice(2)).toMatchObject([
      { quoted: { text: "Voice message" } },
      { quoted: { text: "Audio" } },
    ]);
  });

  it("shows what was edited in its last form, and nothing of what was deleted", () => {
    const first = entry("inbound", said("helo"));
    const edit = entry("inbound", { type: "edit", edit: { original_message_id: first.wamid, message: said("hello") } });
    const revoke = entry("inbound", { type: "revoke", revoke: { original_message_id: first.wamid } });

    expect(shown([first, edit])).toMatchObject([{ message: said("hello"), isEdited: true, isDeleted: false }]);
    expect(shown([first, edit, revoke])).toMatchObject([{ isDeleted: true }]);
  });

  it("names who is quoted, has ticks under the person's own messages alone, and a line for each day", () => {
    const asked = entry("outbound", said("Which?"), { text: "Which?" });
    const answer = entry("inbound", said("Both"), {
      replyTo: asked.wamid,
      status: "delivered",
      at: "2026-11-28T09:00:00Z",
    });

    expect(fold([asked, answer], words)).toMatchObject([
      { kind: "day", day: "2026-11-27" },
      { kind: "message", shown: { isMine: false, ticks: null, time: "10:24" } },
      { kind: "day", day: "2026-11-28" },
      {
        kind: "message",
        shown: { isMine: true, ticks: "delivered", quoted: { name: "Corner Bakery", text: "Which?" } },
      },
    ]);
  });
});
