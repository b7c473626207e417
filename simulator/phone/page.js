/** The phone: who you are and whom you write to, the chat, and the drawer where things go wrong. */
import { act, listen, readState, sendFile } from "./api.js";
import { createChat } from "./chat.js";
import { avatar, drawChats } from "./chats.js";
import { find, forget, show, toElement, watchPointer } from "./dom.js";
import { answer, change, draftOf, forgetAbout, giveBack, take, takeForFile, write } from "./drafts.js";
import { drawDrawer } from "./drawer.js";
import { canRecord } from "./recorder.js";
import {
  openAddress,
  openAttach,
  openContact,
  openDetails,
  openFlow,
  openList,
  openLocation,
  openNewChat,
  openOptions,
  openPermission,
  openRecorder,
  openSheet,
} from "./sheets.js";
import { h } from "./tree.js";
import { objectOf, textOf } from "./wire.js";

/**
 * @typedef {import("./api.js").State} State
 * @typedef {import("./wire.js").Wire} Wire
 */

/** How long WhatsApp lets people change what they wrote. */
const EDITABLE_MS = 15 * 60_000;
const DELETABLE_MS = 2 * 24 * 60 * 60_000;
/** How long a simulator that does not answer is left alone. */
const AGAIN_MS = 2_000;

/** @type {State | null} */
let state = null;
/** @type {{ person: string | null, number: string | null }} */
let chosen = readHash();
/** @type {Map<string, number>} */
const seen = new Map();
let isReading = false;
let isStale = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let againTimer;

document.body.append(
  toElement(
    h(
      "div",
      { class: "app" },
      h(
        "nav",
        { class: "side", "aria-label": "Chats" },
        h(
          "header",
          { class: "bar" },
          h("h1", {}, "Phone"),
          h("span", { class: "soft app-name", dir: "auto" }),
          iconButton("add", "New chat", "new-chat"),
          iconButton("tools", "Clock and faults", "drawer"),
        ),
        h("div", { class: "list" }, h("p", { class: "empty soft", role: "status" }, "Loading…")),
      ),
      h(
        "main",
        { class: "main" },
        h(
          "header",
          { class: "bar" },
          iconButton("back", "All chats", "back"),
          h("div", { class: "who" }),
          iconButton("tools", "Clock and faults", "drawer"),
        ),
        h("p", { class: "away", role: "alert", hidden: true }, "The simulator does not answer. Trying again…"),
        h("div", { class: "wa-chat scroll", role: "log", "aria-label": "Messages", tabindex: 0 }),
        h("div", { class: "nothing" }),
        h("button", { type: "button", class: "newer", "data-do": "newest", hidden: true }, "New messages"),
        h(
          "form",
          { class: "composer" },
          h("div", { class: "about", hidden: true }),
          iconButton("attach", "Send a file, a place or a contact", "attach"),
          h("textarea", { rows: 1, placeholder: "Message", "aria-label": "Message", maxlength: 4096, dir: "auto" }),
          h(
            "button",
            { class: "icon-button send", "aria-label": "Send" },
            h("span", { class: "wa-icon wa-icon-send", "aria-hidden": "true" }),
          ),
        ),
      ),
      h(
        "aside",
        { class: "drawer", "aria-label": "Clock and faults", hidden: true },
        h(
          "header",
          { class: "bar" },
          h("h2", { tabindex: -1 }, "Clock and faults"),
          iconButton("close", "Close", "drawer"),
        ),
        h("div", { class: "drawer-body" }),
      ),
      // Above all of it: what goes wrong in the drawer or the list is seen where the composer is not.
      h(
        "div",
        { class: "problem", role: "alert", hidden: true },
        h("p", {}),
        iconButton("close", "Close", "forget-problem"),
      ),
      h("input", { type: "file", class: "unseen", tabindex: -1, "aria-label": "File", hidden: true }),
    ),
  ),
);

const app = find(".app");
const list = find(".list");
const who = find(".who");
const scroll = find(".scroll");
const nothing = find(".nothing");
const composer = find(".composer");
const drawer = find(".drawer");
const chat = createChat(scroll);
const words = /** @type {HTMLTextAreaElement} */ (find("textarea"));
const picker = /** @type {HTMLInputElement} */ (find("input[type=file]"));

