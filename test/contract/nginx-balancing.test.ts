// nginx with its real configuration in front of masters that fail in several ways, and beside HAProxy on the same port.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { renderHaproxyCfg } from "../../cloud-init/files/haproxy-cfg";
import { renderNginxConf } from "../../cloud-init/files/nginx-conf";
import { imagesFolder } from "../../host/data-folder";
import { imageFor } from "../../image/recipes/image-names";
import { examplePlan } from "../support/example-plans";
import { runInTree } from "../support/seed-proof/prove-seed";

const notRoot = process.getuid?.() !== 0 && "needs root for mount namespaces";

test("nginx loses no connection to a dead master, and replaces HAProxy and is replaced without a pause", {
  skip: notRoot,
}, (context) => {
  const plan = examplePlan("lab");
  const image = path.join(imagesFolder(), imageFor("infrastructure", plan.kubernetes.version, "tree"));
  if (!fs.existsSync(image)) return context.skip("the image cannot be had");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-nginx-"));
  try {
    fs.writeFileSync(path.join(folder, "haproxy.cfg"), renderHaproxyCfg(plan));
    fs.writeFileSync(path.join(folder, "nginx.conf"), renderNginxConf(plan));
    const program = path.join(__dirname, "..", "support", "seed-proof", "nginx-masters.sh");
    fs.copyFileSync(program, path.join(folder, "nginx-masters.sh"));
    const { layers } = JSON.parse(fs.readFileSync(path.join(image, "image.json"), "utf8")) as { layers: string[] };
    const used = layers
      .filter((layer) => layer !== "container")
      .map((layer) => fs.realpathSync(path.join(image, "layers", layer)));
    const seen = runInTree(used, folder, ["bash", "/seed/nginx-masters.sh"]).trim().split("\n");
    context.diagnostic(seen.join("; "));
    const expected = [
      ...[
        /^socket nginx answers$/,
        /^all 30 /,
        /^refused 30 /,
        // Fast where nginx has already excluded the master; never two seconds, which a retry of the kernel takes.
        /^lost 30 (\d{1,3}|1\d{3})$/,
        /^returned 30 /,
      ],
      ...[/^both [2-9]/, /^haproxy 30 /, /^nginx 30 /, /^check passes/],
    ];
    assert.equal(seen.length, expected.length);
    for (const [index, pattern] of expected.entries()) assert.match(seen[index] ?? "", pattern);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
