import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { stackFolder } from "../../../../host/data-folder";
import { containerImageNames } from "../../../../model/releases";
import { forgetImages, hasKeptImages, keepImages, returnImages } from "../../../../provider/resources/kept-images";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";
import { from, to } from "../../../support/upgrade-step";

ownDataFolder();

const [stack, node] = ["lab", "master-1"];
const former = [`registry.k8s.io/kube-proxy:v${from}`, containerImageNames(from).coredns];
const same = "own/flannel:1";
const objects = [...former.map((image) => `kube-system ${image}`), `kube-flannel ${same}`, "shop registry/user:1"];
const context = { signal: new AbortController().signal, log: () => undefined, timeoutSeconds: 6 } as unknown as Context;

/** A master that has some images. */
function masterWith(images: string[]): Guest {
  return {
    async run(argv, options = {}) {
      const words = argv.join(" ");
      const answer = (stdout: string) => ({ code: 0, stdout, stderr: "" });
      if (words.startsWith("kubectl")) return answer(objects.join("\n"));
      if (words === "ctr --namespace k8s.io images list --quiet") return answer(images.join("\n"));
      if (words.includes(" images export --local - ")) {
        options.output?.end(Buffer.from(`${argv.at(-1)}\xff`, "latin1"));
        return answer("");
      }
      assert.match(words, / ctr --namespace k8s\.io images import --local - bash$/, "not pinned");
      const text = (await buffer(options.input ?? assert.fail("no stream"))).toString("latin1");
      images.push(text.slice(0, -1));
      return answer("");
    },
    readFiles: async () => [],
    writeFiles: async () => undefined,
  };
}

test("the only master brings the images of the present add-ons that the next release does not have", async () => {
  const disk = masterWith([...former, "registry/user:1"]);
  await keepImages(disk, stack, node, context, to);
  const folder = path.join(stackFolder(stack), "kept-images", node);
  const files = fs.readdirSync(folder);
  assert.deepEqual(files.map(decodeURIComponent).sort(), [...former].sort());
  for (const file of files) assert.equal(fs.statSync(path.join(folder, file)).mode & 0o777, 0o600);

  // What a kill leaves is no image.
  fs.writeFileSync(path.join(folder, `${files[0]}x.part`), "");
  fs.writeFileSync(path.join(folder, `${files[0]}x.part.123.0a1b2c3d.tmp`), "");
  const [lacking = "", present = ""] = former;
  const images = [present];
  await returnImages(masterWith(images), stack, node, context);
  assert.deepEqual(images, [present, lacking]);
  await returnImages(masterWith(images), stack, node, context);
  assert.deepEqual(images, [present, lacking], "once");

  await forgetImages(stack, node);
  assert.equal(await hasKeptImages(stack, node), false);
});

test("another image of the same release brings none", async () => {
  await keepImages(masterWith(former), stack, node, context, to);
  await keepImages(masterWith(former), stack, node, context);
  assert.equal(await hasKeptImages(stack, node), false);
});
