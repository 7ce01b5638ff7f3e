import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { beforeEach, test } from "node:test";
import { dataVersionFile, refuseNewerData, updateDataFolder } from "../../../host/data-version";
import { fileVersions } from "../../../model/formats";
import { ownDataFolder } from "../../support/own-data-folder";

const data = ownDataFolder();
const known = fileVersions.dataFolder;
const write = (text: string) => fs.writeFileSync(dataVersionFile(), text);
const written = () => JSON.parse(fs.readFileSync(dataVersionFile(), "utf8"));

beforeEach(() => fs.rmSync(dataVersionFile(), { force: true }));

test("a folder without a version is one of version 1, and gets the version of the code", async () => {
  await refuseNewerData();
  assert.equal(fs.existsSync(dataVersionFile()), false, "a check writes nothing");
  for (const _ of [1, 2]) {
    await updateDataFolder();
    assert.deepEqual(written(), { version: known });
  }
  await refuseNewerData();
});

test("a newer folder is refused, and stays as it is", async () => {
  for (const text of [`{"version": ${known + 1}}`, '{"version": "1"}', '{"version": 0}', "{}", "null", "", "no JSON"]) {
    write(text);
    for (const refused of [refuseNewerData, updateDataFolder])
      await assert.rejects(refused(), {
        id: "newer-data",
        message: new RegExp(
          `^a newer groundplane wrote the data folder ${data}: it has .*this one reads up to version ${known}; nothing was changed\n  next step: use the clone that wrote it, or update this one.*GROUNDPLANE_DATA`,
        ),
      });
    assert.equal(fs.readFileSync(dataVersionFile(), "utf8"), text);
  }
});

test("an older folder is migrated step by step, and a killed migration is repeated", async () => {
  const steps: number[] = [];
  let isKilled = true;
  const migrations = {
    1: async () => void steps.push(1),
    2: async () => {
      if (isKilled) throw new Error("killed");
      steps.push(2);
    },
  };
  await assert.rejects(updateDataFolder(3, migrations), /killed/);
  assert.deepEqual(written(), { version: 2 });
  isKilled = false;
  for (const _ of [1, 2]) await updateDataFolder(3, migrations);
  assert.deepEqual(steps, [1, 2]);
  assert.deepEqual(written(), { version: 3 });
});

test("a folder that does not exist is not created", async () => {
  const missing = path.join(data, "missing");
  process.env.GROUNDPLANE_DATA = missing;
  await updateDataFolder();
  assert.equal(fs.existsSync(missing), false);
  process.env.GROUNDPLANE_DATA = data;
});
