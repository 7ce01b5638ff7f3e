import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { load } from "js-yaml";
import { renderNodeSeed, renderSeeds } from "../../../cloud-init/render-node-seed";
import { type NodeSeed, publicNameIn } from "../../../model/seed";
import { type DataCenterPlan, nodesOf } from "../../../stacks/plan/data-center-plan";
import { examplePlan, exampleStacks } from "../../support/example-plans";

interface WriteFile {
  readonly path: string;
  readonly permissions: string;
  readonly encoding?: "b64";
  readonly content: string;
}

interface CloudConfig {
  readonly write_files: readonly WriteFile[];
  readonly runcmd: readonly (readonly string[])[];
}

const cloudConfig = (seed: NodeSeed): CloudConfig => load(seed.userData) as CloudConfig;
const lab = examplePlan("lab");
const small = examplePlan("small");

function seedOf(plan: DataCenterPlan, name: string): NodeSeed {
  const node = plan.nodes.find((each) => each.name === name);
  assert.ok(node, name);
  return renderNodeSeed(plan, node);
}

function writtenBy(seed: NodeSeed, path: string): string {
  const file = cloudConfig(seed).write_files.find((each) => each.path === path);
  assert.ok(file, `${seed.node} does not write ${path}`);
  return Buffer.from(file.content, file.encoding === "b64" ? "base64" : "utf8").toString();
}

const paths = (seed: NodeSeed): string[] => cloudConfig(seed).write_files.map(({ path }) => path);

test("the same plan gives the same seeds, one for each node in the plan's order", () => {
  assert.deepEqual(renderSeeds(lab), renderSeeds(lab));
  assert.deepEqual(
    renderSeeds(lab).map(({ node }) => node),
    lab.nodes.map(({ name }) => name),
  );
});

test("the instance id is the planned machine's UUID", () => {
  for (const node of lab.nodes) {
    assert.deepEqual(load(renderNodeSeed(lab, node).metaData), {
      "instance-id": node.uuid,
      "local-hostname": node.name,
    });
  }
});

test("changeable files match the files that the seed writes, and contain no secret", () => {
  for (const stack of exampleStacks) {
    for (const seed of renderSeeds(examplePlan(stack))) {
      assert.ok(seed.files.length > 0);
      for (const file of seed.files) {
        const name = publicNameIn(file.content);
        if (name === undefined) assert.equal(file.content, writtenBy(seed, file.path), file.path);
        else assert.ok(seed.userData.includes(`path: "${file.path}"`) && seed.secrets.includes(name), file.path);
        assert.doesNotMatch(file.content, /\$\{secret/);
      }
    }
  }
});

test("the list of secrets has exactly the secrets that the seed refers to", () => {
  const storage = seedOf(lab, "storage-1");
  assert.deepEqual(storage.secrets, ["authorized-keys.pub", "ssh-host-key:storage-1"]);
  assert.deepEqual(seedOf(lab, "balancer-2").secrets, [
    ...["authorized-keys.pub", "corosync-key", "kubernetes-ca-bundle.crt", "ssh-host-key:balancer-2"],
  ]);
  for (const seed of renderSeeds(lab)) {
    for (const name of seed.secrets) assert.ok(seed.userData.includes(`:${name}}`), name);
  }
});

test("only masters get the cluster's keys", () => {
  for (const node of lab.nodes.filter(({ roles }) => !roles.includes("master"))) {
    const { secrets } = renderNodeSeed(lab, node);
    assert.deepEqual(
      secrets.filter((name) => /^(kubernetes-ca\.key|etcd|front-proxy|service-account|encryption|admin)/.test(name)),
      [],
      node.name,
    );
  }
});

test("no node gets the administrator's private key or another node's host key", () => {
  for (const seed of renderSeeds(lab)) {
    assert.ok(!seed.secrets.includes("ssh-user-key"));
    assert.deepEqual(
      seed.secrets.filter((name) => name.startsWith("ssh-host-key:")),
      [`ssh-host-key:${seed.node}`],
    );
  }
});

test("only the owner can read a file with a secret", () => {
  for (const seed of renderSeeds(lab)) {
    const isPublic = (path: string) => seed.files.some((file) => file.path === path && publicNameIn(file.content));
    for (const file of cloudConfig(seed).write_files.filter(({ content }) => content.includes("${secret"))) {
      if (!isPublic(file.path)) assert.match(file.permissions, /^0[46]00$/, file.path);
    }
  }
});

test("a pair of balancers and the gateway form one cluster, and a single balancer has none", () => {
  const member = ["/etc/corosync/corosync.conf", "/etc/corosync/authkey", "/var/lib/pacemaker/cib/cib.xml"];
  for (const name of ["gateway", "balancer-1", "balancer-2"]) {
    const written = paths(seedOf(lab, name));
    for (const path of member) assert.ok(written.includes(path), `${name} ${path}`);
  }
  const [one, two] = ["balancer-1", "gateway"].map((name) => writtenBy(seedOf(lab, name), member[0] as string));
  assert.equal(one, two);
  for (const node of small.nodes) {
    const written = paths(renderNodeSeed(small, node));
    for (const path of member) assert.ok(!written.includes(path), `${node.name} ${path}`);
  }
});

describe("one more worker", () => {
  const [first] = nodesOf(lab, "worker");
  assert.ok(first);
  const address = "192.168.58.99";
  const added = { ...first, name: "worker-9", index: 9, fqdn: "worker-9.lab.internal", address };
  const nic = { ...first.interfaces[0], address, mac: "52:a5:00:00:00:99" } as (typeof first.interfaces)[number];
  const grown = { ...lab, nodes: [...lab.nodes, { ...added, interfaces: [nic] }] };
  const changed = (name: string): string[] => {
    const before = new Map(seedOf(lab, name).files.map(({ path, content }) => [path, content]));
    return seedOf(grown, name)
      .files.filter(({ path, content }) => before.get(path) !== content)
      .map(({ path }) => path);
  };

  test("changes the gateway's files and the masters' list of planned nodes", () => {
    assert.deepEqual(changed("gateway"), ["/etc/hosts", "/etc/groundplane/dhcp-hosts"]);
    assert.deepEqual(changed("master-1"), ["/etc/groundplane/planned-nodes"]);
  });

  test("changes nothing on balancers, other workers and storage", () => {
    for (const name of ["balancer-1", "balancer-2", "worker-1", "storage-1"]) assert.deepEqual(changed(name), [], name);
  });
});

test("a plan with hostile values is refused", () => {
  for (const hostile of ['a"b', "a b", "a\nb", "$(reboot)", "a;b", "a#b", "a{b"]) {
    for (const node of lab.nodes) {
      assert.throws(() => renderNodeSeed({ ...lab, domain: hostile }, node), /cannot be written into/, hostile);
    }
  }
});
