import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { renderNodeSeed, renderSeeds } from "../../../../cloud-init/render-node-seed";
import { guardedMembers } from "../../../../components/guarded-members";
import { balancerNames } from "../../../../model/balancers";
import { containerRuntimeNames } from "../../../../model/container-runtimes";
import { controlPlaneForms } from "../../../../model/control-planes";
import { refusedLosses } from "../../../../model/plan-losses";
import type { PresentMember } from "../../../../model/pool-change";
import { renderDiagram } from "../../../../review/render-diagram";
import type { Configuration } from "../../../../stacks/config/configuration";
import {
  type DataCenterPlan,
  etcdMachinesOf,
  type NodePlan,
  witnessOf,
} from "../../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { collisionsOf, listenersOf } from "../../../../stacks/plan/plan-listeners";
import { stopOrder } from "../../../../stacks/plan/stop-order";
import { examplePlan } from "../../../support/example-plans";
import { exampleConfiguration } from "../../../support/example-stacks";
import { recordDataCenter } from "../../../support/recorded-graph";

const single = examplePlan("single");
const gateway = single.nodes[0] as NodePlan;

const configuration = exampleConfiguration("single");
const withPools = (pools: Partial<Configuration["pools"]>, rest: Partial<Configuration> = {}): DataCenterPlan =>
  planDataCenter({ ...configuration, ...rest, pools: { ...configuration.pools, ...pools } });
const grown = withPools({ workers: { ...configuration.pools.workers, count: 2 } });

interface CloudConfig {
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}
function fileOf(plan: DataCenterPlan, path: string): string {
  const { write_files: files } = load(renderNodeSeed(plan, plan.nodes[0] as NodePlan).userData) as CloudConfig;
  return files.find((file) => file.path === path)?.content ?? "";
}
/** The rules of a chain of the gateway's firewall. */
function rulesOf(plan: DataCenterPlan, chain: string): readonly string[] {
  const [, body = ""] =
    new RegExp(`chain ${chain} \\{\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\n  \\}`).exec(fileOf(plan, "/etc/nftables.conf")) ??
    [];
  return body.split("\n").map((line) => line.trim());
}

test("one machine has all roles but that of storage", () => {
  assert.deepEqual(
    single.nodes.map(({ name, address, roles }) => `${name} ${address} ${roles.join(",")}`),
    ["gateway 192.168.56.1 gateway,balancer,master,etcd,worker"],
  );
  assert.equal(single.balancing.movedBy, "static");
  assert.equal(witnessOf(single), undefined);
  assert.deepEqual(etcdMachinesOf(single), []);
  assert.deepEqual(stopOrder(grown, new Set(grown.nodes.map(({ name }) => name))), [
    ["worker-1", "worker-2"],
    ["gateway"],
  ]);
});

test("the host's port leads to the balancer, and the balancer to the API server, each on an address of its own", () => {
  assert.match(fileOf(single, "/etc/haproxy/haproxy.cfg"), /bind 192\.168\.56\.10:6443,127\.0\.0\.1:6443$/m);
  assert.match(fileOf(single, "/etc/haproxy/haproxy.cfg"), /server gateway 192\.168\.56\.1:6443 verifyhost gateway$/m);
  assert.match(
    fileOf(single, "/etc/groundplane/kubeadm/patches/kube-apiserver3+json.json"),
    /--bind-address=192\.168\.56\.1"/,
  );
  assert.match(renderNodeSeed(single, gateway).networkConfig, /- "192\.168\.56\.1\/24"\n {4}- "192\.168\.56\.10\/24"/);
  assert.deepEqual(collisionsOf(listenersOf(single, gateway)), []);
  // What the host's port leads to is no packet to another machine.
  assert.ok(rulesOf(single, "input").includes('iifname "uplink" ct status dnat accept comment "from the host"'));
});

