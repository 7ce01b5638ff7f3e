import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { followedHostKeys, forgetFollowedHostKeys } from "../../../../host/followed-host-keys";
import { deriveHostKey } from "../../../../model/derive-host-key";
import type { GuestConnection } from "../../../../model/resource-types";
import { guardResource } from "../../../../provider/resources/guard";
import { HostKeys, notingNodes } from "../../../../provider/resources/host-keys";
import type { Context, ResourceHandler } from "../../../../provider/rpc/resource-handler";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
process.env.GROUNDPLANE_DATA = folder;
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const [first, second, third] = ["1".repeat(64), "2".repeat(64), "3".repeat(64)] as const;
const key = (seed: string, node: string): string => deriveHostKey(seed, node).publicKey;
const connectionTo = (node: string, seed: string): GuestConnection => ({
  ...{ bastionPort: 1, bastionHostKey: key(seed, "gateway"), address: "10.0.0.1" },
  ...{ hostKey: key(seed, node), privateKey: "" },
});
const valuesOf = (seed: string, ...former: readonly string[]) => ({
  ...{ "ssh-host-seed": seed, "former-ssh-host-seeds": JSON.stringify(former) },
});

let made: GuestConnection[] = [];
let keys: HostKeys;
let connect: ReturnType<HostKeys["completing"]>;
beforeEach(() => {
  fs.rmSync(path.join(folder, "stacks"), { recursive: true, force: true });
  made = [];
  keys = new HostKeys();
  connect = keys.completing(async (connection) => {
    made.push(connection);
    return {} as never;
  });
});

const accepted = async (connection: GuestConnection) => {
  await connect(connection);
  const { bastionHostKey, formerBastionHostKeys = [], hostKey, formerHostKeys = [] } = made.at(-1) as GuestConnection;
  return { bastion: [bastionHostKey, ...formerBastionHostKeys], node: [hostKey, ...formerHostKeys] };
};
const all = (node: string) => [second, first].map((seed) => key(seed, node));
const noteNode = (node: string, seed: string) =>
  keys.noteNodes({ node, connection: { ...connectionTo(node, seed) } as never });

test("a connection of either key accepts both until its node has followed", async () => {
  keys.note(valuesOf(second, first), "lab");
  for (const seed of [first, second]) {
    noteNode("worker-1", seed);
    const both = { bastion: all("gateway"), node: all("worker-1") };
    assert.deepEqual(await accepted(connectionTo("worker-1", seed)), both);
  }
  assert.deepEqual(await accepted(connectionTo("gateway", first)), { bastion: all("gateway"), node: all("gateway") });
});

test("a node that must have its present key is not reached by a former one, then or later", async () => {
  keys.note(valuesOf(second, first), "lab");
  noteNode("worker-1", second);
  const present = { bastion: all("gateway"), node: [key(second, "worker-1")] };
  assert.deepEqual(await accepted({ ...connectionTo("worker-1", second), hostKeyIsPresent: true }), present);
  noteNode("worker-1", first);
  assert.deepEqual(await accepted(connectionTo("worker-1", first)), present);
  await accepted({ ...connectionTo("gateway", second), hostKeyIsPresent: true });
  const ofBastion = [key(second, "gateway")];
  assert.deepEqual(await accepted(connectionTo("worker-1", first)), { ...present, bastion: ofBastion });
  assert.deepEqual(await followedHostKeys("lab"), [key(second, "worker-1"), key(second, "gateway")]);
  keys.note(valuesOf(third, second, first), "lab");
  const { node } = await accepted(connectionTo("worker-1", first));
  const latest = [key(third, "worker-1"), key(second, "worker-1")];
  assert.deepEqual(node, latest, "not the key before the one that it has had");
});

test("disks from before a node has followed bring its former key back", async () => {
  keys.note(valuesOf(second, first), "lab");
  noteNode("worker-1", second);
  const before = new Date(Date.now() - 1).toISOString();
  await accepted({ ...connectionTo("worker-1", second), hostKeyIsPresent: true });
  await forgetFollowedHostKeys("lab", new Date().toISOString());
  assert.deepEqual(await followedHostKeys("lab"), [key(second, "worker-1")]);
  await forgetFollowedHostKeys("lab", before);
  assert.deepEqual((await accepted(connectionTo("worker-1", second))).node, all("worker-1"));
});

