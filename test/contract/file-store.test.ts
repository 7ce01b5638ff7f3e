import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { closeDataFolder } from "../../host/data-folder";
import { writeFileAtomic } from "../../host/file-store";
import { localHost } from "../../host/local-host";

test("a file never replaces a pipe or a device", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await assert.rejects(writeFileAtomic(pipe, "text"), /is not a regular file/);
  assert.ok(fs.lstatSync(pipe).isFIFO());
  assert.deepEqual(fs.readdirSync(folder), ["pipe"]);
  fs.rmSync(folder, { recursive: true });
});

test("the data folder is closed to other users, however it is created, and its parents follow the umask", async () => {
  const before = process.env.GROUNDPLANE_DATA;
  const umask = process.umask(0o022);
  const parent = await fs.promises.mkdtemp(path.join(os.tmpdir(), "gp-data-"));
  const modeOf = async (name: string) => ((await fs.promises.stat(name)).mode & 0o777).toString(8);
  try {
    const makers = {
      writeAtomic: (data: string) => localHost.files.writeAtomic(path.join(data, "stacks", "lab", "x"), ""),
      makeFolder: (data: string) => localHost.files.makeFolder(path.join(data, "images")),
      createFolder: (data: string) => localHost.trees.createFolder(path.join(data, "parts")),
      lock: (data: string) =>
        localHost.locks.withLock(path.join(data, "lock"), () => fs.promises.writeFile(path.join(data, "kept"), "")),
    };
    for (const [name, make] of Object.entries(makers)) {
      const data = path.join(parent, name, "share", "groundplane");
      process.env.GROUNDPLANE_DATA = data;
      await make(data);
      assert.equal(await modeOf(data), "700", name);
      if (name !== "lock") assert.equal(await modeOf(path.dirname(data)), "755", name);
      await fs.promises.chmod(data, 0o755);
      await closeDataFolder();
      assert.equal(await modeOf(data), "700", "of an earlier version");
    }
  } finally {
    process.umask(umask);
    process.env.GROUNDPLANE_DATA = before;
    if (before === undefined) delete process.env.GROUNDPLANE_DATA;
    await fs.promises.rm(parent, { recursive: true });
  }
});

test("an empty folder of locks that a killed process left is removed, and concurrent callers find it again", async () => {
  const parent = await fs.promises.mkdtemp(path.join(os.tmpdir(), "groundplane-locks-"));
  try {
    const locks = path.join(parent, "locks");
    await fs.promises.mkdir(locks);
    let taken = 0;
    // Each release may remove the folder, and each request may find it removed.
    const takeOften = async (name: string) => {
      for (let round = 0; round < 30; round++)
        await localHost.locks.withLock(path.join(locks, name), async () => void taken++);
    };
    await Promise.all(["a", "b", "c", "d", "e", "f"].map(takeOften));
    assert.equal(taken, 180);
    assert.deepEqual(await fs.promises.readdir(parent), []);
  } finally {
    await fs.promises.rm(parent, { recursive: true });
  }
});
