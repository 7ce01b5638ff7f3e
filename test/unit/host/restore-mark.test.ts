import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { forgetSnapshot, hasSnapshot, isRestoring, restoreFilesOf } from "../../../host/restore-mark";

const before = process.env.GROUNDPLANE_DATA;
const data = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-restore-mark-"));
process.env.GROUNDPLANE_DATA = data;
after(() => {
  if (before === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = before;
  fs.rmSync(data, { recursive: true });
});

test("a snapshot that a cluster began with is forgotten with its keys, and the restore goes on", async () => {
  const { folder, snapshot, keys, etcdutl, script, release } = restoreFilesOf("lab");
  assert.deepEqual([isRestoring("lab"), hasSnapshot("lab")], [false, false]);
  await forgetSnapshot("lab");
  fs.mkdirSync(folder, { recursive: true });
  for (const file of [snapshot, keys, etcdutl, script, release]) fs.writeFileSync(file, "x");
  assert.deepEqual([isRestoring("lab"), hasSnapshot("lab")], [true, true]);
  await forgetSnapshot("lab");
  assert.deepEqual([isRestoring("lab"), hasSnapshot("lab")], [true, false]);
  assert.deepEqual(fs.readdirSync(folder), []);
});
