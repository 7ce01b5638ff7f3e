// The drawings of the documents are current. `RECORD=1 npm run test:docs` draws them again.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { recordedContract, splitByCommit } from "../../model/measured/measurements";
import { drawTopology } from "../../view/picture/draw-topology";
import { type Theme, themes } from "../../view/picture/drawing";
import { topologyOf } from "../../view/topology";
import { documents, guide, projectFolder, readDocument } from "../support/documents";
import { drawContract } from "../support/draw-contract";
import { drawRecording, type Recording } from "../support/draw-recording";
import { drawRoll } from "../support/draw-roll";
import { drawRooms } from "../support/draw-rooms";
import { examplePlan, exampleStacks } from "../support/example-plans";

const folder = path.join(projectFolder, "docs", "pictures");
const recording = process.env.RECORD === "1";

/** `npm run docs:record` writes it. */
const firstMinute = JSON.parse(fs.readFileSync(path.join(folder, "first-minute.json"), "utf8")) as Recording;

const drawings: Readonly<Record<string, (theme: Theme) => string>> = {
  ...Object.fromEntries(
    exampleStacks.map((stack) => [stack, (theme: Theme) => drawTopology(topologyOf(examplePlan(stack)), theme)]),
  ),
  rooms: drawRooms,
  contract: (theme) => drawContract(splitByCommit(recordedContract).latest, theme),
  "first-minute": (theme) => drawRecording(firstMinute, theme),
  roll: (theme) => drawRoll(examplePlan("lab"), theme),
};

const files = Object.entries(drawings).flatMap(([name, draw]) =>
  (Object.keys(themes) as Theme[]).map((theme) => ({ file: `${name}-${theme}.svg`, render: () => draw(theme) })),
);

for (const { file, render } of files) {
  test(`docs/pictures/${file} is current`, () => {
    const written = path.join(folder, file);
    const right = render();
    const text = fs.existsSync(written) ? fs.readFileSync(written, "utf8") : "";
    if (recording) {
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(written, right);
    }
    assert.equal(text, right, "RECORD=1 npm run test:docs draws it again");
  });
}

test("docs/pictures has no other drawings, and documents show each in both themes", () => {
  const drawn = fs.readdirSync(folder).filter((file) => file.endsWith(".svg"));
  assert.deepEqual(drawn.sort(), files.map(({ file }) => file).sort());
  const text = guide.map(readDocument).join("\n");
  for (const { file } of files) assert.ok(text.includes(`pictures/${file}"`), file);
});

test("the drawing of the rooms has every folder with code", () => {
  const drawn = drawings.rooms?.("light") ?? "";
  const folders = documents.flatMap((document) => /^([a-z-]+)\/README\.md$/.exec(document)?.[1] ?? []);
  for (const folder of folders) if (!["docs", "toolchain"].includes(folder)) assert.ok(drawn.includes(folder), folder);
});

test("drawings have the colours of the page", () => {
  const css = fs.readFileSync(path.join(projectFolder, "view/page/colours.css"), "utf8");
  const [, light = "", dark = ""] = /:root \{(.*?)\}.*?:root\[data-theme="dark"\] \{(.*?)\}/s.exec(css) ?? [];
  for (const [theme, of] of [
    ["light", light],
    ["dark", dark],
  ] as const)
    for (const [name, colour] of Object.entries(themes[theme])) assert.ok(of.includes(`--${name}: ${colour};`), name);
});
