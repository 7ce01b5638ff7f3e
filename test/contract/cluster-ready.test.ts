import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { ownNamespaces } from "../../model/cluster-namespaces";

/** Runs the masters' command on output of kubectl. The end-to-end tests check that the template produces this output. */

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-ready-"));
after(() => fs.rmSync(folder, { recursive: true }));

const complete = [
  "node master-1 True",
  "pod kube-system/coredns-1 Running True",
  "deployment kube-system/coredns 1 1 seen 1 1",
  "daemonset kube-system/kube-proxy 1 1 seen 1",
  "daemonset kube-flannel/kube-flannel-ds 1 1 seen 1",
];

function clusterReady(objects: readonly string[], ...names: string[]): { readonly missing: string; status: number } {
  fs.writeFileSync(path.join(folder, "objects"), `${objects.join("\n")}\n`);
  fs.writeFileSync(path.join(folder, "kubectl"), `#!/bin/sh\ncat ${folder}/objects\n`, { mode: 0o755 });
  const script = path.join(__dirname, "../../cloud-init/scripts/kubernetes/cluster-ready.sh");
  const { stdout, status } = spawnSync("bash", [script, ...names], {
    env: { PATH: `${folder}:${process.env.PATH}` },
    encoding: "utf8",
  });
  return { missing: stdout.trim(), status: status ?? 128 };
}

test("a complete cluster is ready", () => {
  assert.deepEqual(clusterReady(complete, "master-1"), { missing: "", status: 0 });
});

test("a planned node that is not in the cluster is missing, and so is the network on it", () => {
  const { missing, status } = clusterReady(complete, "master-1", "worker-1");
  assert.equal(status, 1);
  assert.deepEqual(missing.split("\n"), [
    "node worker-1 is not in the cluster",
    "kube-system/kube-proxy is ready on 1 nodes",
    "kube-flannel/kube-flannel-ds is ready on 1 nodes",
  ]);
});

for (const namespace of ownNamespaces) {
  test(`a workload in ${namespace} that does not run is missing`, () => {
    const broken = [`pod ${namespace}/a Pending Unknown`, `deployment ${namespace}/a 2 1 seen 2 2`];
    assert.deepEqual(clusterReady([...complete, ...broken], "master-1"), {
      missing: `pod ${namespace}/a is Pending, not ready\ndeployment ${namespace}/a has 1 of 2`,
      status: 1,
    });
  });
}

test("a workload whose controller has not counted its pods yet is missing", () => {
  const fresh = ["daemonset kube-system/network-policies 0 0 unseen 0"];
  assert.deepEqual(clusterReady([...complete, ...fresh], "master-1"), {
    missing: "daemonset kube-system/network-policies is not counted by its controller yet",
    status: 1,
  });
});

test("a workload is not ready before all of its pods are of its present specification", () => {
  const rolling = ["deployment kube-system/dns 2 2 seen 1 1", "daemonset kube-system/proxy 3 3 seen 0"];
  assert.deepEqual(clusterReady([...complete, ...rolling], "master-1"), {
    missing:
      "deployment kube-system/dns has 1 of 2 as it is specified now\n" +
      "daemonset kube-system/proxy has 0 of 3 as it is specified now",
    status: 1,
  });
});

test("a Deployment is not ready while it still has pods of its former specification", () => {
  // The controller has counted two ready ones of three: one of the former specification and one of the present.
  const rolling = ["deployment kube-system/dns 2 2 seen 2 3"];
  assert.deepEqual(clusterReady([...complete, ...rolling], "master-1"), {
    missing: "deployment kube-system/dns still has 1 of its former specification",
    status: 1,
  });
});

test("what is on excepted nodes, which may be away, does not count", () => {
  const away = [
    "node worker-1 Unknown",
    "node worker-2 True",
    "pod kube-system/kube-proxy-1 Running False worker-1",
    "pod kube-system/old Pending Unknown -",
    "daemonset kube-system/kube-proxy 3 2 seen 2",
    "daemonset kube-flannel/kube-flannel-ds 3 2 seen 2",
  ];
  const objects = [...complete.filter((line) => !line.startsWith("daemonset")), ...away];
  assert.deepEqual(clusterReady(objects, "--except=worker-1", "worker-2"), {
    ...{ missing: "pod kube-system/old is Pending, not ready", status: 1 },
  });
  const rest = objects.filter((line) => !line.includes("/old"));
  assert.deepEqual(clusterReady(rest, "--except=worker-1", "worker-2"), { missing: "", status: 0 });
  assert.equal(clusterReady(rest, "worker-2").status, 1);
  const fewer = rest.map((line) => line.replace("3 2 seen 2", "3 1 seen 1"));
  assert.match(clusterReady(fewer, "--except=worker-1", "worker-2").missing, /kube-proxy has 1 of 3/);
});

test("users' workloads do not delay readiness, whatever their state", () => {
  const theirs = [
    "pod default/web Pending Unknown",
    "deployment shop/web 3 0 seen 0",
    "daemonset shop/agent 5 0 seen 0",
  ];
  assert.deepEqual(clusterReady([...complete, ...theirs], "master-1"), { missing: "", status: 0 });
});
