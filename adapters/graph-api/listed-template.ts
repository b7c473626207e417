/** One item of Graph's list of templates → what the channel keeps of it. */
import type { ListedTemplate } from "../../plugin/ports.ts";
import { type Json, readText } from "./read-answer.ts";

/**
 * One unknown field fails the whole call, so these are the documented ones and no more.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
 */
export const TEMPLATE_FIELDS =
  "id,name,language,status,category,sub_category,previous_category,correct_category,parameter_format,components,quality_score,rejected_reason,message_send_ttl_seconds,library_template_name";

/** Null for what could not be told apart from another template. */
export function readListedTemplate(item: Json): ListedTemplate | null {
  const templateId = readText(item.id);
  const name = readText(item.name);
  const language = readText(item.language);
  const status = readText(item.status);
  if (templateId === null || name === null || language === null || status === null) return null;
  return {
    templateId,
    name,
    language,
    status: status.toUpperCase(),
    category: readText(item.category)?.toUpperCase() ?? null,
    subCategory: readText(item.sub_category),
    previousCategory: readText(item.previous_category),
    correctCategory: readText(item.correct_category),
    parameterFormat: readText(item.parameter_format)?.toUpperCase() === "NAMED" ? "NAMED" : "POSITIONAL",
    components: Array.isArray(item.components) ? item.components : [],
    qualityScore: readText((item.quality_score as Json | null | undefined)?.score),
    rejectedReason: readText(item.rejected_reason),
    sendTtlSeconds: typeof item.message_send_ttl_seconds === "number" ? item.message_send_ttl_seconds : null,
    libraryTemplateName: readText(item.library_template_name),
  };
}
