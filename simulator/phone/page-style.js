/** How the phone's page looks around the messages. */
export const PAGE_CSS = ``;
