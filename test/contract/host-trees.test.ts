import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type TestContext, test } from "node:test";
import { localHost } from "../../host/local-host";
import type { Host } from "../../model/host";
import { RecordingHost } from "../support/recording-host";

async function emptyFolder(t: TestContext, host: Host): Promise<string> {
  const folder = await host.files.makeTemporaryFolder("groundplane-trees-");
  t.after(() => host.files.remove(folder));
  return folder;
}

const hosts: Readonly<Record<string, Host>> = { "this machine": localHost, memory: new RecordingHost() };

for (const [name, host] of Object.entries(hosts)) {
  const { files, trees } = host;

  test(`${name}: a tree is listed with parents first, folder by folder, and links are not followed`, async (t) => {
    const folder = await emptyFolder(t, host);
    const place = (...below: string[]) => path.join(folder, ...below);
    await trees.createFolder(place("b/inner"), 0o700);
    await trees.createFolder(place("b-2"));
    await trees.link("b", place("a"));
    await assert.rejects(trees.link("b", place("a")), { code: "EEXIST" });
    await files.writeAtomic(place("b/inner/file"), "text", 0o640);
    const entries = await trees.entries(folder);
    assert.deepEqual(
      entries.map((entry) => [entry.name, entry.kind, entry.mode.toString(8), entry.target]),
      [
        ["a", "link", "0", "b"],
        ["b", "folder", (0o777 & ~process.umask()).toString(8), undefined],
        ["b/inner", "folder", "700", undefined],
        ["b/inner/file", "file", "640", undefined],
        ["b-2", "folder", "755", undefined],
      ],
    );
    assert.equal((await trees.entry(place("b/inner/file")))?.bytes, 4);
    assert.equal(await trees.size(place("b/inner/file")), 4);
    assert.equal((await trees.entry(place("a")))?.kind, "link");
    assert.equal(await trees.entry(place("absent")), undefined);
    await assert.rejects(trees.size(place("absent")), { code: "ENOENT" });
  });

  test(`${name}: modes apply exactly, and existing folders keep theirs`, async (t) => {
    const folder = await emptyFolder(t, host);
    const place = (...below: string[]) => path.join(folder, ...below);
    const before = process.umask(0o077);
    t.after(() => process.umask(before));
    await trees.createFolder(place("new"));
    await trees.createFolder(place("parent/child"));
    await trees.createFolder(folder, 0o755);
    await pipeline(Readable.from([Buffer.from("content")]), trees.openWrite(place("program"), 0o755));
    await trees.copyFile(place("program"), place("copy"), 0o644);
    await trees.setMode(place("copy"), 0o600);
    const mode = async (...below: string[]) => (await trees.entry(place(...below)))?.mode.toString(8);
    assert.deepEqual(await Promise.all([mode("parent"), mode("parent/child")]), ["700", "755"]);
    assert.deepEqual(await Promise.all([mode(), mode("new"), mode("program"), mode("copy")]), [
      "700",
      "755",
      "755",
      "600",
    ]);
    assert.equal((await trees.readBytes(place("program"), 3)).toString(), "con");
    assert.equal((await trees.readBytes(place("program"))).toString(), "content");
    const chunks: Buffer[] = [];
    for await (const chunk of trees.openRead(place("program"))) chunks.push(Buffer.from(chunk));
    assert.equal(Buffer.concat(chunks).toString(), "content");
  });

  test(`${name}: a sparse file contains its pieces, with zeros between them`, async (t) => {
    const file = path.join(await emptyFolder(t, host), "disk");
    const size = 4 * 1024 * 1024;
    await trees.writeSparse(file, size, [
      [0, Buffer.from("head")],
      [size - 4, Buffer.from("tail")],
      [1024 * 1024, Buffer.alloc(1024 * 1024)],
    ]);
    const content = await trees.readBytes(file);
    assert.equal(content.length, size);
    assert.equal(content.toString("latin1", 0, 4) + content.toString("latin1", size - 4), "headtail");
    assert.ok(content.subarray(4, size - 4).every((byte) => byte === 0));
    if (host === localHost) assert.ok((await fs.stat(file)).blocks * 512 < 1024 * 1024, "it has holes");
  });

  test(`${name}: files are hard-linked, and folders are copied`, async (t) => {
    const folder = await emptyFolder(t, host);
    const [one, two] = [path.join(folder, "one"), path.join(folder, "two")];
    await files.writeAtomic(one, "text");
    await trees.linkOrCopy(one, two);
    assert.equal(await files.readText(two), "text");
    if (host === localHost) assert.equal((await fs.stat(one)).ino, (await fs.stat(two)).ino);
    const copy = await trees.createFolderBeside(`${folder}-copy-`);
    t.after(() => files.remove(copy));
    assert.ok(copy.startsWith(`${folder}-copy-`));
    await trees.copyFolder(folder, copy);
    assert.deepEqual(await files.list(copy), ["one", "two"]);
  });
}

test("a real path has no symbolic links", async (t) => {
  const folder = await emptyFolder(t, localHost);
  await localHost.trees.createFolder(path.join(folder, "b/inner"));
  await localHost.trees.link("b", path.join(folder, "a"));
  const real = await localHost.trees.realPath(path.join(folder, "a/inner"));
  assert.equal(real, path.join(await fs.realpath(folder), "b/inner"));
});
