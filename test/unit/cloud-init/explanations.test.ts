import assert from "node:assert/strict";
import { test } from "node:test";
import {
  annotate,
  explanationOf,
  fileExplanations,
  headOf,
  stanzasOf,
  unitExplanations,
} from "../../../cloud-init/explanations/explain-file";
import { nodeContent } from "../../../cloud-init/render-node-seed";
import type { SeedFile } from "../../../cloud-init/role-content";
import { containerLayer } from "../../../image/recipes/container-layer";
import { explainedPlans } from "../../support/explained-plans";

const files = new Map<string, SeedFile>();
for (const plan of explainedPlans())
  for (const node of plan.nodes)
    for (const file of nodeContent(plan, node).files) files.set(JSON.stringify(file), file);
const all = [...files.values()];

test("every file of every seed is explained", () => {
  assert.ok(all.length > 140);
  const missing = all.filter((file) => !explanationOf(file)?.why);
  assert.deepEqual(new Set(missing.map(({ path }) => path)), new Set());
});

test("no explanation is about a file or a unit that no seed has", () => {
  const used = new Set(all.map((file) => explanationOf(file)));
  const unused = Object.keys(fileExplanations).filter((path) => !used.has(fileExplanations[path]));
  assert.deepEqual(unused, []);
  const named = all
    .flatMap((file) => [explanationOf(file)?.unit ?? "", ...("content" in file ? [file.content] : [])])
    .join("\n");
  assert.deepEqual(
    Object.keys(unitExplanations).filter((unit) => !named.includes(unit) && !ofImages.includes(unit)),
    [],
  );
});

/** Units of images, which no seed names. */
const ofImages = ["containerd.service", "docker.service", "cri-dockerd.service", "chrony.service"];

test("a unit that images of system containers mask says why", () => {
  const masked = Object.keys(unitExplanations).filter((unit) => unitExplanations[unit]?.masked !== undefined);
  const units = Object.keys(unitExplanations).filter((unit) => containerLayer.maskedUnits.includes(unit));
  assert.deepEqual(masked, units);
});

test("a file names a unit that is explained, or a command that shows it", () => {
  for (const file of all) {
    const { unit, shown } = explanationOf(file) ?? {};
    assert.ok(
      shown !== undefined || (unit !== undefined && unitExplanations[unit]) || unit === "ssh.service",
      file.path,
    );
  }
});

test("each part of a text has a note", () => {
  for (const file of all) {
    const stanzas = stanzasOf(file);
    if (!("content" in file) || /^#!\/bin/.test(file.content)) continue;
    assert.ok(stanzas, `${file.path} has no notes`);
    const [first] = annotate(file.content, stanzas);
    const head = first?.lines.filter((line) => !/^(?:#|\s*$|\{|---)/.test(line)) ?? [];
    assert.ok(
      first?.note !== undefined || head.length === 0,
      `${file.path} begins without a note:\n${first?.lines.join("\n")}`,
    );
  }
});

test("each note is about a part of some text", () => {
  for (const [path, { stanzas = {} }] of Object.entries(fileExplanations)) {
    const texts = all.flatMap((file) =>
      explanationOf(file) === fileExplanations[path] && "content" in file ? [file.content] : [],
    );
    for (const begin of Object.keys(stanzas).filter((each) => each !== "*"))
      assert.ok(
        isShared(stanzas) || texts.some((text) => text.split("\n").some((line) => line.trimStart().startsWith(begin))),
        `${path}: ${begin}`,
      );
  }
});

/** Notes that several files share. */
const isShared = (stanzas: object): boolean =>
  Object.values(fileExplanations).filter((each) => each.stanzas === stanzas).length > 1;

test("a script is explained by its first comment", () => {
  assert.equal(headOf("#!/bin/bash\n# do-it NAME: does\n# it.\n#\n# More.\nset -eu\n"), "do-it NAME: does it.");
  assert.equal(headOf("#!/bin/bash\nset -eu\n"), undefined);
});

test("notes come once, before the lines that they are about", () => {
  assert.deepEqual(annotate("a {\n  x\n}\nb 1\nb 2\nc\n", { "a {": "first", b: "second" }), [
    { note: "first", lines: ["a {", "  x", "}"] },
    { note: "second", lines: ["b 1", "b 2", "c"] },
  ]);
});
