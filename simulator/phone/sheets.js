/** What opens above a chat: lists to choose from, forms to fill in, what can be done with a message. */
import { find, toElement } from "./dom.js";
import { startRecording } from "./recorder.js";
import { h } from "./tree.js";
import { objectOf, objectsOf, textOf } from "./wire.js";

/**
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {import("./tree.js").Child} Child
 */

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/**
 * Opens a sheet. The keyboard stays in it, Escape closes it, and the focus goes back to where it was.
 * @param {string} title
 * @param {readonly Child[]} content
 * @param {(action: DOMStringMap, form: FormData) => void} onDone called with the button that was pressed
 * @param {(form: FormData) => Promise<string | null>} [begin] what is done before it closes; a problem is said in the sheet, which
 *   stays as it was filled in
 */
export function openSheet(title, content, onDone, begin) {
  const dialog = toElement(
    h(
      "dialog",
      { class: "sheet", "aria-labelledby": "sheet-title" },
      h(
        "form",
        { method: "dialog" },
        h(
          "header",
          {},
          h("h2", { id: "sheet-title", dir: "auto", tabindex: -1 }, title),
          h(
            "button",
            { type: "button", class: "icon-button", "data-close": true, "aria-label": "Close" },
            h("span", { class: "wa-icon wa-icon-close", "aria-hidden": "true" }),
          ),
        ),
        h("div", { class: "sheet-body" }, h("p", { class: "problem", role: "alert", hidden: true }), ...content),
      ),
    ),
  );
  if (!(dialog instanceof HTMLDialogElement)) throw new Error("This browser has no dialogs.");
  const form = find("form", dialog);
  let isBusy = false;
  dialog.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target === dialog || target?.closest("[data-close]")) dialog.close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!(form instanceof HTMLFormElement) || !(event instanceof SubmitEvent)) return;
    const { submitter } = event;
    const filledIn = new FormData(form);
    const finish = () => {
      dialog.close();
      dialog.remove();
      onDone(submitter instanceof HTMLElement ? submitter.dataset : {}, filledIn);
    };
    if (begin === undefined) return finish();
    if (isBusy) return;
    isBusy = true;
    void begin(filledIn).then((problem) => {
      isBusy = false;
      // Whoever has closed it meanwhile wants no more of it.
      if (!dialog.open) return;
      if (problem === null) return finish();
      const place = find(".problem", dialog);
      place.textContent = problem;
      place.hidden = false;
    });
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * @param {Wire} interactive a list message
 * @param {(choice: { readonly kind: string, readonly id: string }) => void} onChosen
 */
export function openList(interactive, onChosen) {
  const { button, sections } = objectOf(interactive.action);
  const content = objectsOf(sections).map((section, index) =>
    h(
      "fieldset",
      {},
      h("legend", { dir: "auto", class: textOf(section.title) === "" && "unseen" }, textOf(section.title) || "Rows"),
      ...objectsOf(section.rows).map((row, at) =>
        h(
          "label",
          { class: "choice" },
          h(
            "span",
            { class: "choice-words" },
            h("span", { dir: "auto" }, textOf(row.title)),
            textOf(row.description) !== "" && h("span", { class: "soft", dir: "auto" }, textOf(row.description)),
          ),
          h("input", {
            type: "radio",
            name: "row",
            value: textOf(row.id),
            required: true,
            checked: index === 0 && at === 0,
          }),
        ),
      ),
    ),
  );
  openSheet(textOf(button), [...content, mainButton("Send")], (_, form) =>
    onChosen({ kind: "row", id: String(form.get("row") ?? "") }),
  );
}

/**
 * @param {{ readonly answer: boolean, readonly edit: boolean, readonly delete: boolean }} may
 * @param {(action: DOMStringMap) => void} onChosen
 */
export function openOptions(may, onChosen) {
  const option = (/** @type {string} */ name, /** @type {string} */ label) =>
    h("button", { class: "option", "data-option": name }, label);
  openSheet(
    "Message",
    [
      may.answer &&
        h(
          "div",
          { class: "emoji", role: "group", "aria-label": "React" },
          ...EMOJI.map((emoji) =>
            h("button", { "data-option": "react", "data-emoji": emoji, "aria-label": `React with ${emoji}` }, emoji),
          ),
          h("button", { "data-option": "react", "data-emoji": "", "aria-label": "Take the reaction back" }, "–"),
        ),
      may.answer && option("reply", "Reply"),
      may.edit && option("edit", "Edit"),
      may.delete && option("delete", "Delete for everyone"),
      option("details", "Details"),
    ],
    onChosen,
  );
}

/** @param {import("./api.js").Entry} entry */
export function openDetails({ wamid, status, at, error, message }) {
  const row = (/** @type {string} */ name, /** @type {string} */ value) => [h("dt", {}, name), h("dd", {}, value)];
  openSheet(
    "Details",
    [
      h(
        "dl",
        {},
        ...row("Id", wamid),
        ...row("Status", status),
        ...row("Time", at),
        ...(error ? row("Error", `${error.code} ${error.title}`) : []),
      ),
      h("pre", { tabindex: 0, "aria-label": "The message as Meta has it" }, JSON.stringify(message, null, 2)),
    ],
    () => undefined,
  );
}

