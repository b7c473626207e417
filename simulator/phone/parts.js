/** What several kinds of message share: pictures, captions, and the buttons under a bubble. */
import { formatted } from "./formatting.js";
import { h, safeUrl } from "./tree.js";
import { textOf } from "./wire.js";

/**
 * @typedef {import("./tree.js").Drawn} Drawn
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {{ readonly url: string, readonly mime: string, readonly size: number }} ShownFile
 *
 * What a drawing asks of its surroundings.
 * @typedef {object} Scene
 * @property {boolean} isLive whether there is somebody to press the buttons
 * @property {(media: Wire) => ShownFile | null} fileOf null: its bytes are not at hand
 * @property {boolean} [isPlayed] of a voice message: whether it was
 * @property {(message: Wire) => import("./template.js").Listed | null} listedOf the template that a message is made from
 */

/**
 * @param {Wire} media
 * @param {Scene} scene
 * @param {string} what
 */
export function drawPicture(media, scene, what = "Picture") {
  const file = scene.fileOf(media);
  const told = textOf(media.caption) || what;
  return file
    ? h("img", { class: "wa-picture", src: file.url, alt: told.slice(0, 120), loading: "lazy" })
    : placeholder("picture", media, what);
}

/**
 * @param {Wire} media
 * @param {Scene} scene
 */
export function drawVideo(media, scene) {
  const file = scene.fileOf(media);
  return file
    ? h("video", { class: "wa-picture", src: file.url, controls: true, preload: "metadata", "aria-label": "Video" })
    : placeholder("video", media, "Video");
}

/** @param {Wire} media */
export function caption({ caption }) {
  return textOf(caption) === "" ? "" : h("div", { class: "wa-text" }, formatted(textOf(caption)));
}

/**
 * A bar under a bubble: a link, something to press, or only what it says where nobody can press.
 * @param {Scene} scene
 * @param {{ readonly icon: string, readonly label: string, readonly url?: string | null, readonly action?: Readonly<Record<string, string>> }} button
 */
export function actionButton(scene, { icon, label, url = null, action }) {
  const inside = [
    h("span", { class: `wa-icon wa-icon-${icon}`, "aria-hidden": "true" }),
    h("span", { dir: "auto" }, label),
  ];
  const href = safeUrl(url);
  if (scene.isLive && href !== null)
    return h("a", { class: "wa-button", href, target: "_blank", rel: "noopener noreferrer" }, ...inside);
  if (!scene.isLive || action === undefined) return h("div", { class: "wa-button", title: href }, ...inside);
  const data = Object.fromEntries(Object.entries(action).map(([name, value]) => [`data-${name}`, value]));
  return h("button", { type: "button", class: "wa-button", ...data, "data-title": label }, ...inside);
}

/** @param {string} link */
export function nameOf(link) {
  const path = URL.canParse(link) ? new URL(link).pathname : link;
  return path.split("/").at(-1) || link;
}

/**
 * @param {string} icon
 * @param {Wire} media
 * @param {string} what
 */
function placeholder(icon, { link }, what) {
  const name = typeof link === "string" ? nameOf(link) : `${what}, not kept`;
  return h(
    "div",
    { class: "wa-placeholder" },
    h("span", { class: `wa-icon wa-icon-${icon}`, "aria-hidden": "true" }),
    h("span", { dir: "auto" }, name),
  );
}
