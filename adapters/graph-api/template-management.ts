/** Templates created, edited and deleted at Meta, whose refusals are worded for the person who wrote the template. */
import { ChannelError } from "../../plugin/errors.ts";
import type { GraphApi } from "../../plugin/ports.ts";
import { digits, type GraphCall } from "./graph-call.ts";
import { type Json, readJson, readText } from "./read-answer.ts";
import { CHANGE_REFUSED, type RefusalSentences, requireAnswer } from "./require-answer.ts";

const NOT_TAKEN = "Meta does not take this template.";
const TEMPLATE_REFUSED: RefusalSentences = { ...CHANGE_REFUSED, never: NOT_TAKEN, template: NOT_TAKEN, fix: NOT_TAKEN };

export function createTemplateManagement(
  call: GraphCall,
): Pick<GraphApi, "createTemplate" | "editTemplate" | "deleteTemplate"> {
  return {
    async createTemplate({ wabaId, accessToken, draft }) {
      const { name, language, category, parameterFormat, components } = draft;
      const body = { name, language, category, parameter_format: parameterFormat, components };
      const answer = await ask({ path: `${digits(wabaId)}/message_templates`, accessToken, body });
      const templateId = readText(answer.id);
      if (templateId === null) throw ambiguous("Meta has answered without the template's id");
      return {
        templateId,
        status: readText(answer.status)?.toUpperCase() ?? "PENDING",
        category: readText(answer.category)?.toUpperCase() ?? category,
      };
    },

    async editTemplate({ templateId, accessToken, components, category }) {
      const body = { components, ...(category === null ? {} : { category }) };
      await ask({ path: digits(templateId), accessToken, body });
    },

    async deleteTemplate({ wabaId, accessToken, templateId, name }) {
      const query = { hsm_id: digits(templateId), name };
      await ask({ method: "DELETE", path: `${digits(wabaId)}/message_templates`, accessToken, query });
    },
  };

  /** What Meta says of a template quotes the template and nobody's number: whoever wrote it needs the words. */
  async function ask(request: Parameters<GraphCall>[0]) {
    const outcome = await call(request);
    if (outcome.kind === "broken") throw ambiguous("Meta has not answered");
    try {
      return requireAnswer(outcome, TEMPLATE_REFUSED);
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      if (error.code === "GRAPH_UNREACHABLE" && outcome.kind === "answer")
        throw ambiguous("Meta has answered nothing that can be read");
      if (error.code !== "GRAPH_REJECTED") throw error;
      const said = outcome.kind === "answer" ? wordsOf(readJson(outcome.text)) : "";
      const { retry, retryAfterMs, meta } = error;
      throw new ChannelError("GRAPH_REJECTED", said === "" ? error.message : `${error.message} Meta says: ${said}`, {
        retry,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(meta === undefined ? {} : { meta }),
        cause: error,
      });
    }
  }
}

/** It had left: a template may have been created, changed or deleted all the same. */
function ambiguous(what: string): ChannelError {
  return new ChannelError("GRAPH_AMBIGUOUS", `${what}: it is not known yet whether it has done this.`);
}

/** Meta's sentence for people, or the one for developers. */
function wordsOf(answer: Json | null): string {
  const { error_user_title: title, error_user_msg: sentence, message } = (answer?.error ?? {}) as Json;
  const forPeople = [readText(title), readText(sentence)].filter((text) => text !== null).join(": ");
  return forPeople === "" ? (readText(message) ?? "") : forPeople;
}