/**
 * @param {import("./api.js").State} state
 * @param {{ readonly person: string | null, readonly number: string | null }} chosen
 * @param {object} steps
 * @param {(about: Readonly<Record<string, string>>) => Promise<string | null>} steps.begin
 * @param {(about: Readonly<Record<string, string>>) => void} steps.onChosen
 */
export function openNewChat({ people, numbers }, chosen, { begin, onChosen }) {
  const isKnown = people.length > 0;
  openSheet(
    "New chat",
    [
      h(
        "label",
        { class: "field" },
        "You are",
        h(
          "select",
          { name: "person" },
          ...people.map(({ key, name, phoneNumber }) =>
            h(
              "option",
              { value: key, selected: key === chosen.person },
              phoneNumber === null ? name : `${name} (${phoneNumber})`,
            ),
          ),
          h("option", { value: "", selected: !isKnown }, "Somebody new"),
        ),
      ),
      h(
        "div",
        { class: "new-person" },
        field("name", "Name", { autocomplete: "off", maxlength: 60 }),
        field("phoneNumber", "Phone number", {
          inputmode: "tel",
          placeholder: "Invented when left empty",
          autocomplete: "off",
        }),
        field("username", "Username", { placeholder: "None", autocomplete: "off" }),
        h(
          "label",
          { class: "check" },
          h("input", { type: "checkbox", name: "hidesPhoneNumber" }),
          "The business sees the username and no number",
        ),
      ),
      h(
        "label",
        { class: "field" },
        "You write to",
        h(
          "select",
          { name: "number" },
          ...numbers.map(({ id, name, displayPhoneNumber }) =>
            h("option", { value: id, selected: id === chosen.number }, `${name} (${displayPhoneNumber})`),
          ),
        ),
      ),
      mainButton("Open"),
    ],
    (_, form) => onChosen(textsOf(form)),
    (form) => begin(textsOf(form)),
  );
}

/**
 * A Flow as a plain form: its screens are Meta's, so whoever answers names the fields.
 * @param {Wire} message
 * @param {(reply: Wire) => void} onSent
 */
export function openFlow(message, onSent) {
  const interactive = objectOf(message.interactive);
  const parameters = objectOf(objectOf(interactive.action).parameters);
  const payload = objectOf(parameters.flow_action_payload);
  const known = Object.entries(objectOf(payload.data));
  openSheet(
    textOf(parameters.flow_cta) || "Form",
    [
      h(
        "p",
        { class: "soft" },
        `Flow ${textOf(parameters.flow_id) || textOf(parameters.flow_name) || "of the template"}${textOf(payload.screen) === "" ? "" : `, screen ${textOf(payload.screen)}`}. What you send is its answer.`,
      ),
      ...known.map(([name, value]) =>
        field(`known ${name}`, name, { value: typeof value === "object" ? JSON.stringify(value) : String(value) }),
      ),
      ...[1, 2, 3]
        .slice(known.length > 0 ? 2 : 0)
        .map((at) =>
          h(
            "div",
            { class: "pair" },
            field(`name ${at}`, "Field", { placeholder: "day", autocomplete: "off" }),
            field(`value ${at}`, "Answer", { placeholder: "Monday", autocomplete: "off" }),
          ),
        ),
      mainButton("Send"),
    ],
    (_, form) => {
      /** @type {Record<string, string>} */
      const answers = {};
      for (const [name] of known) answers[name] = String(form.get(`known ${name}`) ?? "");
      for (const at of [1, 2, 3]) {
        const name = String(form.get(`name ${at}`) ?? "").trim();
        if (name !== "") answers[name] = String(form.get(`value ${at}`) ?? "");
      }
      const token = textOf(parameters.flow_token);
      const json = JSON.stringify({ ...(token !== "" && { flow_token: token }), ...answers });
      onSent({
        type: "interactive",
        interactive: { type: "nfm_reply", nfm_reply: { name: "flow", body: "Sent", response_json: json } },
      });
    },
  );
}

/** @param {(reply: Wire) => void} onSent */
export function openAddress(onSent) {
  const names = {
    name: "Name",
    phone_number: "Phone number",
    address: "Address",
    city: "City",
    in_pin_code: "PIN code",
  };
  openSheet(
    "Address",
    [...Object.entries(names).map(([name, label]) => field(name, label, { autocomplete: "off" })), mainButton("Send")],
    (_, form) => {
      const values = textsOf(form);
      const body = Object.values(values).filter(Boolean).join(", ");
      onSent({
        type: "interactive",
        interactive: {
          type: "nfm_reply",
          nfm_reply: { name: "address_message", body, response_json: JSON.stringify({ values }) },
        },
      });
    },
  );
}

