/** The only file that names the library; the server leads these names to the addresses where it serves lit's own modules. */
export { css, html, LitElement, nothing, svg } from "lit";
export { repeat } from "lit/directives/repeat.js";
