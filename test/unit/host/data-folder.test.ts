import assert from "node:assert/strict";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, test } from "node:test";
import { dataFolder } from "../../../host/data-folder";

const names = ["GROUNDPLANE_DATA", "XDG_DATA_HOME"] as const;
const before = names.map((name) => process.env[name]);
afterEach(() => {
  names.forEach((name, index) => {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  });
});

function folderWith(variables: Partial<Record<(typeof names)[number], string>>): string {
  for (const name of names) delete process.env[name];
  Object.assign(process.env, variables);
  return dataFolder();
}

const standard = path.join(os.homedir(), ".local", "share", "groundplane");

test("the data folder is always absolute, and the same for every working folder", () => {
  assert.equal(folderWith({}), standard);
  assert.equal(folderWith({ XDG_DATA_HOME: "/data" }), "/data/groundplane");
  assert.equal(folderWith({ XDG_DATA_HOME: "" }), standard);
  assert.equal(folderWith({ XDG_DATA_HOME: "data" }), standard, "the specification demands to ignore a relative one");
  assert.equal(folderWith({ XDG_DATA_HOME: "data", GROUNDPLANE_DATA: "/mine" }), "/mine");
  assert.equal(folderWith({ GROUNDPLANE_DATA: "mine" }), path.resolve("mine"));
});