async function read() {
  // Changes come faster than answers: one look at a time, and another one when something came meanwhile.
  isStale = true;
  if (isReading) return;
  isReading = true;
  try {
    while (isStale) {
      isStale = false;
      const asked = chosen;
      const next = await readState(asked);
      if (asked !== chosen) {
        // Another chat was opened meanwhile: this one is not shown under its name.
        isStale = true;
        continue;
      }
      state = next;
      if (!settleChoice(next)) draw(next);
      else isStale = true;
    }
    setAway(false);
  } catch {
    goAway();
  } finally {
    isReading = false;
  }
}

/**
 * The chat that was busy last, when none was chosen or what was chosen is gone.
 * @param {State} next
 * @returns {boolean} whether another one is chosen now
 */
function settleChoice({ chats, people, numbers }) {
  const isKnown = people.some(({ key }) => key === chosen.person) && numbers.some(({ id }) => id === chosen.number);
  if (isKnown || (chosen.person === null && app.dataset.left === "true")) return false;
  const [latest] = [...chats].sort((one, other) => (other.last?.at ?? "").localeCompare(one.last?.at ?? ""));
  const [person] = people;
  const [number] = numbers;
  const next =
    latest ?? (person && number ? { person: person.key, number: number.id } : { person: null, number: null });
  if (next.person === chosen.person && next.number === chosen.number) return false;
  chosen = { person: next.person, number: next.number };
  drawDraft();
  return true;
}

/** @param {State} now */
function draw(now) {
  const person = now.people.find(({ key }) => key === chosen.person);
  const number = now.numbers.find(({ id }) => id === chosen.number);
  const isOpen = person !== undefined && number !== undefined;
  const typingMs = now.chat?.typingMs ?? 0;
  find(".app-name").textContent = now.appName;
  if (now.chat !== null) seen.set(chosenKey(), now.chat.count);
  show(
    list,
    drawChats(now, {
      chosen,
      unseen: (one) => Math.max(0, one.count - (seen.get(`${one.person}/${one.number}`) ?? one.count)),
    }),
  );
  for (const one of now.chats) {
    const key = `${one.person}/${one.number}`;
    if (!seen.has(key)) seen.set(key, one.count);
  }
  show(
    who,
    isOpen
      ? [
          avatar(number.name),
          h(
            "div",
            { class: "names" },
            h("h2", { dir: "auto" }, number.name),
            h(
              "p",
              { class: "soft", role: "status", dir: "auto" },
              typingMs > 0
                ? "typing…"
                : `${number.displayPhoneNumber}${person.name === "You" ? "" : ` · you are ${person.name}`}`,
            ),
          ),
        ]
      : [],
  );
  document.title = isOpen ? `${number.name} · Phone (simulated)` : "Phone (simulated)";
  scroll.hidden = now.chat === null;
  composer.hidden = !isOpen;
  nothing.hidden = now.chat !== null;
  if (now.chat === null) {
    chat.forget();
    show(nothing, isOpen ? greeting(person.name, number.name) : welcome(now));
  } else {
    const isBelow = chat.update(now.chat, { business: number?.name ?? "Business", now: new Date(now.clock.now) });
    if (isBelow) find(".newer").hidden = false;
  }
  clearTimeout(typingTimer);
  if (typingMs > 0) typingTimer = setTimeout(() => void read(), typingMs + 50);
  if (!drawer.hidden) show(find(".drawer-body"), drawDrawer(now, chosen.number));
}

/**
 * @param {string} person
 * @param {string} number
 */
function greeting(person, number) {
  return [
    h("p", {}, h("strong", { dir: "auto" }, `${person} and ${number} have not written yet`)),
    h("p", { class: "soft" }, "Say something: it arrives as a signed webhook."),
    h("button", { type: "button", class: "main-button", "data-do": "hello" }, "Say hello"),
  ];
}

/** @param {State} now */
function welcome({ numbers }) {
  if (numbers.length === 0)
    return [
      h("p", {}, h("strong", {}, "The simulator has no business number")),
      h("p", { class: "soft" }, "Give it some: createSimulator({ numbers: […] })."),
    ];
  return [
    h("p", {}, h("strong", {}, "A phone for the simulated WhatsApp")),
    h("p", { class: "soft" }, "Choose who you are and which number you write to."),
    h("button", { type: "button", class: "main-button", "data-do": "new-chat" }, "New chat"),
  ];
}

