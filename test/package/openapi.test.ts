/** docs/openapi.json against the routes: current, whole, and what OpenAPI 3.1 demands. */
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { openApi } from "../../plugin/http/openapi.ts";
import { ROUTES } from "../../plugin/http/route-table.ts";

type Parameter = { readonly name: string; readonly in: string; readonly schema: object };
type Operation = {
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: object };
};
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

const committed = JSON.parse(
  readFileSync(new URL("../../docs/openapi.json", import.meta.url), "utf8"),
) as unknown as Document;

describe("docs/openapi.json", () => {
  it("is what `npm run openapi` writes", () => {
    expect(committed).toEqual(JSON.parse(JSON.stringify(openApi("/api/whatsapp"))));
  });

  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(committed)));

    expect([valid, errors]).toEqual([true, undefined]);
    expect(validator.version).toBe("3.1");
  });

  it("has every route, with the parameters in its path, and no other", () => {
    const described = Object.entries(committed.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters }]) => {
        const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
        expect([path, inPath]).toEqual([path, path.match(/\{\w+\}/g) ?? []]);
        return `${method.toUpperCase()} ${path}`;
      }),
    );

    expect(described.sort()).toEqual(
      ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`).sort(),
    );
  });

  it("says what the schemas check", () => {
    const list = committed.paths["/webhooks"]?.get;
    expect(list?.description).toContain("`operate`");
    expect(Object.fromEntries(list?.parameters.map(({ name, schema }) => [name, schema]) ?? [])).toMatchObject({
      limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
      state: { enum: ["processed", "waiting", "failed"] },
      since: { type: "string", format: "date-time" },
      q: { type: "string", maxLength: 200 },
    });
    expect(committed.paths["/disconnect"]?.post?.requestBody?.required).toBe(false);
    expect(committed.paths["/send"]?.post?.requestBody?.required).toBe(true);
  });
});
