import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, test } from "node:test";
import { closeDataFolder, dataFolder } from "../../../host/data-folder";

const names = ["GROUNDPLANE_DATA", "XDG_DATA_HOME", "HOME"] as const;
const before = names.map((name) => process.env[name]);
afterEach(() => {
  names.forEach((name, index) => {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  });
});

function folderWith(variables: Partial<Record<(typeof names)[number], string>>): string {
  for (const name of names) if (name !== "HOME") delete process.env[name];
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

test("an open data folder is closed, but no folder that is more than that", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const modeAfterwards = async (mode: number): Promise<number> => {
    fs.chmodSync(folder, mode);
    await closeDataFolder();
    return fs.statSync(folder).mode & 0o7777;
  };
  folderWith({ GROUNDPLANE_DATA: folder });
  assert.equal(await modeAfterwards(0o755), 0o700);
  assert.equal(await modeAfterwards(0o1777), 0o1777, "a folder for all users, such as /tmp");
  folderWith({ GROUNDPLANE_DATA: folder, HOME: folder });
  assert.equal(await modeAfterwards(0o755), 0o755, "a home");
  fs.rmSync(folder, { recursive: true });
});
