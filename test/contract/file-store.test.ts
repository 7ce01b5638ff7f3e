import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { closeDataFolder } from "../../host/data-folder";
import { removeTree, writeFileAtomic } from "../../host/file-store";
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

test("a write removes what killed writes of the same file left, and nothing else", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const ended = spawnSync("true").pid;
  const kept = [`other.json.${ended}.0123abcd.tmp`, `record.json.${process.pid}.0123abcd.tmp`, "record.json.tmp"];
  for (const name of [...kept, `record.json.${ended}.0123abcd.tmp`]) fs.writeFileSync(path.join(folder, name), "");
  await writeFileAtomic(path.join(folder, "record.json"), "{}");
  assert.deepEqual(fs.readdirSync(folder).sort(), [...kept, "record.json"].sort());
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

test("after a rename, the folder is synced: a power failure does not bring the former name back", async (t) => {
  const parent = await fs.promises.mkdtemp(path.join(os.tmpdir(), "groundplane-sync-"));
  const events: string[] = [];
  const [open, rename] = [fs.promises.open, fs.promises.rename];
  t.mock.method(fs.promises, "open", async (...arguments_: Parameters<typeof open>) => {
    const handle = await open(...arguments_);
    const sync = handle.sync.bind(handle);
    const name = path.relative(parent, String(arguments_[0])).replace(/\.\d+\.[0-9a-f]+\.tmp$/, ".tmp");
    handle.sync = () => sync().then(() => void events.push(`sync ${name}`));
    return handle;
  });
  t.mock.method(fs.promises, "rename", async (from: string, to: string) => {
    await rename(from, to);
    events.push(`rename to ${path.relative(parent, to)}`);
  });
  try {
    const [one, two] = [path.join(parent, "one"), path.join(parent, "two")];
    for (const folder of [one, two]) await fs.promises.mkdir(folder);
    await localHost.files.writeAtomic(path.join(one, "file"), "text");
    assert.deepEqual(events.splice(0), ["sync one/file.tmp", "rename to one/file", "sync one"]);
    await localHost.files.move(path.join(one, "file"), path.join(one, "other"));
    assert.deepEqual(events.splice(0), ["rename to one/other", "sync one"]);
    await localHost.files.move(path.join(one, "other"), path.join(two, "file"));
    assert.deepEqual(events.splice(0), ["rename to two/file", "sync two", "sync one"]);
  } finally {
    await fs.promises.rm(parent, { recursive: true });
  }
});

test("a folder in which something is mounted is not removed", async () => {
  const parent = await fs.promises.realpath(await fs.promises.mkdtemp(path.join(os.tmpdir(), "groundplane mounts-")));
  const list = path.join(parent, "mountinfo");
  const tree = path.join(parent, "tree");
  const mount = (point: string) =>
    fs.promises.writeFile(
      list,
      `25 1 0:22 / / rw - ext4 sda rw\n36 25 0:3 / ${point.replaceAll(" ", "\\040")} rw - tmpfs tmpfs rw\n`,
    );
  try {
    await fs.promises.mkdir(path.join(tree, "dev", "shm"), { recursive: true });
    await fs.promises.writeFile(path.join(tree, "dev", "shm", "of-the-host"), "");
    await fs.promises.symlink(tree, path.join(parent, "link"));
    for (const [point, target] of [
      [`${tree}/dev/shm`, tree],
      [`${tree}/dev/shm`, path.join(parent, "link", "dev")],
      [tree, tree],
    ] as const) {
      await mount(point);
      await assert.rejects(removeTree(target, list), { id: "mount-below" });
      assert.ok(fs.existsSync(path.join(tree, "dev", "shm", "of-the-host")));
    }
    await mount(`${tree}-of-another`);
    await removeTree(path.join(parent, "link"), list);
    assert.ok(fs.existsSync(tree), "a link is removed, not its target");
    await removeTree(tree, list);
    assert.ok(!fs.existsSync(tree));
    await removeTree(tree, list);
  } finally {
    await fs.promises.rm(parent, { recursive: true });
  }
});
