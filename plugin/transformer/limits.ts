/** The Cloud API's ceilings for what this version sends, one row each. */

export type Limit = {
  /** The most that Meta accepts. */
  readonly max: number;
  /**
   * What is counted. Meta says "characters" and does not define them; UTF-16 units are never fewer than code points or
   * graphemes, so counting them is the safe reading.
   */
  readonly unit: "utf16";
  readonly field: string;
};

export const LIMITS = {
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages */
  textBody: { max: 4096, unit: "utf16", field: "text.body" },
} as const satisfies Record<string, Limit>;
