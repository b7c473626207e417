/** Listing an account's templates: every page, a cursor that went stale, and what is kept of each. */
import nock from "nock";
import { describe, expect, it } from "vitest";
import { graphAt, ORIGIN, TOKEN, WABA_ID } from "./graph.ts";
import { onlyNock } from "./nocked.ts";

onlyNock();

const PATH = `/v25.0/${WABA_ID}/message_templates`;
const NEXT = `${ORIGIN}/next`;
const STALE = { error: { code: 131059, message: "Invalid cursor" } };

const list = () => graphAt().templatesOf({ wabaId: WABA_ID, accessToken: TOKEN });
const names = async () => (await list()).map(({ name }) => name);

function template(name: string) {
  return { id: `1${name.length}`, name, language: "en_GB", status: "APPROVED", components: [] };
}

/** One page, asked for with the cursor of the page before. */
function page(after: string | undefined, answer: object, status = 200): void {
  nock(ORIGIN)
    .get(PATH)
    .query((query) => query.after === after)
    .reply(status, answer);
}

describe("listing an account's templates", () => {
  it("asks for the documented fields", async () => {
    nock(ORIGIN)
      .get(PATH)
      .query(({ fields, limit }) => {
        expect(String(fields).split(",")).toEqual([
          "id",
          "name",
          "language",
          "status",
          "category",
          "sub_category",
          "previous_category",
          "correct_category",
          "parameter_format",
          "components",
          "quality_score",
          "rejected_reason",
          "message_send_ttl_seconds",
          "library_template_name",
        ]);
        return Number(limit) > 25;
      })
      .reply(200, { data: [] });

    expect(await list()).toEqual([]);
  });

  it("keeps what Meta says of a template, its components in Meta's own spelling", async () => {
    const components = [{ type: "BODY", text: "Hi {{first_name}}" }];
    page(undefined, {
      data: [
        {
          id: "1387",
          name: "order_shipped",
          language: "en_US",
          status: "APPROVED",
          category: "UTILITY",
          sub_category: "ORDER_STATUS",
          previous_category: "MARKETING",
          correct_category: "UTILITY",
          parameter_format: "NAMED",
          components,
          quality_score: { score: "GREEN", date: 1790000000 },
          rejected_reason: "NONE",
          message_send_ttl_seconds: 3600,
          library_template_name: "shipped_1",
        },
      ],
    });

    expect(await list()).toEqual([
      {
        templateId: "1387",
        name: "order_shipped",
        language: "en_US",
        status: "APPROVED",
        category: "UTILITY",
        subCategory: "ORDER_STATUS",
        previousCategory: "MARKETING",
        correctCategory: "UTILITY",
        parameterFormat: "NAMED",
        components,
        qualityScore: "GREEN",
        rejectedReason: "NONE",
        sendTtlSeconds: 3600,
        libraryTemplateName: "shipped_1",
      },
    ]);
  });

  it("does without what Meta leaves out, and skips what is no template", async () => {
    page(undefined, {
      data: [
        null,
        "?",
        {},
        { id: "1", name: "n", language: "en" },
        { id: "2", name: "n", language: "de", status: "paused" },
      ],
    });

    expect(await list()).toEqual([
      {
        templateId: "2",
        name: "n",
        language: "de",
        status: "PAUSED",
        category: null,
        subCategory: null,
        previousCategory: null,
        correctCategory: null,
        parameterFormat: "POSITIONAL",
        components: [],
        qualityScore: null,
        rejectedReason: null,
        sendTtlSeconds: null,
        libraryTemplateName: null,
      },
    ]);
  });

  it("follows every page", async () => {
    page(undefined, { data: [template("one")], paging: { cursors: { after: "QVFI1" }, next: NEXT } });
    page("QVFI1", { data: [template("two")], paging: { cursors: { after: "QVFI2" }, next: NEXT } });
    page("QVFI2", { data: [template("three")], paging: { cursors: { after: "QVFI3" } } });

    expect(await names()).toEqual(["one", "two", "three"]);
  });

  it("begins again, once, when a cursor went stale, and keeps nothing of the first reading", async () => {
    page(undefined, { data: [template("gone")], paging: { cursors: { after: "QVFI1" }, next: NEXT } });
    page("QVFI1", STALE, 400);
    page(undefined, { data: [template("one")], paging: { cursors: { after: "QVFI2" }, next: NEXT } });
    page("QVFI2", { data: [template("two")] });

    expect(await names()).toEqual(["one", "two"]);
  });

  it("gives up when the cursor goes stale again", async () => {
    page(undefined, { data: [template("one")], paging: { cursors: { after: "QVFI1" }, next: NEXT } });
    page("QVFI1", STALE, 400);
    page(undefined, STALE, 400);

    await expect(list()).rejects.toThrow(
      expect.objectContaining({ code: "GRAPH_REJECTED", meta: expect.objectContaining({ code: 131059 }) }),
    );
  });

  it("ends where Meta gives a cursor that was there before", async () => {
    page(undefined, { data: [template("one")], paging: { cursors: { after: "QVFI1" }, next: NEXT } });
    page("QVFI1", { data: [template("two")], paging: { cursors: { after: "QVFI2" }, next: NEXT } });
    page("QVFI2", { data: [template("three")], paging: { cursors: { after: "QVFI1" }, next: NEXT } });

    expect(await names()).toEqual(["one", "two", "three"]);
  });

  it("says so when the list never ends", async () => {
    let asked = 0;
    nock(ORIGIN)
      .persist()
      .get(PATH)
      .query(true)
      .reply((uri) => {
        asked += 1;
        const after = Number(new URL(uri, ORIGIN).searchParams.get("after") ?? "0");
        return [200, { data: [], paging: { cursors: { after: String(after + 1) }, next: NEXT } }];
      });

    await expect(list()).rejects.toThrow(expect.objectContaining({ code: "GRAPH_UNREACHABLE" }));
    expect(asked).toBe(300);
  });
});
