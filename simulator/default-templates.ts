/** Approved templates that every simulated account begins with: one of each usual sort. */
import type { SimulatedTemplate } from "./templates.ts";

const SAMPLE_PICTURE = "https://media.example/sample.jpg";

export const DEFAULT_TEMPLATES: readonly SimulatedTemplate[] = [
  {
    name: "hello_world",
    language: "en_US",
    components: [
      { type: "HEADER", format: "TEXT", text: "Hello World" },
      {
        type: "BODY",
        text: "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message.",
      },
      { type: "FOOTER", text: "WhatsApp Business Platform sample message" },
    ],
  },
  {
    name: "hello_again",
    language: "en_GB",
    components: [{ type: "BODY", text: "Hello again! Write to us any time: we are here until six." }],
  },
  {
    name: "order_shipped",
    language: "en_GB",
    components: [
      { type: "HEADER", format: "TEXT", text: "Order {{1}}", example: { header_text: ["A-17"] } },
      {
        type: "BODY",
        text: "Hi {{1}}, your order {{2}} is on its way.",
        example: { body_text: [["Ada", "A-17"]] },
      },
      { type: "FOOTER", text: "Corner Bakery" },
      {
        type: "BUTTONS",
        buttons: [
          {
            type: "URL",
            text: "Track",
            url: "https://bakery.example/track/{{1}}",
            example: ["https://bakery.example/track/A-17"],
          },
        ],
      },
    ],
  },
  {
    name: "appointment_reminder",
    language: "en_GB",
    parameterFormat: "NAMED",
    components: [
      {
        type: "BODY",
        text: "Hello {{first_name}}, we see you on {{day}}. Does that still suit you?",
        example: {
          body_text_named_params: [
            { param_name: "first_name", example: "Ada" },
            { param_name: "day", example: "Monday" },
          ],
        },
      },
      {
        type: "BUTTONS",
        buttons: [
          { type: "QUICK_REPLY", text: "Yes" },
          { type: "QUICK_REPLY", text: "Another day" },
        ],
      },
    ],
  },
  {
    name: "spring_menu",
    language: "en_GB",
    category: "MARKETING",
    components: [
      { type: "HEADER", format: "IMAGE", example: { header_handle: [SAMPLE_PICTURE] } },
      { type: "BODY", text: "New on our menu, {{1}}: lemon tart.", example: { body_text: [["Ada"]] } },
      { type: "FOOTER", text: "Corner Bakery" },
      {
        type: "BUTTONS",
        buttons: [
          { type: "QUICK_REPLY", text: "Stop promotions" },
          { type: "URL", text: "See the menu", url: "https://bakery.example/menu" },
          { type: "COPY_CODE", text: "Copy offer code", example: ["LEMON20"] },
        ],
      },
    ],
  },
  {
    name: "cakes_of_the_week",
    language: "en_GB",
    category: "MARKETING",
    components: [
      { type: "BODY", text: "Our cakes of the week, {{1}}", example: { body_text: [["Ada"]] } },
      { type: "CAROUSEL", cards: ["Lemon", "Plum"].map(cakeCard) },
    ],
  },
  {
    name: "sign_in_code",
    language: "en_GB",
    category: "AUTHENTICATION",
    components: [
      { type: "BODY", text: "*{{1}}* is your verification code.", add_security_recommendation: true },
      { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy code" }] },
    ],
  },
];

function cakeCard(cake: string) {
  return {
    components: [
      { type: "HEADER", format: "IMAGE", example: { header_handle: [SAMPLE_PICTURE] } },
      { type: "BODY", text: `${cake} cake, only {{1}}`, example: { body_text: [["£4"]] } },
      { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Order" }] },
    ],
  };
}
