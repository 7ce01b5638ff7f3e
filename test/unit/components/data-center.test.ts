import assert from "node:assert/strict";
import { test } from "node:test";
import { allClusterObjects } from "../../../cloud-init/files/kubernetes/cluster-objects";
import { byName } from "../../../model/cluster-object";
import type { Role } from "../../../model/roles";
import { type DataCenterPlan, nodesOf } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import {
  type RecordedResource,
  recordDataCenter,
  resourceOf,
  sampleSecret,
  unknown,
} from "../../support/recorded-graph";

const machineType = "groundplane:index:Machine";
const filesType = "groundplane:index:NodeFiles";

const lab = examplePlan("lab");

const labWithWorkers = (count: number, maxUnavailable = 1): DataCenterPlan => {
  const configuration = exampleConfiguration("lab");
  const { pools } = configuration;
  return planDataCenter({
    ...configuration,
    pools: { ...pools, workers: { ...pools.workers, count, maxUnavailable } },
  });
};

test("a machine gets its planned inputs, and only the secrets that its seed refers to", async () => {
  const graph = await recordDataCenter(lab);
  for (const node of lab.nodes) {
    const { inputs } = resourceOf(graph, machineType, node.name);
    const seed = inputs.seed as { readonly userData: string };
    const { secret } = inputs.secrets as { readonly secret: Record<string, string> };
    const referred = [...seed.userData.matchAll(/\$\{secret(?:-base64)?:([^}]+)\}/g)].map(([, name]) => name as string);
    assert.deepEqual(Object.keys(secret).sort(), [...new Set(referred)].sort());
    assert.equal(inputs.uuid, node.uuid);
    assert.equal(inputs.memoryMiB, node.memoryMiB);
    assert.deepEqual(
      inputs.nics,
      node.interfaces.map(({ name, segment, mac }) => ({ name, segment, mac })),
    );
  }
});

test("a worker's machine holds no key of the cluster's authorities", async () => {
  const graph = await recordDataCenter(lab);
  const text = JSON.stringify(resourceOf(graph, machineType, "worker-1").inputs);
  for (const name of ["kubernetes-ca.key", "etcd-ca.key", "service-account.key", "encryption-key", 'ssh-user-key"']) {
    assert.ok(!text.includes(`the ${name}`), `${name} stays away`);
  }
});

test("only the gateway has an uplink, with the host's two ports", async () => {
  const graph = await recordDataCenter(lab);
  const machines = graph.filter((resource) => resource.type === machineType);
  assert.deepEqual(
    machines.filter(({ inputs }) => inputs.uplink !== undefined).map(({ name }) => name),
    ["gateway"],
  );
  assert.deepEqual(resourceOf(graph, machineType, "gateway").inputs.uplink, {
    mac: lab.uplink.mac,
    forwards: [
      { hostPort: lab.hostPorts.ssh, guestPort: 22 },
      { hostPort: lab.hostPorts.api, guestPort: 6443 },
    ],
  });
});

test("no machine waits for another machine", async () => {
  const graph = await recordDataCenter(lab);
  const nodeNames = new Set(lab.nodes.map((node) => node.name));
  for (const machine of graph.filter((resource) => resource.type === machineType)) {
    assert.deepEqual(
      machine.dependencies.filter((name) => nodeNames.has(name) || name.endsWith("-files")),
      [],
    );
  }
});

test("bootstrap waits for the machines, and not for their files", async () => {
  const { dependencies, inputs } = resourceOf(await recordDataCenter(lab), "groundplane:index:Bootstrap", "bootstrap");
  const expected = ["balancer-1", "balancer-2", "gateway", "master-1", "master-2", "master-3", "secrets-cluster"];
  assert.deepEqual(dependencies, expected);
  assert.deepEqual(
    (inputs.members as { name: string; address: string }[]).map(({ name, address }) => [name, address]),
    nodesOf(lab, "master").map(({ name, address }) => [name, address]),
  );
  assert.equal(inputs.rebootstrap, false);
});

