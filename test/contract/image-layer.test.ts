import * as assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { localHost } from "../../host/local-host";
import { buildContainerLayer } from "../../image/build/layer";
import { containerLayer } from "../../image/recipes/container-layer";

test("guests can read all folders of a layer, whatever the umask of its builder", async (t) => {
  const { files, trees } = localHost;
  const folder = await files.makeTemporaryFolder("groundplane-layer-");
  t.after(() => files.remove(folder));
  const layer = path.join(folder, "layer");
  const before = process.umask(0o077);
  try {
    await buildContainerLayer(localHost, containerLayer, layer);
  } finally {
    process.umask(before);
  }
  const folders = (await trees.entries(layer)).filter(({ kind }) => kind === "folder");
  assert.ok(folders.some(({ name }) => name.startsWith("etc/systemd/system/")));
  for (const { name, mode } of folders) assert.equal(mode.toString(8), "755", name);
});
