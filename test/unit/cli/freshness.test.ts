import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const { bundles, sources }: Record<"bundles" | "sources", readonly string[]> = require("../../../cli/freshness.cjs");

const root = path.join(__dirname, "..", "..", "..");
const read = (name: string): string => fs.readFileSync(path.join(root, name), "utf8");

test("`npm start` builds again after a change in any room", () => {
  const { lint } = (JSON.parse(read("package.json")) as { scripts: { lint: string } }).scripts;
  const [, rooms = ""] = /\.cjs (.*) test$/.exec(lint) ?? [];
  const folders = sources.filter((name) => !path.extname(name));
  assert.deepEqual([...folders].sort(), rooms.split(" ").sort());
  for (const name of sources) assert.ok(fs.existsSync(path.join(root, name)), name);
});

test("`npm start` builds again when any bundle is missing", () => {
  const text = read("build.cjs");
  const [, entries = ""] = /^const entries = \{\n(.*?)^\};$/ms.exec(text) ?? [];
  const [, page = ""] = /entryPoints: \{ "([\w-]+)":/.exec(text) ?? [];
  const built = [...entries.matchAll(/^ {2}"?([\w-]+)"?:/gm)].map(([, name = ""]) => name);
  assert.deepEqual([...bundles].sort(), [...built, page].sort());
});
