/** What a tenant does with its templates. */
import { z } from "zod";
import type { UploadSample } from "../templates/upload-sample.ts";
import { sendJson } from "./error-response.ts";
import { invalid, readJsonBody } from "./json-body.ts";
import type { TenantRoute } from "./session.ts";

const SAMPLE = z.strictObject({ mediaId: z.guid(), wabaId: z.string().regex(/^\d+$/).optional() });

export function createTemplateRoutes(deps: { readonly uploadSample: UploadSample }) {
  const sample: TenantRoute = async (request, response, { customerConfigId }) => {
    const parsed = SAMPLE.safeParse(await readJsonBody(request));
    if (!parsed.success) throw invalid(parsed.error);
    sendJson(response, 201, await deps.uploadSample({ customerConfigId, ...parsed.data }));
  };

  return { sample };
}