test("files change on balancers and masters one node at a time, after the gateway's files", async () => {
  const graph = await recordDataCenter(lab);
  const filesBefore = (name: string) =>
    resourceOf(graph, filesType, `${name}-files`).dependencies.filter((dependency) =>
      /-(files|membership)$/.test(dependency),
    );
  assert.deepEqual(filesBefore("gateway"), []);
  assert.deepEqual(filesBefore("balancer-1"), ["gateway-files"]);
  assert.deepEqual(filesBefore("balancer-2"), ["balancer-1-files"]);
  // A balancer has to find a master that responds: the only one would not, while its own files change.
  assert.deepEqual(filesBefore("master-1"), ["balancer-2-files", "gateway-files", "master-1-membership"]);
  assert.deepEqual(filesBefore("master-3"), ["master-2-files", "master-3-membership"]);
  assert.deepEqual(filesBefore("worker-2"), ["gateway-files", "worker-2-membership"]);
});

test("images change on one node after the other, after the files and before the gate", async () => {
  const graph = await recordDataCenter(lab);
  const images = graph.filter(({ type }) => type === "groundplane:index:NodeImage");
  const before = (name: string) =>
    resourceOf(graph, "groundplane:index:NodeImage", `${name}-image`).dependencies.filter((other) =>
      other.endsWith("-image"),
    );
  const chain = ["gateway", "balancer-1", "balancer-2", "storage-1", "storage-2", "storage-3"];
  const cluster = ["master-1", "master-2", "master-3", "worker-1", "worker-2"];
  const order = [...chain, ...cluster];
  assert.deepEqual(
    order.map(before),
    order.map((_, position) => (position === 0 ? [] : [`${order[position - 1]}-image`])),
  );
  assert.equal(images.length, lab.nodes.length);
  const { dependencies } = resourceOf(graph, "groundplane:index:NodeImage", "gateway-image");
  for (const { name } of lab.nodes) assert.ok(dependencies.includes(`${name}-files`), name);
  const gate = resourceOf(graph, "groundplane:index:NodeTask", "ready-nodes").dependencies;
  assert.ok(gate.includes("worker-2-image"));
  for (const { inputs, name } of images) {
    assert.equal(inputs.keeps, undefined, name);
    assert.match((inputs.seed as { readonly userData: string }).userData, /^#cloud-config/);
  }
});

test("as many workers as the configuration says change their images at the same time", async () => {
  const graph = await recordDataCenter(labWithWorkers(5, 2));
  const shown = (name: string) => {
    const { dependencies, inputs } = resourceOf(graph, "groundplane:index:NodeImage", `${name}-image`);
    return [dependencies.filter((other) => other.endsWith("-image")), inputs.alongside];
  };
  assert.deepEqual(shown("worker-1"), [["master-3-image"], ["worker-2"]]);
  assert.deepEqual(shown("worker-2"), [["master-3-image"], ["worker-1"]]);
  assert.deepEqual(shown("worker-3"), [["worker-1-image", "worker-2-image"], ["worker-4"]]);
  assert.deepEqual(shown("worker-5"), [["worker-3-image", "worker-4-image"], undefined]);
  const gate = resourceOf(graph, "groundplane:index:NodeTask", "ready-nodes").dependencies;
  assert.ok(gate.includes("worker-5-image"));
});

test("nodes join by the cluster's configuration, and add-ons follow the last node", async () => {
  const graph = await recordDataCenter(lab);
  const objects = (name: string) => resourceOf(graph, "groundplane:index:ClusterObjects", name);
  const { dependencies } = resourceOf(graph, "groundplane:index:NodeImage", "gateway-image");
  assert.ok(dependencies.includes("cluster-objects"));
  assert.deepEqual(
    objects("cluster-objects").dependencies.filter((name) => /-image$|-files$|-membership$/.test(name)),
    [],
    "a new cluster gets them while nodes join",
  );
  const addOns = objects("cluster-add-ons");
  for (const { name } of lab.nodes) assert.ok(addOns.dependencies.includes(`${name}-image`), name);
  assert.deepEqual(objects("cluster-objects").inputs.initial, addOns.inputs.objects, "a new cluster has all of them");
  const names = (of: { readonly inputs: Record<string, unknown> }) => Object.keys(of.inputs.objects as object);
  const [first, last] = [names(objects("cluster-objects")), names(addOns)];
  assert.deepEqual([...first, ...last].sort(), Object.keys(byName(allClusterObjects(lab, ""))).sort());
  assert.ok(
    first.includes("ConfigMap kube-system/kubeadm-config") && last.includes("DaemonSet kube-system/kube-proxy"),
  );
  assert.ok(resourceOf(graph, "groundplane:index:NodeTask", "ready-nodes").dependencies.includes("cluster-add-ons"));
});

test("a member of etcd waits for the machines that do its work, and leaves through others of its kind", async () => {
  const production = await recordDataCenter(examplePlan("production"));
  const shown = (graph: readonly RecordedResource[], name: string) => {
    const { inputs } = resourceOf(graph, "groundplane:index:NodeImage", `${name}-image`);
    const names = (key: string) => (inputs[key] as readonly { readonly name: string }[]).map((one) => one.name);
    return { masters: names("masters"), peers: names("peers"), etcd: inputs.etcd, keeps: inputs.keeps };
  };
  const machines = ["etcd-1", "etcd-2", "etcd-3"];
  assert.deepEqual(shown(production, "etcd-1"), {
    ...{ masters: machines, peers: ["master-1", "master-2", "etcd-2", "etcd-3"], etcd: machines, keeps: undefined },
  });
  assert.deepEqual(shown(production, "master-2"), {
    ...{ masters: ["master-1", "master-2"], peers: ["master-1"], etcd: undefined, keeps: undefined },
  });
  const ofPair = shown(await recordDataCenter(examplePlan("pair")), "master-1");
  assert.deepEqual(
    [ofPair.masters, ofPair.peers],
    [
      ["master-1", "master-2"],
      ["gateway", "master-2"],
    ],
  );
  assert.deepEqual(ofPair.etcd, ["gateway", "master-1", "master-2"]);
});

test("after bootstrap, masters join one at a time and workers join in parallel", async () => {
  const graph = await recordDataCenter(lab);
  const waitsFor = (name: string) =>
    resourceOf(graph, "groundplane:index:Membership", `${name}-membership`).dependencies.filter(
      (dependency) => dependency === "bootstrap" || dependency.endsWith("-membership"),
    );
  assert.deepEqual(waitsFor("master-1"), ["bootstrap"]);
  assert.deepEqual(waitsFor("master-2"), ["bootstrap", "master-1-membership"]);
  assert.deepEqual(waitsFor("master-3"), ["bootstrap", "master-2-membership"]);
  assert.deepEqual(waitsFor("worker-1"), ["bootstrap"]);
  assert.deepEqual(waitsFor("worker-2"), ["bootstrap"]);
});

test("the dismantling depends on all other real resources", async () => {
  const graph = await recordDataCenter(lab);
  const { dependencies } = resourceOf(graph, "groundplane:index:Dismantling", "dismantling");
  const others = graph.filter(
    ({ type }) => !type.startsWith("groundplane:components:") && !type.endsWith("Dismantling"),
  );
  assert.deepEqual(dependencies, [...new Set(others.map(({ name }) => name))].sort());
});

test("a new worker changes only the seeds of other machines, which take effect on recreation", async () => {
  const before = await recordDataCenter(lab);
  const after = await recordDataCenter(labWithWorkers(3));
  const untold = ({ inputs: { seed, ...rest } }: RecordedResource) => rest;
  for (const node of lab.nodes) {
    const [old, young] = [resourceOf(before, machineType, node.name), resourceOf(after, machineType, node.name)];
    assert.deepEqual(untold(young), untold(old), node.name);
    const tellsOfWorkers = ["gateway", "balancer", "master"].some((role) => node.roles.includes(role as Role));
    if (!tellsOfWorkers) assert.deepEqual(young.inputs, old.inputs, node.name);
  }
  const machines = after.filter(({ type }) => type === machineType).map(({ name }) => name);
  const added = machines.filter((name) => !lab.nodes.some((node) => node.name === name));
  assert.deepEqual(added, ["worker-3"]);
});

test("a new worker changes no memberships, the files of only the gateway, balancers and masters, and the record", async () => {
  const before = await recordDataCenter(lab);
  const after = await recordDataCenter(labWithWorkers(3));
  // The seed of another disk is no difference.
  const text = ({ seed: _, ...inputs }: Record<string, unknown>) => JSON.stringify(inputs);
  const changed = before.filter(({ type, name, inputs }) => {
    if (type === machineType) return false;
    return text(resourceOf(after, type, name).inputs) !== text(inputs);
  });
  for (const { type, name } of changed) {
    const isRecord = name === "ready-nodes" || name === "guard";
    assert.ok(isRecord || /^(gateway|balancer-\d|master-\d)-files$/.test(name), `${type} ${name}`);
  }
});

test("a preview knows the plan and the seeds, but no secret", async () => {
  const graph = await recordDataCenter(lab, { preview: true });
  const machine = resourceOf(graph, machineType, "master-1");
  assert.equal(machine.inputs.uuid, lab.nodes.find((node) => node.name === "master-1")?.uuid);
  assert.match((machine.inputs.seed as { userData: string }).userData, /\$\{secret/);
  assert.equal(machine.inputs.secrets, unknown);
  assert.equal(resourceOf(graph, filesType, "master-1-files").inputs.generation, unknown);
  assert.ok(!JSON.stringify(graph).includes(sampleSecret("encryption-key")));
});

test("a preview and an update register the same resources", async () => {
  const identity = ({ type, name, parent }: RecordedResource) => `${type} ${name} < ${parent}`;
  for (const stack of ["lab", "small"] as const) {
    const planned = await recordDataCenter(examplePlan(stack), { preview: true });
    const made = await recordDataCenter(examplePlan(stack));
    assert.deepEqual(planned.map(identity).sort(), made.map(identity).sort());
  }
});

test("every registered secret is marked as secret", async () => {
  const open = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(open);
    if (value === null || typeof value !== "object" || "secret" in value) return null;
    return Object.values(value).map(open);
  };
  const text = JSON.stringify((await recordDataCenter(lab)).map(({ inputs }) => open(inputs)));
  for (const name of ["kubernetes-ca.key", "encryption-key", "ssh-user-key", "corosync-key", "ssh-host-seed"]) {
    assert.ok(!text.includes(`"${sampleSecret(name)}"`), name);
  }
  assert.doesNotMatch(text, /PRIVATE KEY/);
});

test("the fake driver's guests are not accessed over SSH", async () => {
  const graph = await recordDataCenter(lab, { driver: "fake" });
  assert.deepEqual(
    graph.filter(({ type }) => type.startsWith("command:")),
    [],
  );
});

test("a secret that comes with a node's settings is marked as one", async () => {
  const graph = await recordDataCenter(lab);
  for (const name of ["gateway", "balancer-1", "balancer-2"]) {
    const files = resourceOf(graph, filesType, `${name}-files`).inputs.files as {
      path: string;
      alongside?: { path: string; content: unknown }[];
    }[];
    const settings = files.find(({ path }) => path === "/etc/groundplane/node.env");
    const key = settings?.alongside?.find(({ path }) => path === "/etc/corosync/authkey");
    assert.deepEqual(key?.content, { secret: sampleSecret("corosync-key") }, name);
  }
});
