/** The icons, as masks that take the colour of the text they stand beside. */

/** Paths in a square of 24. @type {Readonly<Record<string, string>>} */
const PATHS = {
  reply: "M10 8V4L3 11l7 7v-4c5 0 8.5 1.6 11 5-1-5-4-10-11-11z",
  link: "M14 4h6v6h-2V7.400l-8.3 8.3-1.4-1.400L16.6 6H14V4zM6 6h5v2H8v8h8v-3h2v5H6V6z",
  list: "M4 6h2.500v2.500H4V6zm5 0h11v2.500H9V6zM4 11h2.500v2.500H4V11zm5 0h11v2.500H9V11zM4 16h2.500v2.500H4V16zm5 0h11v2.500H9V16z",
  form: "M6 3h9l4 4v14H6V3zm2 2v14h9V8h-3V5H8zm2 6h5v1.600h-5V11zm0 3.500h5v1.600h-5v-1.600z",
  copy: "M8 3h11v14h-2V5H8V3zM5 7h10v14H5V7zm2 2v10h6V9H7z",
  call: "M6.6 3.500l3 .5 1.3 4-2 1.800a13 13 0 0 0 5.3 5.300l1.8-2 4 1.3.5 3c-.5 1.6-1.8 2.6-3.5 2.600C9.8 20 4 14.2 4 7c0-1.7 1-3 2.6-3.500z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-4 0-8 2-8 5v1h16v-1c0-3-4-5-8-5z",
  pin: "M12 2a7 7 0 0 0-7 7c0 5 7 13 7 13s7-8 7-13a7 7 0 0 0-7-7zm0 4.500a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  microphone:
    "M12 14a3 3 0 0 0 3-3V5a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm5.5-3a5.5 5.5 0 0 1-11 0H5a7 7 0 0 0 6 6.900V21h2v-3.100A7 7 0 0 0 19 11h-1.500z",
  play: "M8 5v14l11-7L8 5z",
  music: "M9 4l11-2v13.500a3 3 0 1 1-2-2.800V7l-7 1.300v9.200a3 3 0 1 1-2-2.800V4z",
  picture: "M3 5h18v14H3V5zm2 2v9l4-5 3 3.5 3-4 4 5.500V7H5zm3.5.8a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 0 1 0-3.200z",
  video: "M3 6h12v4.500l6-3.500v10l-6-3.500V18H3V6z",
  send: "M3 20.500l19-8.500L3 3.500V10l13 2-13 2v6.500z",
  attach: "M12 4v7H5v2h7v7h2v-7h7v-2h-7V4h-2z",
  more: "M12 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  back: "M11 5l-7 7 7 7 1.5-1.500L8 13h12v-2H8l4.5-4.500L11 5z",
  close: "M6.4 5L5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12 19 6.4 17.6 5 12 10.6 6.4 5z",
  tools:
    "M4 6h8.200a3 3 0 0 1 5.6 0H20v2h-2.200a3 3 0 0 1-5.6 0H4V6zm0 10h2.200a3 3 0 0 1 5.6 0H20v2h-8.200a3 3 0 0 1-5.6 0H4v-2z",
  add: "M4 4h16v12H9l-5 4V4zm7 3v2.500H8.500v1.500H11v2.500h1.500V11H15V9.500h-2.500V7H11z",
};

export const ICONS_CSS = `
.wa-icon { display: inline-block; flex: none; width: 1.25em; height: 1.25em; background: currentColor; -webkit-mask: var(--icon) center / contain no-repeat; mask: var(--icon) center / contain no-repeat; }
${Object.entries(PATHS)
  .map(
    ([name, path]) =>
      `.wa-icon-${name} { --icon: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill-rule='evenodd' d='${path}'/%3E%3C/svg%3E"); }`,
  )
  .join("\n")}
`;