test("pods on the gateway find its DNS, and the firewall knows their interfaces", () => {
  assert.match(fileOf(single, "/etc/resolv.conf"), /^nameserver 192\.168\.56\.1$/m);
  assert.match(fileOf(single, "/etc/dnsmasq.d/groundplane.conf"), /^interface=cni0\nno-dhcp-interface=cni0$/m);
  const forward = rulesOf(single, "forward");
  assert.ok(
    forward.some((rule) => rule.startsWith('iifname { "cni0", "flannel.1" } oifname { "cni0", "flannel.1" } accept')),
  );
  assert.ok(forward.some((rule) => rule.includes('"cni0" } oifname "uplink" ip daddr != @closed accept')));
  assert.ok(rulesOf(single, "input").includes('iifname "cni0" ip saddr 10.244.0.0/16 accept comment "pods"'));
  assert.ok(!forward.some((rule) => rule.startsWith('iifname "cni0" ip daddr @storage')));
  // Workers beside the gateway, though it is one itself: NodePorts of theirs, and pods with their address.
  assert.ok(
    forward.some((rule) => rule.startsWith('iifname "cni0" ip daddr @worker tcp dport { 1-21, 23-65535 } accept')),
  );
  // Others keep what they have.
  for (const stack of ["lab", "pair"]) assert.doesNotMatch(fileOf(examplePlan(stack), "/etc/nftables.conf"), /cni0/);
});

