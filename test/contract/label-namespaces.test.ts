import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { clusterNamespaces } from "../../model/cluster-namespaces";

/** Runs the masters' command with a kubectl that knows namespaces and warns as the API server does. */

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-label-"));
after(() => fs.rmSync(folder, { recursive: true }));
const script = path.join(__dirname, "../../cloud-init/scripts/kubernetes/label-namespaces.sh");

function label(namespaces: readonly string[], refused: readonly string[]) {
  const calls = path.join(folder, "calls");
  fs.writeFileSync(calls, "");
  const kubectl = `#!/bin/bash
case "$*" in
  "get namespaces --selector !pod-security.kubernetes.io/enforce "*) echo "${namespaces.join(" ")}" ;;
  "label --dry-run=server namespace "*)
    echo "namespace/$4 labeled (server dry run)"
    if [[ " ${refused.join(" ")} " = *" $4 "* ]]; then
      echo "Warning: existing pods in namespace \\"$4\\" violate the new PodSecurity enforce level \\"baseline:latest\\"" >&2
    fi ;;
  *) echo "$*" >>${calls} ;;
esac
`;
  fs.writeFileSync(path.join(folder, "kubectl"), kubectl, { mode: 0o755 });
  const { stdout, status } = spawnSync("bash", [script, "baseline", ...clusterNamespaces], {
    env: { PATH: `${folder}:${process.env.PATH}` },
    encoding: "utf8",
  });
  return { status, stdout, calls: fs.readFileSync(calls, "utf8").split("\n").filter(Boolean) };
}

test("only namespaces with pods that the standard refuses are labelled, and the data centre's own never", () => {
  const refused = ["agents", ...clusterNamespaces];
  const { status, stdout, calls } = label(["default", "agents", "web", ...clusterNamespaces], refused);
  assert.equal(status, 0);
  assert.deepEqual(calls, ["label namespace agents pod-security.kubernetes.io/enforce=privileged"]);
  assert.match(stdout, /agents has pods that baseline refuses/);
});

test("without such pods nothing is labelled", () => {
  assert.deepEqual(label(["default", "web"], []), { status: 0, stdout: "", calls: [] });
});
