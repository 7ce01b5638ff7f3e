import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import * as tar from "tar-stream";
import { localHost } from "../../../host/local-host";
import { writeDockerArchive } from "../../../image/container/docker-archive";
import { type LayerFile, layerFiles } from "../../../image/container/layer-files";
import type { ContainerImageRecipe } from "../../../image/recipes/recipe";

const image: ContainerImageRecipe = {
  name: "example.internal/tool:1",
  programs: { "usr/bin/tool": { part: "pause", program: "tool" } },
  texts: { "etc/passwd": "root:x:0:0:::\n" },
  links: { "usr/bin/other": "tool" },
  entrypoint: ["/usr/bin/tool"],
  user: "65535:65535",
};

interface Entry {
  readonly header: tar.Header;
  readonly content: Buffer;
}

async function entriesOf(archive: Buffer): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const extract = tar.extract();
  extract.end(archive);
  for await (const entry of extract) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.set(entry.header.name.replace(/\/$/, ""), { header: entry.header, content: Buffer.concat(chunks) });
  }
  return entries;
}

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-archive-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

async function writeExample(folder: string, name: string): Promise<Buffer> {
  fs.writeFileSync(path.join(folder, "tool"), "#!/bin/sh\n", { mode: 0o700 });
  const file = path.join(folder, name);
  await writeDockerArchive(
    localHost,
    image,
    await layerFiles(localHost, image, { programs: () => folder, tree: folder }),
    file,
  );
  assert.deepEqual(fs.readdirSync(folder).sort(), [name, "tool"].sort(), "nothing else is left behind");
  const bytes = fs.readFileSync(file);
  fs.rmSync(file);
  return bytes;
}

test("an image archive holds one layer, its configuration and its name", async (t) => {
  const entries = await entriesOf(await writeExample(temporaryFolder(t), "a.tar"));
  const json = (name: string) => JSON.parse(entries.get(name)?.content.toString() ?? assert.fail(name));
  const [manifest] = json("manifest.json");
  assert.deepEqual(manifest.RepoTags, [image.name]);

  const layer = entries.get(manifest.Layers[0])?.content ?? assert.fail("no layer");
  const config = json(manifest.Config);
  assert.deepEqual(config.rootfs.diff_ids, [`sha256:${createHash("sha256").update(layer).digest("hex")}`]);
  assert.deepEqual(config.config.Entrypoint, ["/usr/bin/tool"]);
  assert.equal(config.config.User, "65535:65535");

  const files = await entriesOf(layer);
  const kinds = [...files].map(([name, { header }]) => `${name} ${header.type} ${header.mode?.toString(8)}`);
  assert.deepEqual(kinds, [
    "etc directory 755",
    "run directory 755",
    "tmp directory 1777",
    "var directory 755",
    "var/run directory 755",
    "usr directory 755",
    "usr/bin directory 755",
    "usr/bin/tool file 755",
    "etc/passwd file 644",
    "usr/bin/other symlink 644",
  ]);
  assert.equal(files.get("usr/bin/tool")?.content.toString(), "#!/bin/sh\n");
  assert.equal(files.get("usr/bin/other")?.header.linkname, "tool");
});

test("equal files give an equal archive, byte for byte", async (t) => {
  const first = await writeExample(temporaryFolder(t), "a.tar");
  const second = await writeExample(temporaryFolder(t), "b.tar");
  assert.ok(first.equals(second));
});

test("a program that is missing fails the archive and leaves nothing", async (t) => {
  const folder = temporaryFolder(t);
  const files: readonly LayerFile[] = [{ kind: "file", path: "tool", mode: 0o755, from: path.join(folder, "absent") }];
  await assert.rejects(writeDockerArchive(localHost, image, files, path.join(folder, "a.tar")), { code: "ENOENT" });
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.endsWith(".layer")),
    [],
  );
});
