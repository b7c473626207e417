/** `GET /openapi.json`: the routes as they are mounted here. */
import type { ServerResponse } from "node:http";
import { sendJson } from "./error-response.ts";
import { openApi } from "./openapi.ts";

export function createOpenApiRoute() {
  const documents = new Map<string, object>();
  return (request: { readonly baseUrl: string }, response: ServerResponse): void => {
    // As Express says it: a host may mount it twice.
    const basePath = request.baseUrl === "" ? "/" : request.baseUrl;
    const document = documents.get(basePath) ?? openApi(basePath);
    if (documents.size < 10) documents.set(basePath, document);
    sendJson(response, 200, document);
  };
}