test("a host without a record of a node has it present its key again", async () => {
  keys.note(valuesOf(second, first), "lab");
  const inputs = (change: object = {}) => ({
    connection: { ...connectionTo("gateway", second), hostKeyIsPresent: true, ...change } as never,
  });
  assert.equal(await keys.isUnconfirmed(inputs()), true);
  assert.equal(await keys.isUnconfirmed(inputs({ hostKeyIsPresent: undefined })), false, "another resource");
  assert.equal(await keys.isUnconfirmed({}), false);
  await accepted(connectionTo("gateway", second));
  assert.equal(await keys.isUnconfirmed(inputs()), true);
  await accepted({ ...connectionTo("gateway", second), hostKeyIsPresent: true });
  assert.equal(await keys.isUnconfirmed(inputs()), false);
});

test("a node that does not present the present key has not followed", async () => {
  keys.note(valuesOf(second, first), "lab");
  const failing = keys.completing(() => Promise.reject(new Error("another key")));
  await assert.rejects(failing({ ...connectionTo("gateway", second), hostKeyIsPresent: true }));
  assert.deepEqual(await followedHostKeys("lab"), []);
});

test("stacks without a rotation, other stacks and previews stay as they are", async () => {
  keys.note({ "ssh-host-seed": first }, "lab");
  keys.note(valuesOf("(the new ssh-host-seed)", second), "previewed");
  keys.note(valuesOf(third, second), "other");
  await connect({ ...connectionTo("gateway", first), hostKeyIsPresent: true });
  assert.deepEqual(made, [{ ...connectionTo("gateway", first), hostKeyIsPresent: true }]);
  assert.deepEqual(await followedHostKeys("lab"), []);
});

test("a removed stack leaves no record", async () => {
  keys.note(valuesOf(second, first), "lab");
  await accepted({ ...connectionTo("gateway", second), hostKeyIsPresent: true });
  assert.equal((await followedHostKeys("lab")).length, 1);
  const inputs = { driver: "fake", stack: "lab", replicas: 1, masters: [], balancers: [], storage: [] };
  const olds = { inputs, outputs: { ...inputs, standing: true } };
  await guardResource(() => assert.fail("asks no driver")).delete("", olds, {} as Context);
  assert.equal(fs.existsSync(path.join(folder, "stacks/lab")), false);
});

const handler = {
  ...{ replaceOn: [], deleteBeforeReplace: true, refreshBeforeUpdate: false },
  check: async (inputs) => ({ inputs }),
  create: () => assert.fail("no creation"),
  delete: async () => undefined,
  read: async () => undefined,
} as ResourceHandler;

test("a resource is updated again where its own handler or the missing record asks for it", async () => {
  keys.note(valuesOf(second, first), "lab");
  const confirmed = {};
  const unconfirmed = { connection: { ...connectionTo("gateway", second), hostKeyIsPresent: true } as never };
  for (const [own, inputs, expected] of [
    [undefined, confirmed, false],
    [undefined, unconfirmed, true],
    [false, confirmed, false],
    [false, unconfirmed, true],
    [true, confirmed, true],
  ] as const) {
    const wrapped = notingNodes({ ...handler, ...(own !== undefined && { isOutdated: async () => own }) }, keys);
    assert.equal(await wrapped.isOutdated?.(inputs), expected, `${own}`);
  }
});

test("nodes are learned from each resource before it connects: its own, and members in lists", async () => {
  keys.note(valuesOf(second, first), "lab");
  const noting = notingNodes(handler, keys);
  const member = (name: string, seed: string) => ({ name, connection: { ...connectionTo(name, seed) } as never });
  const context = {} as Context;
  await noting.check({ node: "worker-1", connection: connectionTo("worker-1", second) as never }, context, {
    masters: [member("master-1", first)],
  });
  await noting.read?.("", { members: [member("master-2", first)] }, {}, context);
  await noting.delete("", { inputs: { etcd: [member("etcd-1", first)] }, outputs: {} }, context);
  for (const [node, seed] of Object.entries({
    "worker-1": second,
    "master-1": first,
    "master-2": first,
    "etcd-1": first,
  }))
    assert.deepEqual((await accepted(connectionTo(node, seed))).node, all(node), node);
});
