import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { renderNodeSeed } from "../../../../cloud-init/render-node-seed";
import { guardedMembers } from "../../../../components/guarded-members";
import { refusedLosses } from "../../../../model/plan-losses";
import type { PresentMember } from "../../../../model/pool-change";
import { refusedSettings } from "../../../../model/refused-settings";
import { renderDiagram } from "../../../../review/render-diagram";
import { type NodePlan, nodesOf, witnessOf } from "../../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { collisionsOf, listenersOf } from "../../../../stacks/plan/plan-listeners";
import { examplePlan } from "../../../support/example-plans";
import { exampleConfiguration } from "../../../support/example-stacks";

const pair = examplePlan("pair");
const [gateway, first, second] = pair.nodes as [NodePlan, NodePlan, NodePlan];

interface CloudConfig {
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}
function fileOf(node: NodePlan, path: string): string | undefined {
  const { write_files: files } = load(renderNodeSeed(pair, node).userData) as CloudConfig;
  return files.find((file) => file.path === path)?.content;
}

test("two servers have all roles but the gateway's, which is the third member of etcd and of Corosync", () => {
  assert.deepEqual(
    pair.nodes.map(({ name, address, roles }) => `${name} ${address} ${roles.join(",")}`),
    [
      "gateway 192.168.56.1 gateway,etcd",
      "master-1 192.168.56.11 master,balancer,etcd,worker",
      "master-2 192.168.56.12 master,balancer,etcd,worker",
    ],
  );
  assert.equal(witnessOf(pair)?.name, "gateway");
  assert.equal(pair.balancing.movedBy, "pacemaker");
  const corosync = fileOf(gateway, "/etc/corosync/corosync.conf") ?? "";
  assert.deepEqual(corosync.match(/(?<= name: ).*/g), ["master-1", "master-2", "gateway"]);
  assert.equal(corosync, fileOf(second, "/etc/corosync/corosync.conf"));
});

test("the balancer and the API server of a server have the same port on different addresses", () => {
  const proxy = fileOf(first, "/etc/haproxy/haproxy.cfg") ?? "";
  assert.match(proxy, /^frontend api\n {2}bind 192\.168\.56\.10:6443,127\.0\.0\.1:6443$/m);
  assert.equal(fileOf(first, "/etc/sysctl.d/90-floating-ip.conf"), "net.ipv4.ip_nonlocal_bind = 1\n");
  const patch = fileOf(first, "/etc/groundplane/kubeadm/patches/kube-apiserver3+json.json") ?? "[]";
  assert.deepEqual(JSON.parse(patch), [
    { op: "add", path: "/spec/containers/0/command/-", value: "--bind-address=192.168.56.11" },
  ]);
  const listeners = listenersOf(pair, first);
  assert.deepEqual(collisionsOf(listeners), []);
  // With the addresses of machines of their own, they would collide.
  const careless = listeners.map((one) => (one.program === "API server" ? { ...one, address: "*" } : one));
  assert.deepEqual(collisionsOf(careless).length, 2);
});

test("a machine with several roles is ready when each of them is", () => {
  const folder = "/usr/local/lib/groundplane/role-ready";
  for (const [node, roles] of [
    [gateway, ["gateway", "etcd"]],
    [first, ["master", "balancer"]],
  ] as const) {
    assert.match(fileOf(node, folder) ?? "", /role-ready-\*/);
    for (const role of roles) assert.ok(fileOf(node, `${folder}-${role}`), `${node.name} ${role}`);
  }
  assert.doesNotMatch(renderNodeSeed(pair, first).userData, /role-ready-worker/);
});

test("the gateway opens etcd to the masters only, and keeps its key of etcd's authority", () => {
  const rules = fileOf(gateway, "/etc/nftables.conf") ?? "";
  assert.match(rules, /ip saddr @master tcp dport 2379 accept/);
  assert.match(rules, /ip saddr @master tcp dport 2380 accept/);
  assert.doesNotMatch(
    renderNodeSeed(examplePlan("lab"), examplePlan("lab").nodes[0] as NodePlan).userData,
    /dport 2380/,
  );
  assert.match(renderNodeSeed(pair, gateway).userData, /etcd-ca\.key/);
});

const present = (stopped: readonly string[]) =>
  new Map(
    pair.nodes.map(({ name, roles, uuid, interfaces }): [string, PresentMember] => [
      name,
      { name, roles, uuid, macs: interfaces.map(({ mac }) => mac), running: !stopped.includes(name) },
    ]),
  );

test("the guard counts the gateway's vote", () => {
  const refusedWithout = (...replaced: readonly string[]) => {
    const nodes = pair.nodes.map((node) => (replaced.includes(node.name) ? { ...node, uuid: `${node.uuid}-x` } : node));
    const after = guardedMembers({ ...pair, nodes }, "fake");
    return refusedLosses(pair.nodes, present([]), after).map(({ problem }) => problem);
  };
  for (const name of ["gateway", "master-1", "master-2"]) assert.deepEqual(refusedWithout(name), [], name);
  assert.match(refusedWithout("gateway", "master-1").join(), /would keep 1 of 3 members; it needs 2/);
  assert.match(refusedWithout("master-1", "master-2").join(), /would keep 1 of 3 members; it needs 2/);
  assert.deepEqual(nodesOf(pair, "balancer"), [first, second]);
});

test("two servers get workers and storage, and the way to another form of the control plane is told", () => {
  const configuration = exampleConfiguration("pair");
  const { pools } = configuration;
  const refused = (change: Partial<typeof pools>) => {
    const after = planDataCenter({ ...configuration, pools: { ...pools, ...change } });
    return [
      ...refusedSettings(pair.settings, after.settings),
      ...refusedLosses(pair.nodes, present([]), guardedMembers(after, "fake")).map(({ instead }) => instead),
    ];
  };
  const { balancers, masters, gateway, workers, storage } = exampleConfiguration("lab").pools;
  assert.deepEqual(refused({ workers, storage }), []);
  const [fixed, ...others] = refused({ balancers, masters, gateway, workers, storage });
  assert.match(
    fixed ?? "",
    /^pools\.gateway\.roles\[0\]: etcd cannot become none: .* or create another stack with it$/,
  );
  assert.equal(others.length, 2);
  for (const instead of others)
    assert.match(
      instead,
      /^keep balancers on the machines .*, or create another stack with it and restore a backup of etcd/,
    );
});

test("the diagram shows the roles and the witness", () => {
  const text = renderDiagram(pair, "text");
  assert.match(text, /^gateway {6}uplink 10\.0\.2\.15 {2}\+ etcd \(witness\)$/m);
  assert.match(text, /master-1 {5}192\.168\.56\.11 {2}\+ balancer {2}\+ worker/);
  assert.match(text, /etcd {9}gateway, master-1, master-2/);
  assert.match(renderDiagram(pair, "mermaid"), /gateway --- master_1 --- master_2 --- gateway/);
});
