/** Every case in fixtures/templates: a choice, the templates that Meta lists, and what is sent or why nothing is. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readListedTemplate } from "../../adapters/graph-api/listed-template.ts";
import type { TemplateButton, TemplateParams } from "../../plugin/contract.ts";
import { checkMessage } from "../../plugin/messages/check-message.ts";
import { type PreparedTemplate, prepareTemplate } from "../../plugin/templates/prepare-template.ts";

const FOLDER = new URL("../../fixtures/templates/", import.meta.url);
const HALVES = ["choice", "result", "template"];
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
const cases = [...new Set(files.map((file) => file.slice(0, file.indexOf("."))))];

function read<Content>(name: string, half: string): Content {
  return JSON.parse(readFileSync(new URL(`${name}.${half}.json`, FOLDER), "utf8"));
}

describe("a template that somebody chose", () => {
  it.each(cases)("%s", (name) => {
    const listed = read<Parameters<typeof readListedTemplate>[0][]>(name, "template").map(readListedTemplate);
    const known = listed.filter((template) => template !== null);

    const prepared = prepareTemplate(read(name, "choice"), known);

    expect(known).toHaveLength(listed.length);
    expect(prepared).toEqual(read(name, "result"));
    if (prepared.kind === "ready") expect(checkMessage({ ...prepared.choice, kind: "template" })).toEqual([]);
    else expect(prepared.problems).not.toEqual([]);
  });
});

describe("the recorded templates", () => {
  it("have all three files, and say by their name when they are refused or repaired", () => {
    expect(files.toSorted()).toEqual(cases.flatMap((name) => HALVES.map((half) => `${name}.${half}.json`)).toSorted());
    for (const name of cases) {
      const result = read<PreparedTemplate>(name, "result");
      const kind = result.kind === "refused" ? "refused" : result.degraded.length > 0 ? "repaired" : "as chosen";
      expect([name, kind]).toEqual([name, /^(refused|repaired)-/.exec(name)?.[1] ?? "as chosen"]);
    }
  });

  // A new member of the union does not compile until it is here.
  it("hold every part of a template and every kind of its buttons, ready to be sent", () => {
    const parts: Readonly<Record<keyof TemplateParams, true>> = {
      body: true,
      buttons: true,
      cards: true,
      code: true,
      header: true,
      limitedTimeOffer: true,
    };
    const buttons: Readonly<Record<TemplateButton["kind"], true>> = {
      call: true,
      catalog: true,
      "copy-code": true,
      flow: true,
      "order-details": true,
      products: true,
      "quick-reply": true,
      url: true,
    };
    const ready = cases
      .map((name) => read<PreparedTemplate>(name, "result"))
      .flatMap((result) => (result.kind === "ready" ? [result.choice.params ?? {}] : []));
    const kinds = ready.flatMap((params) => (params.buttons ?? []).map(({ kind }) => kind));

    expect([...new Set(ready.flatMap(Object.keys))].sort()).toEqual(Object.keys(parts));
    expect([...new Set(kinds)].sort()).toEqual(Object.keys(buttons));
  });
});
