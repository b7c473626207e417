/** What can be asked of any page without a person: names, labels, contrast, ids, and no sideways scrolling. */
import type { Page } from "playwright-core";

/** @returns what is wrong, nothing for a page that holds. */
export function faultsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(CHECK);
}

const CHECK = `(() => {
  const faults = [];
  const every = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? every(one.shadowRoot) : [])]);
  const all = every(document.body);
  const byId = (one, id) => one.getRootNode().getElementById(id);
  const nameOf = (one) =>
    (one.getAttribute("aria-label") ?? (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => byId(one, id)?.textContent ?? "").join(" ")).trim() ||
    [...(one.labels ?? [])].map((label) => label.textContent).join(" ").trim() || (one.localName === "input" ? "" : one.textContent.trim());

  for (const one of all) {
    const tag = "<" + one.localName + ">" + one.textContent.slice(0, 30);
    if (one.matches("button, a[href], input, fieldset, section[aria-labelledby], [role=group]") && nameOf(one) === "") faults.push("no name: " + tag);
    for (const attribute of ["aria-labelledby", "aria-describedby", "for"])
      for (const id of (one.getAttribute(attribute) ?? "").split(" ").filter(Boolean)) if (!byId(one, id)) faults.push(attribute + " leads nowhere: " + tag);
    if (one.id && one.getRootNode().querySelectorAll("#" + CSS.escape(one.id)).length > 1) faults.push("id twice: " + one.id);
    if (one.matches("button, input") && one.checkVisibility() && one.getBoundingClientRect().height < 20) faults.push("too small: " + tag);
    for (const { name } of one.attributes) if (name.startsWith("on")) faults.push("inline handler: " + tag);
  }

  const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const paint = (...colours) => {
    probe.fillStyle = "white";
    for (const colour of colours) { probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1); }
    return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parentOf = (one) => one.parentElement ?? one.getRootNode().host ?? null;
  for (const one of all) {
    const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!hasText || !one.checkVisibility() || one.closest(".unseen, [aria-disabled=true], style, script")) continue;
    const backgrounds = [];
    for (let at = one; at; at = parentOf(at)) backgrounds.unshift(getComputedStyle(at).backgroundColor);
    const base = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "white";
    const under = paint(base, ...backgrounds);
    const over = paint(base, ...backgrounds, getComputedStyle(one).color);
    const [high, low] = [luminance(under), luminance(over)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faults.push("contrast " + ratio.toFixed(2) + ": " + one.textContent.trim().slice(0, 40));
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) faults.push("scrolls sideways");
  return faults;
})()`;
