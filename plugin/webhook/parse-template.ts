/** The five changes of a template → template events. The whole change is one event. */
import type { TemplateEvent } from "../contract.ts";
import { changeBase, type ParseChange } from "./change-context.ts";
import { asId, asObject, asText, asWord, type Wire } from "./wire.ts";

type Details = Pick<TemplateEvent, "status" | "quality" | "category" | "reason" | "impending">;

const NOTHING = { status: null, quality: null, category: null, reason: null };

const DETAILS: Readonly<Record<TemplateEvent["change"], (value: Wire) => Details>> = {
  status: (value) => ({
    ...NOTHING,
    status: asWord(value.event),
    category: asWord(value.message_template_category),
    // A pause says `NONE`, and which pause it is elsewhere.
    reason: asWord(value.reason) ?? asWord(asObject(value.other_info)?.title),
  }),
  quality: (value) => ({ ...NOTHING, quality: asWord(value.new_quality_score) }),
  components: () => NOTHING,
  category: parseCategory,
  // Nothing has changed yet: the reason is the category that Meta finds right.
  "category-detection": (value) => ({
    ...NOTHING,
    category: asWord(value.category),
    reason: asWord(value.correct_category),
  }),
};

export function parseTemplate(named: TemplateEvent["change"]): ParseChange {
  return (value, change) => {
    const templateId = asId(value.message_template_id);
    const name = asText(value.message_template_name);
    if (templateId === null && name === null) return [];
    // Meta's own example of a quality update names the field of status updates.
    const kind = value.new_quality_score === undefined ? named : "quality";
    return [
      {
        kind: "template",
        change: kind,
        templateId,
        name,
        language: asText(value.message_template_language)?.replaceAll("-", "_") ?? null,
        ...DETAILS[kind](value),
        ...changeBase(change),
      },
    ];
  };
}

/** Announced a day ahead, `new_category` is still the present one; only `previous_category` tells that it has happened. */
function parseCategory(value: Wire): Details {
  const category = asWord(value.new_category);
  if (asText(value.previous_category) !== null) return { ...NOTHING, category };
  return { ...NOTHING, category: asWord(value.correct_category) ?? category, impending: true };
}
