/** What Meta decides about templates, and how the business hears of it. */
import type { ListedTemplate, TemplateChanges, TemplateStore, Templates } from "./templates.ts";
import type { WebhookSender } from "./webhook-sender.ts";
import type { WireObject } from "./wire.ts";

/** `other_info` of a pause, as Meta words it. */
const FIRST_PAUSE = {
  title: "FIRST_PAUSE",
  description: "Your WhatsApp message template has been paused for 3 hours because its quality is low.",
};

export function createTemplateUpdates(deps: {
  readonly now: () => Date;
  readonly store: TemplateStore;
  readonly sender: WebhookSender;
}): Pick<Templates, "change"> {
  const { now, store, sender } = deps;
  const seconds = () => Math.floor(now().getTime() / 1000);

  function tell(wabaId: string, field: string, template: ListedTemplate, about: WireObject): void {
    void sender.send({
      kind: "account",
      lane: wabaId,
      wamids: [],
      content: [
        {
          wabaId,
          field,
          entry: { id: wabaId, time: seconds() },
          value: {
            // A number on the wire, as Meta writes it.
            message_template_id: Number(template.id),
            message_template_name: template.name,
            message_template_language: template.language,
            ...about,
          },
        },
      ],
    });
  }

  function apply(wabaId: string, template: ListedTemplate, changes: TemplateChanges): void {
    const { status, qualityScore, category } = changes;
    const rejectedReason = status === "REJECTED" ? (changes.rejectedReason ?? "INVALID_FORMAT") : "NONE";
    const { id: _, ...before } = template;
    store.api.add(
      {
        ...before,
        ...(status !== undefined && { status, rejectedReason }),
        ...(qualityScore !== undefined && { qualityScore }),
        ...(category !== undefined && { category, previousCategory: template.category }),
      },
      wabaId,
    );
    if (category !== undefined && category !== template.category)
      tell(wabaId, "template_category_update", template, {
        previous_category: template.category,
        new_category: category,
      });
    if (qualityScore !== undefined && qualityScore !== template.qualityScore)
      tell(wabaId, "message_template_quality_update", template, {
        previous_quality_score: template.qualityScore,
        new_quality_score: qualityScore,
      });
    if (status !== undefined)
      tell(wabaId, "message_template_status_update", template, {
        event: status,
        message_template_category: category ?? template.category,
        reason: rejectedReason,
        ...(changes.rejectionInfo && { rejection_info: changes.rejectionInfo }),
        ...(status === "PAUSED" && { other_info: FIRST_PAUSE }),
        ...(status === "DISABLED" && { disable_info: { disable_date: String(seconds()) } }),
      });
  }

  return {
    change(named, changes, account) {
      const { wabaId, found } = store.of(named, account);
      if (found.length === 0) throw new Error(`The simulator has no template ${named.name} in account ${wabaId}.`);
      for (const template of found) apply(wabaId, template, changes);
    },
  };
}
