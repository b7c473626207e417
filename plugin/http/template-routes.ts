/** `/templates`: a tenant's templates for anybody of it to see, and for somebody who may operate to change. */
import { z } from "zod";
import type { TemplateService } from "../templates/manage-templates.ts";
import type { UploadSample } from "../templates/upload-sample.ts";
import { sendJson } from "./error-response.ts";
import { readBody } from "./json-body.ts";
import { PAGE, readQuery, SEARCH } from "./query.ts";
import type { TenantRoute } from "./session.ts";

const wabaId = z.string().regex(/^\d+$/).max(20);
/** In Meta's own spelling: checked with the whole template, each problem with its path. */
const components = z.array(z.looseObject({}));

export const TEMPLATE_SCHEMAS = {
  sample: z.strictObject({ mediaId: z.guid(), wabaId: wabaId.optional() }),
  list: z.strictObject({
    waba_id: wabaId.optional(),
    status: z.string().max(50).optional(),
    q: SEARCH,
    limit: PAGE.limit,
    after: z.string().max(600).optional(),
  }),
  create: z.strictObject({
    wabaId: wabaId.optional(),
    name: z.string(),
    language: z.string(),
    category: z.string(),
    components,
    parameterFormat: z.enum(["NAMED", "POSITIONAL"]).optional(),
    headerMediaId: z.guid().optional(),
  }),
  edit: z.strictObject({ components, category: z.string().optional(), headerMediaId: z.guid().optional() }),
  sync: z.strictObject({ wabaId: wabaId.optional() }),
};

export function createTemplateRoutes(deps: {
  readonly uploadSample: UploadSample;
  readonly templates: TemplateService;
}) {
  const { templates, uploadSample } = deps;

  const sample: TenantRoute = async (request, response, { customerConfigId }) => {
    const given = await readBody(request, TEMPLATE_SCHEMAS.sample);
    sendJson(response, 201, await uploadSample({ customerConfigId, ...given }));
  };

  const list: TenantRoute = async (request, response, { customerConfigId }) => {
    const { waba_id, ...filter } = readQuery(request, TEMPLATE_SCHEMAS.list);
    sendJson(response, 200, await templates.list({ customerConfigId, wabaId: waba_id, ...filter }));
  };

  const one: TenantRoute = async (request, response, { customerConfigId }) => {
    sendJson(response, 200, await templates.get({ customerConfigId, id: String(request.params.id) }));
  };

  const create: TenantRoute = async (request, response, { customerConfigId }) => {
    const given = await readBody(request, TEMPLATE_SCHEMAS.create);
    sendJson(response, 201, await templates.create({ ...given, customerConfigId }));
  };

  const edit: TenantRoute = async (request, response, { customerConfigId }) => {
    const given = await readBody(request, TEMPLATE_SCHEMAS.edit);
    sendJson(response, 200, await templates.edit({ ...given, customerConfigId, id: String(request.params.id) }));
  };

  const remove: TenantRoute = async (request, response, { customerConfigId }) => {
    await templates.remove({ customerConfigId, id: String(request.params.id) });
    response.statusCode = 204;
    response.setHeader("cache-control", "no-store");
    response.end();
  };

  const sync: TenantRoute = async (request, response, { customerConfigId }) => {
    const given = await readBody(request, TEMPLATE_SCHEMAS.sync, {});
    sendJson(response, 200, await templates.sync({ customerConfigId, ...given }));
  };

  return { sample, list, one, create, edit, remove, sync };
}