/** @param {(message: Wire) => void} onSent */
export function openLocation(onSent) {
  openSheet(
    "Send location",
    [
      field("name", "Name", { value: "Clock tower", autocomplete: "off" }),
      field("address", "Address", { value: "London", autocomplete: "off" }),
      h(
        "div",
        { class: "pair" },
        field("latitude", "Latitude", {
          value: "51.5007",
          inputmode: "decimal",
          required: true,
          pattern: "-?\\d+(\\.\\d+)?",
        }),
        field("longitude", "Longitude", {
          value: "-0.1246",
          inputmode: "decimal",
          required: true,
          pattern: "-?\\d+(\\.\\d+)?",
        }),
      ),
      mainButton("Send"),
    ],
    (_, form) => {
      const { name = "", address = "", latitude, longitude } = textsOf(form);
      onSent({
        type: "location",
        location: {
          latitude: Number(latitude),
          longitude: Number(longitude),
          ...(name !== "" && { name }),
          ...(address !== "" && { address }),
        },
      });
    },
  );
}

/** @param {(message: Wire) => void} onSent */
export function openContact(onSent) {
  openSheet(
    "Send contact",
    [
      field("name", "Name", { value: "Bo Li", required: true, autocomplete: "off" }),
      field("phone", "Phone number", { value: "+44 7700 900998", required: true, autocomplete: "off" }),
      mainButton("Send"),
    ],
    (_, form) => {
      const { name = "", phone = "" } = textsOf(form);
      onSent({
        type: "contacts",
        contacts: [
          {
            name: { formatted_name: name, first_name: name.split(" ")[0] },
            phones: [{ phone, wa_id: phone.replace(/\D/g, ""), type: "CELL" }],
          },
        ],
      });
    },
  );
}

/** @param {(reply: Wire) => void} onSent */
export function openPermission(onSent) {
  openSheet(
    "May the business call you?",
    [
      h("button", { class: "option", "data-option": "accept" }, "Allow calls for a week"),
      h("button", { class: "option", "data-option": "reject" }, "Do not allow"),
    ],
    ({ option }) =>
      onSent({
        type: "interactive",
        interactive: {
          type: "call_permission_reply",
          call_permission_reply: {
            response: option === "accept" ? "accept" : "reject",
            response_source: "user_action",
          },
        },
      }),
  );
}

/**
 * Records while it is open.
 * @param {{ readonly onRecorded: (voice: Blob) => void, readonly onFile: () => void }} listeners
 */
export function openRecorder({ onRecorded, onFile }) {
  /** @type {Awaited<ReturnType<typeof startRecording>> | null} */
  let recording = null;
  let isWanted = false;
  const dialog = openSheet(
    "Voice note",
    [
      h("p", { class: "recording", role: "status" }, "Waiting for the microphone…"),
      h("button", { class: "main-button", "data-option": "send", disabled: true }, "Send"),
      h("button", { class: "option", "data-option": "file" }, "Choose a file instead"),
    ],
    ({ option }) => {
      if (option === "file") return onFile();
      isWanted = true;
      void recording?.finish().then(onRecorded);
    },
  );
  const told = find(".recording", dialog);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  dialog.addEventListener("close", () => {
    clearInterval(clock);
    if (!isWanted) recording?.cancel();
  });
  startRecording().then(
    (started) => {
      recording = started;
      if (!dialog.open) return started.cancel();
      const startedAt = performance.now();
      const tell = () => {
        const seconds = Math.floor((performance.now() - startedAt) / 1000);
        told.textContent = `Recording, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      };
      tell();
      clock = setInterval(tell, 1000);
      find("[data-option=send]", dialog).removeAttribute("disabled");
    },
    () => {
      told.textContent = "This browser gives the page no microphone.";
    },
  );
}

/** @param {(action: DOMStringMap) => void} onChosen */
export function openAttach(onChosen) {
  /** @type {readonly [string, string, string][]} */
  const kinds = [
    ["image", "picture", "Picture"],
    ["video", "video", "Video"],
    ["voice", "microphone", "Voice note"],
    ["audio", "music", "Audio"],
    ["document", "form", "Document"],
    ["sticker", "picture", "Sticker (WebP)"],
    ["location", "pin", "Location"],
    ["contact", "person", "Contact"],
  ];
  openSheet(
    "Send",
    [
      h(
        "div",
        { class: "grid" },
        ...kinds.map(([name, icon, label]) =>
          h(
            "button",
            { class: "tile", "data-option": name },
            h("span", { class: `wa-icon wa-icon-${icon}`, "aria-hidden": "true" }),
            label,
          ),
        ),
      ),
    ],
    onChosen,
  );
}

/**
 * @param {string} name
 * @param {string} label
 * @param {Readonly<Record<string, string | number | boolean>>} attributes
 */
function field(name, label, attributes = {}) {
  return h("label", { class: "field" }, label, h("input", { name, type: "text", ...attributes }));
}

/** @param {string} label */
function mainButton(label) {
  return h("button", { class: "main-button" }, label);
}

/** @param {FormData} form */
function textsOf(form) {
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === "string" ? value : ""]));
}