test("workers reach the API and the pods of the gateway, no etcd, and no address is forged", () => {
  const input = rulesOf(grown, "input");
  const from = (party: string) => input.filter((rule) => rule.includes(`ip saddr @${party} ip daddr`)).join("\n");
  assert.match(from("worker"), /ip daddr @api tcp dport \{ 6443 \}/);
  // VXLAN.
  assert.match(from("worker"), /ip daddr @master udp dport \{ 1-65535 \}/);
  assert.match(from("worker"), /ip daddr @master tcp dport \{ 1-21, 23-2378, 2382-65535 \}/);
  assert.doesNotMatch(input.join("\n"), /dport 23(79|80)/);
  const forged = input.indexOf('iifname "workers" ip saddr != 192.168.58.0/23 drop');
  assert.ok(forged > 0 && forged < input.findIndex((rule) => rule.includes("ip saddr @worker")));
  const text = fileOf(grown, "/etc/nftables.conf");
  assert.match(text, /set worker \{ .* elements = \{ 192\.168\.58\.11-192\.168\.59\.127, 192\.168\.56\.1 \}/);
});

test("the gateway's own processes reach services, and still no network of this host", () => {
  const output = rulesOf(single, "output");
  const services = output.findIndex((rule) =>
    rule.startsWith("ct status dnat ip daddr { 10.244.0.0/16, 192.168.56.0/21 } accept"),
  );
  assert.ok(services > 0 && services < output.findIndex((rule) => rule.startsWith("ip daddr @closed reject")));
  assert.ok(!rulesOf(examplePlan("small"), "output").some((rule) => rule.includes("dnat")));
});

test("a configured flow to workers reaches NodePorts of the gateway's pods", () => {
  const flows: Configuration["network"]["flows"] = [{ from: "storage", to: "worker", protocol: "tcp", ports: [30080] }];
  const plan = withPools({}, { network: { ...configuration.network, flows } });
  const [rule] = rulesOf(plan, "forward").filter((each) => each.includes("ip saddr @storage") && each.includes("dnat"));
  assert.match(rule ?? "", /ct original ip daddr @worker meta l4proto tcp ct original proto-dst \{ 30080 \} accept/);
});

test("a gateway that is a worker mounts the volume from its address in the segment of storage", () => {
  const storage = { ...configuration.pools.storage, count: 1, disks: [{ name: "brick", sizeGiB: 1 }] };
  assert.ok(withPools({ storage }).volume?.clients.includes("192.168.60.1"));
});

test("workers are added without another machine for the gateway, whose files follow", async () => {
  const [before, after] = [await recordDataCenter(single), await recordDataCenter(grown)];
  const machine = (graph: typeof before) => {
    const found = graph.find(({ type, name }) => type === "groundplane:index:Machine" && name === "gateway");
    const { seed: _seed, ...inputs } = found?.inputs ?? {};
    return inputs;
  };
  assert.deepEqual(machine(before), machine(after));
  const changed = renderNodeSeed(grown, gateway).files.filter(
    (file) => !renderNodeSeed(single, gateway).files.some((each) => JSON.stringify(each) === JSON.stringify(file)),
  );
  assert.deepEqual(changed.map(({ path }) => path).sort(), [
    "/etc/groundplane/dhcp-hosts",
    "/etc/groundplane/planned-nodes",
    "/etc/hosts",
  ]);
  const joined = after.filter(({ type }) => type === "groundplane:index:Membership").map(({ name }) => name);
  assert.deepEqual(joined.sort(), ["gateway-membership", "worker-1-membership", "worker-2-membership"]);
});

test("the bootstrap starts the cluster on the gateway, and creates its machine once", async () => {
  const graph = await recordDataCenter(single);
  const of = (type: string) => graph.filter((resource) => resource.type === `groundplane:index:${type}`);
  assert.deepEqual(
    of("Machine").map(({ name }) => name),
    ["gateway"],
  );
  assert.match(String(of("Machine")[0]?.inputs.image), /kubernetes/);
  assert.deepEqual(
    of("NodeFiles").map(({ name }) => name),
    ["gateway-files"],
  );
  const [bootstrap] = of("Bootstrap");
  assert.deepEqual(
    ((bootstrap?.inputs.members ?? []) as { name: string }[]).map(({ name }) => name),
    ["gateway"],
  );
  assert.equal(bootstrap?.inputs.witness, undefined);
});

test("the order of the gateway's roles, and etcd where it is implied, change nothing", () => {
  const reordered = withPools({
    gateway: { ...configuration.pools.gateway, roles: ["worker", "etcd", "master", "balancer"] },
  });
  assert.deepEqual(reordered, single);
});

test("every option renders on one machine, and no two programs collide", () => {
  const { pools, options } = configuration;
  const combinations = balancerNames.flatMap((balancer) =>
    containerRuntimeNames.flatMap((runtime) =>
      controlPlaneForms.flatMap((controlPlane) => [0, 3].map((count) => ({ balancer, runtime, controlPlane, count }))),
    ),
  );
  for (const { count, ...chosen } of combinations) {
    const hostPorts = { ...configuration.hostPorts, nodePorts: [{ port: 9000, nodePort: 30080 }] };
    const etcd = { ...pools.etcd, count };
    const plan = withPools({ etcd }, { hostPorts, options: { ...options, ...chosen } });
    const label = JSON.stringify({ count, ...chosen });
    assert.equal(renderSeeds(plan).length, 1 + count, label);
    for (const node of plan.nodes) assert.deepEqual(collisionsOf(listenersOf(plan, node)), [], label);
  }
});

test("the guard keeps the only machine with the cluster's data", () => {
  const present = new Map(
    single.nodes.map(({ name, roles, uuid, interfaces }): [string, PresentMember] => [
      name,
      { name, roles, uuid, macs: interfaces.map(({ mac }) => mac), running: true },
    ]),
  );
  assert.deepEqual(refusedLosses(single.nodes, present, guardedMembers(grown, "fake")), []);
  const replaced = { ...single, nodes: single.nodes.map((node) => ({ ...node, uuid: `${node.uuid}-x` })) };
  const refused = refusedLosses(single.nodes, present, guardedMembers(replaced, "fake"));
  assert.match(refused.map(({ problem }) => problem).join(), /gateway would be recreated at once/);
  assert.match(
    refused.map(({ instead }) => instead).join(),
    /holds the cluster's data: keep the gateway's machine, or start over/,
  );
});

test("the diagram shows the roles and the floating IP", () => {
  const text = renderDiagram(single, "text");
  assert.match(text, /^gateway {6}uplink 10\.0\.2\.15 {2}\+ balancer {2}\+ master {2}\+ worker$/m);
  assert.match(text, /dmz .*\n.*floating IP {2}192\.168\.56\.10:6443 → gateway/);
  const mermaid = renderDiagram(grown, "mermaid");
  assert.match(mermaid, /gateway\["gateway<br\/>10\.0\.2\.15<br\/>\+ balancer<br\/>\+ master<br\/>\+ worker"\]/);
  assert.match(mermaid, /subgraph dmz.*\n {4}floating_ip/);
  assert.match(mermaid, /floating_ip -\.-> gateway/);
});