/**
 * @param {string | null} person
 * @param {string | null} number
 */
function open(person, number) {
  chosen = { person, number };
  app.dataset.left = String(person === null);
  drawDraft();
  find(".newer").hidden = true;
  const hash = person === null ? "#" : `#${person}/${number}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
  void read();
  // At once: when it has been read, whoever has gone on would be taken away from where they are.
  composer.hidden = person === null;
  const first = person === null ? list.querySelector("button") : words;
  first?.focus({ preventScroll: person !== null });
}

function chosenKey() {
  return `${chosen.person}/${chosen.number}`;
}

function readHash() {
  const [, person = null, number = null] = /^#([^/%]+)\/([^%]+)$/.exec(location.hash) ?? [];
  return { person, number };
}

/**
 * What is done goes to the simulator; what comes of it comes back as a change.
 * @param {Promise<unknown>} doing
 * @returns {Promise<boolean>} whether it was done
 */
async function tell(doing) {
  const place = find(".app > .problem");
  place.hidden = true;
  const problem = await problemOf(doing);
  if (problem === null) return true;
  find("p", place).textContent = problem;
  place.hidden = false;
  forget(find(".drawer-body"));
  if (state !== null) draw(state);
  return false;
}

/** @param {Promise<unknown>} doing @returns {Promise<string | null>} null when it was done */
async function problemOf(doing) {
  try {
    await doing;
    await read();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param {Wire} message @param {string} [replyTo] */
function sendMessage(message, replyTo) {
  void tell(act("messages", { ...chosen, message, ...(replyTo !== undefined && { replyTo }) }));
}

async function submit() {
  if (words.value.trim() === "") return;
  const key = chosenKey();
  const draft = take(key);
  const { kind, wamid } = draft.about ?? {};
  const text = draft.text.trim();
  drawDraft();
  chat.goToEnd();
  const isDone = await tell(
    kind === "edit"
      ? act("edit", { ...chosen, wamid, text })
      : act("messages", { ...chosen, text, ...(kind === "reply" && { replyTo: wamid }) }),
  );
  if (!isDone) giveBack(key, draft);
  drawDraft();
}

/** What is half-written in the chosen chat. */
function drawDraft() {
  const { text, about } = draftOf(chosenKey());
  const place = find(".about");
  place.hidden = about === null;
  if (about !== null)
    show(place, [
      h(
        "span",
        { dir: "auto" },
        h("strong", {}, about.kind === "edit" ? "Edit: " : "Reply to: "),
        about.text.slice(0, 120),
      ),
      iconButton("close", "Do not", "forget-about"),
    ]);
  // Otherwise the caret would leave its place.
  if (words.value !== text) words.value = text;
  grow();
}

function stopAbout() {
  forgetAbout(chosenKey());
  drawDraft();
}

function grow() {
  words.rows = Math.min(6, words.value.split("\n").length);
}

/** Said on the page, and tried again until there is an answer: an event alone may have come before it. */
function goAway() {
  setAway(true);
  clearTimeout(againTimer);
  againTimer = setTimeout(() => void read(), AGAIN_MS);
}

/** @param {boolean} isAway */
function setAway(isAway) {
  if (!isAway) clearTimeout(againTimer);
  find(".away").hidden = !isAway;
  app.toggleAttribute("data-away", isAway);
}

function toggleDrawer() {
  drawer.hidden = !drawer.hidden;
  app.toggleAttribute("data-drawer", !drawer.hidden);
  for (const button of document.querySelectorAll("[data-do=drawer]"))
    button.setAttribute("aria-expanded", String(!drawer.hidden));
  if (state !== null) draw(state);
  if (!drawer.hidden) find("h2", drawer).focus();
}

/** @param {HTMLElement} button @param {DOMStringMap} data */
function press(button, data) {
  const wamid = button.closest("[data-wamid]")?.getAttribute("data-wamid") ?? "";
  const item = chat.item(wamid);
  switch (data.do) {
    case "new-chat":
      return state === null ? undefined : newChat(state);
    case "open":
      return open(data.person ?? null, data.number ?? null);
    case "back":
      return open(null, null);
    case "hello":
      return void tell(act("messages", { ...chosen, text: "hello" }));
    case "drawer":
      return toggleDrawer();
    case "attach":
      return openAttach(({ option = "" }) => attach(option));
    case "newest":
      chat.goToEnd();
      find(".newer").hidden = true;
      return;
    case "forget-problem":
      find(".app > .problem").hidden = true;
      return;
    case "forget-about":
      stopAbout();
      return words.focus();
    case "clock":
      return void tell(act("clock", { moveOnMs: Number(data.ms) }));
    case "arm":
      return void tell(act("faults", { preset: data.id, number: chosen.number ?? undefined }));
    case "take-back":
      return void tell(act("faults/take-back", { id: data.id }));
    case "clear-faults":
      return void tell(act("faults/clear", {}));
    case "staff":
      return openSheet(
        "Write as staff",
        [
          h(
            "label",
            { class: "field" },
            "What somebody of the business types in the app",
            h("input", { name: "text", type: "text", required: true, autocomplete: "off" }),
          ),
          h("button", { class: "main-button" }, "Send"),
        ],
        () => {},
        (form) => problemOf(act("staff", { ...chosen, text: String(form.get("text")) })),
      );
    case "press":
      return void tell(act("press", { ...chosen, wamid, kind: data.kind, id: data.id }));
    case "play":
      return void tell(act("play", { ...chosen, wamid }));
    case "copy":
      return void tell(navigator.clipboard.writeText(data.text ?? ""));
    case "list":
      return openList(
        objectOf(item?.shown.message.interactive),
        (choice) => void tell(act("press", { ...chosen, wamid, ...choice })),
      );
    case "flow":
      return openFlow(item?.shown.message ?? {}, (reply) => sendMessage(reply, wamid));
    case "address":
      return openAddress((reply) => sendMessage(reply, wamid));
    case "location":
      return openLocation((message) => sendMessage(message, wamid));
    case "permission":
      return openPermission((reply) => sendMessage(reply, wamid));
    case "contact":
      return shareContact(wamid);
    case "options":
      return item === null ? undefined : openOptionsOf(item);
  }
}

/** @param {State} now */
function newChat(now) {
  let added = "";
  openNewChat(now, chosen, {
    begin: async ({ person, name = "", phoneNumber = "", username = "", hidesPhoneNumber }) => {
      if (person) return null;
      const about = {
        name: name.trim() || "Somebody",
        phoneNumber,
        username,
        hidesPhoneNumber: hidesPhoneNumber === "on",
      };
      return problemOf(
        act("people", about).then(({ person: key = "" }) => {
          added = key;
        }),
      );
    },
    onChosen: ({ person, number = "" }) => open(person || added, number),
  });
}

/** @param {NonNullable<ReturnType<typeof chat.item>>} item */
function openOptionsOf({ entry, shown }) {
  const content = objectOf(shown.message[textOf(shown.message.type)]);
  const said = textOf(content.body) || textOf(content.caption);
  const hasWords = ["text", "image", "video", "document"].includes(textOf(shown.message.type));
  const ageMs = Date.parse(state?.clock.now ?? entry.at) - Date.parse(entry.at);
  // What the person never got, and what is gone, has nothing left to be done with.
  const isThere = shown.failure === undefined && shown.isDeleted !== true;
  const may = {
    answer: isThere,
    edit: isThere && shown.isMine && hasWords && ageMs <= EDITABLE_MS,
    delete: isThere && shown.isMine && ageMs <= DELETABLE_MS,
  };
  openOptions(may, ({ option, emoji = "" }) => {
    if (option === "reply" || option === "edit") {
      const { wamid } = shown;
      if (option === "reply") answer(chosenKey(), { kind: "reply", wamid, text: entry.text });
      else change(chosenKey(), { kind: "edit", wamid, text: said }, said);
      drawDraft();
      return words.focus();
    }
    if (option === "details") return openDetails(entry);
    if (option === "delete") return void tell(act("delete", { ...chosen, wamid: shown.wamid }));
    void tell(act("react", { ...chosen, wamid: shown.wamid, emoji }));
  });
}

/** @param {string} wamid */
function shareContact(wamid) {
  const person = state?.people.find(({ key }) => key === chosen.person);
  const phone = person?.phoneNumber ?? "";
  sendMessage(
    {
      type: "contacts",
      contacts: [
        {
          origin: "contact_request",
          name: { formatted_name: person?.name ?? "" },
          phones: [{ phone: `+${phone}`, wa_id: phone }],
        },
      ],
    },
    wamid,
  );
}

/** @type {Readonly<Record<string, string>>} */
const ACCEPTS = {
  image: "image/jpeg,image/png",
  video: "video/mp4,video/3gpp",
  voice: "audio/ogg,audio/*",
  audio: "audio/*",
  document: "",
  sticker: "image/webp",
};

/** @param {string} option */
function attach(option) {
  if (option === "location") return openLocation((message) => sendMessage(message));
  if (option === "contact") return openContact((message) => sendMessage(message));
  if (option === "voice" && canRecord())
    return openRecorder({ onRecorded: (voice) => void sendBlob(voice, "voice"), onFile: () => pick(option) });
  pick(option);
}

/** @param {string} option */
function pick(option) {
  picker.accept = ACCEPTS[option] ?? "";
  picker.dataset.kind = option;
  picker.value = "";
  picker.click();
}

function sendPicked() {
  const file = picker.files?.[0];
  if (file !== undefined) void sendBlob(file, picker.dataset.kind ?? "document", file.name);
}

/**
 * @param {Blob} file
 * @param {string} option
 * @param {string} [filename]
 */
async function sendBlob(file, option, filename = "") {
  const { person, number } = chosen;
  if (person === null || number === null) return;
  const key = chosenKey();
  const draft = takeForFile(key, ["image", "video", "document"].includes(option));
  drawDraft();
  const isDone = await tell(
    sendFile(
      {
        person,
        number,
        kind: option === "voice" ? "audio" : option,
        voice: String(option === "voice"),
        filename,
        caption: draft.text.trim(),
        ...(draft.about !== null && { replyTo: draft.about.wamid }),
      },
      file,
    ),
  );
  if (isDone) return;
  giveBack(key, draft);
  drawDraft();
}

/**
 * @param {string} icon
 * @param {string} label
 * @param {string} what
 */
function iconButton(icon, label, what) {
  return h(
    "button",
    {
      type: "button",
      class: "icon-button",
      "data-do": what,
      "aria-label": label,
      title: label,
      "aria-expanded": what === "drawer" ? "false" : null,
    },
    h("span", { class: `wa-icon wa-icon-${icon}`, "aria-hidden": "true" }),
  );
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-do]") : null;
  if (button instanceof HTMLElement) press(button, button.dataset);
});
document.addEventListener("change", (event) => {
  const { target } = event;
  if (target === picker) return sendPicked();
  if (target instanceof HTMLInputElement && target.dataset.do === "switch")
    void tell(
      target.checked
        ? act("faults", { preset: target.dataset.id, number: chosen.number ?? undefined })
        : act("faults/take-back", { id: target.dataset.id, number: chosen.number ?? undefined }),
    );
  if (target instanceof HTMLInputElement && target.dataset.do === "on-app")
    void tell(act("numbers", { number: chosen.number, isOnBusinessApp: target.checked }));
  if (target instanceof HTMLInputElement && target.dataset.do === "marketing")
    void tell(act("marketing", { ...chosen, isStopped: !target.checked }));
  if (target instanceof HTMLSelectElement && target.dataset.do === "quality")
    void tell(act("quality", { number: chosen.number, rating: target.value }));
  if (target instanceof HTMLSelectElement && target.dataset.do === "template")
    void tell(
      act("templates", {
        number: chosen.number,
        name: target.dataset.name,
        language: target.dataset.language,
        status: target.value,
      }),
    );
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (draftOf(chosenKey()).about !== null) stopAbout();
    else if (!drawer.hidden) {
      toggleDrawer();
      words.focus();
    }
  }
});
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
words.addEventListener("input", () => {
  write(chosenKey(), words.value);
  grow();
});
words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void submit();
});
// By the browser's own control, and an event that does not bubble.
scroll.addEventListener(
  "play",
  ({ target }) => {
    if (target instanceof HTMLAudioElement && target.dataset.do !== undefined) press(target, target.dataset);
  },
  true,
);
scroll.addEventListener("scroll", () => {
  if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40) find(".newer").hidden = true;
});
window.addEventListener("hashchange", () => {
  const { person, number } = readHash();
  if (person !== chosen.person || number !== chosen.number) open(person, number);
});
watchPointer();
listen({ onChange: () => void read(), onAway: goAway });
