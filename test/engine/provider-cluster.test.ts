// Bootstrap, memberships and node files on the real engine, with the fake driver's simulated guests.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import type { NodeFile } from "../../model/seed";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { Machine, Resource, rolesOf, Segment } from "../support/provider-resources";

let project: ProviderProject;
before(async () => {
  project = await providerProject();
});
after(() => project?.remove());

const fake = (...parts: string[]) => path.join(project.dataFolder, "fake", "tested", ...parts);
const cluster = () => JSON.parse(fs.readFileSync(fake("cluster.json"), "utf8"));
const consoleOf = (name: string) => fs.readFileSync(fake("machines", name, "console.log"), "utf8");
const sshPort = 42_422;
const addressOf = (node: string) => `10.9.0.${10 + [...node].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)}`;

const connectionTo = (node: string) => ({
  bastionPort: sshPort,
  bastionHostKey: "ssh-ed25519 gateway",
  address: addressOf(node),
  hostKey: `ssh-ed25519 ${node}`,
  privateKey: "no key",
});
const member = (name: string) => ({ name, address: addressOf(name), connection: connectionTo(name) });

interface Wanted {
  readonly masters: readonly string[];
  readonly workers: readonly string[];
  readonly files?: readonly NodeFile[];
  readonly rebootstrap?: boolean;
  /** As after a first `up` that was interrupted. */
  readonly unfinished?: boolean;
}

function seedOf(node: string) {
  const networkConfig = `addresses: [${addressOf(node)}/24]\n`;
  return { seed: { userData: "#cloud-config\n", metaData: `instance-id: ${node}\n`, networkConfig } };
}

function dataCenter({ masters, workers, files = [], rebootstrap = false, unfinished = false }: Wanted) {
  return project.program(async () => {
    const dependsOn = [new Segment("dmz")];
    const uplink = { mac: "02:00:00:00:00:09", forwards: [{ hostPort: sshPort, guestPort: 22 }] };
    const gateway = new Machine("gateway", { ...seedOf("gateway"), uplink }, { dependsOn });
    const nodes = [...masters, ...workers].map((name) => ({
      name,
      machine: new Machine(name, seedOf(name), { dependsOn }),
    }));
    const members = masters.map(member);
    const after = [gateway, ...nodes.map(({ machine }) => machine)];
    const bootstrap = new Resource(
      "Bootstrap",
      "bootstrap",
      { stack: "tested", members, rebootstrap },
      { dependsOn: after },
    );
    const joined = nodes.map(({ name, machine: { generation } }) => {
      const roles = rolesOf(name);
      const connection = connectionTo(name);
      // The fake driver finds a guest by its gateway.
      const reached = { dependsOn: [gateway] };
      new Resource("NodeFiles", `${name}-files`, { node: name, connection, files, generation }, reached);
      const place = { driver: "fake", stack: "tested", node: name, roles, connection, masters: members, generation };
      return new Resource("Membership", `${name}-membership`, place, { dependsOn: [bootstrap] });
    });
    if (!unfinished) new Resource("Dismantling", "dismantling", { stack: "tested" }, { dependsOn: joined });
  });
}

const three = ["master-1", "master-2", "master-3"];
const file = { path: "/etc/a.conf", mode: "0644", content: "one\n", reload: "systemctl reload a" };

test("the cluster is bootstrapped on all masters, and a worker joins with a token of its own, which is deleted", async () => {
  const stack = await dataCenter({ masters: three, workers: ["worker-1"], files: [file] });
  await stack.up();
  assert.deepEqual(Object.keys(cluster().nodes).sort(), [...three, "worker-1"]);
  assert.match(consoleOf("master-1"), /bootstrap-cluster first master-1=https:\/\/10\.9\.0\.\d+:2380,master-2=https/);
  assert.match(consoleOf("master-3"), /bootstrap-cluster other/);
  assert.match(consoleOf("worker-1"), /systemctl reload a/);
  assert.match(
    three.map(consoleOf).join(""),
    /ran .*renew-token \d+\n[\s\S]*delete secret bootstrap-token-[a-z0-9]{6} /,
  );
  assert.deepEqual(cluster().tokens, {});
  await stack.up({ expectNoChanges: true });
});

test("a file changed by hand shows as a text diff, and up restores and reloads it", async () => {
  const stack = await dataCenter({ masters: three, workers: ["worker-1"], files: [file] });
  const onDisk = fake("machines", "worker-1", "root", "etc", "a.conf");
  fs.writeFileSync(onDisk, "changed by hand\n");
  const preview = await stack.preview({ diff: true, color: "never" });
  assert.match(preview.stdout, /- +changed by hand/);
  assert.equal(preview.changeSummary.update, 1);
  await stack.up();
  assert.equal(fs.readFileSync(onDisk, "utf8"), "one\n");
  await stack.up({ expectNoChanges: true });
});

test("a master whose machine is missing is removed from the cluster and joins the same cluster again", async () => {
  const stack = await dataCenter({ masters: three, workers: ["worker-1"], files: [file] });
  const { id, nodes } = cluster();
  fs.rmSync(fake("machines", "master-1"), { recursive: true });
  await stack.up();
  assert.equal(cluster().id, id);
  assert.notEqual(cluster().nodes["master-1"], nodes["master-1"]);
  assert.match(consoleOf("master-1"), /join-cluster/);
  await stack.up({ expectNoChanges: true });
});

test("a removed worker is drained and removed from the cluster", async () => {
  const stack = await dataCenter({ masters: three, workers: [], files: [file] });
  await stack.up();
  assert.deepEqual(Object.keys(cluster().nodes).sort(), three);
  assert.match(three.map(consoleOf).join(""), /drain-node worker-1 \d+[\s\S]*forget-node worker-1/);
});

test("when every master's data is lost, up refuses, and bootstraps again only with consent", async () => {
  const { id } = cluster();
  for (const name of three) fs.rmSync(fake("machines", name), { recursive: true });
  await assert.rejects((await dataCenter({ masters: three, workers: [], files: [file] })).up(), /restore a backup/);
  assert.equal(cluster().id, id);
  const stack = await dataCenter({ masters: three, workers: [], files: [file], rebootstrap: true });
  await stack.up();
  assert.notEqual(cluster().id, id);
  assert.deepEqual(Object.keys(cluster().nodes).sort(), three);
  await stack.up({ expectNoChanges: true });
});

test("destroy drains no node and leaves nothing", async () => {
  const stack = await dataCenter({ masters: three, workers: [], files: [file] });
  const { stdout } = await stack.destroy();
  assert.doesNotMatch(stdout, /draining/);
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), []);
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "stacks")), []);
});

test("without a Dismantling, nodes leave one after the other, and the last master skips this step", async () => {
  const stack = await dataCenter({ masters: three, workers: ["worker-1"], unfinished: true });
  await stack.up();
  const { stdout } = await stack.destroy();
  assert.match(stdout, /worker-1: draining/);
  assert.doesNotMatch(stdout, /warning/);
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), []);
});

test("when no master runs, nodes leave with a warning", async () => {
  const stack = await dataCenter({ masters: three, workers: ["worker-1"], unfinished: true });
  await stack.up();
  for (const name of three) {
    const record = fake("machines", name, "machine.json");
    fs.writeFileSync(record, JSON.stringify({ ...JSON.parse(fs.readFileSync(record, "utf8")), power: "stopped" }));
  }
  const { stdout } = await stack.destroy();
  assert.match(stdout, /warning.*: worker-1 is removed without a drain.*no other master of tested is running/);
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), []);
});
