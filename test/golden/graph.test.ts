import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { exampleStacks, examplePlan } from "../support/example-plans";
import { type RecordedResource, recordDataCenter } from "../support/recorded-graph";

/** Every resource of every example stack with its place in the graph and its inputs, in a form for reviewers. */
for (const stack of exampleStacks) {
  test(`the graph of ${stack} matches the recording`, async () => {
    const graph = await recordDataCenter(examplePlan(stack));
    const text = `${JSON.stringify(graph.map(shown).sort(byPlace), null, 2)}\n`;
    const file = path.join(__dirname, "graph", `${stack}.json`);
    if (process.env.RECORD) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      assert.fail(`recorded ${file}: look at the difference, then run without RECORD`);
    }
    assert.equal(text, readFileSync(file, "utf8"));
  });
}

/** Leaves out texts that have their own goldens, and shortens hashes that change with a recipe. */
function shown(resource: RecordedResource): RecordedResource {
  const shorten = (value: unknown, key = ""): unknown => {
    if (key === "objects" || key === "initial") return Object.keys(value as object).sort();
    if (key === "seed") return "(see the seed's golden)";
    if (key === "files") return (value as { path: string; reload: string }[]).map((file) => `${file.path}: ${file.reload}`);
    if (typeof value === "string") return value.replace(/^(infrastructure|kubernetes)-[0-9a-f]{12}$/, "$1-(hash)");
    if (Array.isArray(value)) return value.map((entry) => shorten(entry));
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(entries.map(([name, entry]) => [name, shorten(entry, name)]));
  };
  return { ...resource, inputs: shorten(resource.inputs) as RecordedResource["inputs"] };
}

const byPlace = (one: RecordedResource, other: RecordedResource): number =>
  `${one.type} ${one.name}`.localeCompare(`${other.type} ${other.name}`, "en");
