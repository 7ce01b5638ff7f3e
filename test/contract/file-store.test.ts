import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { writeFileAtomic } from "../../host/file-store";

test("a file never replaces a pipe or a device", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await assert.rejects(writeFileAtomic(pipe, "text"), /is not a regular file/);
  assert.ok(fs.lstatSync(pipe).isFIFO());
  assert.deepEqual(fs.readdirSync(folder), ["pipe"]);
  fs.rmSync(folder, { recursive: true });
});
