import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { UnreachableError } from "../../../../guests/guest-ssh";
import type { Hypervisor } from "../../../../hypervisors/hypervisor";
import type { GuestConnection, MembershipInputs } from "../../../../model/resource-types";
import { storedRoles } from "../../../../model/roles";
import { leaveCluster } from "../../../../provider/resources/leave-cluster";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";

// The stack's lock is a file in the data folder.
ownDataFolder();

/** The masters of a stack, from the view of a node that leaves. */
interface Situation {
  readonly leaving: string;
  readonly running: readonly string[];
  /** Masters whose API responds. */
  readonly answering: readonly string[];
  /** Masters that are in the cluster. */
  readonly present?: readonly string[];
  /** The machines that it leaves, unless they are the masters. */
  readonly peers?: readonly string[];
  /** The membership comes from the state of an earlier revision, with one role. */
  readonly hasOneRole?: boolean;
  /** How often etcd refuses to remove a member. */
  readonly refusals?: number;
}

const roleOf = (name: string): string => name.replace(/-\d+$/, "");

const masters = ["master-1", "master-2", "master-3"];

/** @returns the commands that the masters ran, as `master: command`, and the warnings. */
async function leave({
  leaving,
  running,
  answering,
  present = masters,
  hasOneRole = false,
  peers = masters,
  refusals = 0,
}: Situation) {
  const commands: string[] = [];
  const warnings: string[] = [];
  const guest = (name: string): Guest => ({
    async run([program = "", ...args]) {
      const command = program.split("/").at(-1) as string;
      commands.push(`${name}: ${command} ${args.join(" ")}`.trim());
      if (command === "cluster-id") {
        return answering.includes(name) ? ok("the cluster\n") : { code: 1, stdout: "", stderr: "no API" };
      }
      const asked = commands.filter((each) => each.includes("forget-node")).length;
      if (command === "forget-node" && asked <= refusals)
        return { code: 1, stdout: "", stderr: "etcdserver: unhealthy cluster" };
      return ok(command === "kubectl" ? present.map((master) => `node/${master}\n`).join("") : "");
    },
    readFiles: () => assert.fail("reads no files"),
    writeFiles: () => assert.fail("writes no files"),
  });
  const surroundings = {
    async connect({ address }: GuestConnection) {
      if (!running.includes(address)) throw new UnreachableError(`${address}: no response`);
      return guest(address);
    },
    driverByName: () =>
      ({
        inspectMachine: async ({ name }: { name: string }) => ({
          power: running.includes(name) ? "running" : "stopped",
        }),
      }) as unknown as Hypervisor,
    patienceMs: refusals * 10_000,
  };
  const context = {
    signal: new AbortController().signal,
    log: (severity: string, message: string) => severity === "warning" && warnings.push(message),
  } as unknown as Context;
  const inputs = {
    ...{
      driver: "fake",
      stack: "lab",
      node: leaving,
      ...(hasOneRole ? { role: roleOf(leaving) } : { roles: storedRoles({ role: roleOf(leaving) }) }),
    },
    masters: peers.map((name) => ({ name, address: name, connection: { address: name } })),
  } as unknown as MembershipInputs;
  await leaveCluster(surroundings, inputs, "the cluster", context);
  return { commands: commands.filter((command) => !/cluster-id|kubectl/.test(command)), warnings };
}

const ok = (stdout: string) => ({ code: 0, stdout, stderr: "" });

test("a master that responds drains and removes the worker", async () => {
  const { commands, warnings } = await leave({ leaving: "worker-1", running: masters, answering: ["master-2"] });
  assert.deepEqual(commands, ["master-2: drain-node worker-1 120", "master-2: forget-node worker-1"]);
  assert.deepEqual(warnings, []);
});

test("a master that has already left is not asked to remove others, although it still responds", async () => {
  const present = ["master-2", "master-3"];
  const { commands } = await leave({ leaving: "master-2", running: masters, answering: masters, present });
  const expected = ["may-leave master-2", "drain-node master-2 120", "forget-node master-2"];
  assert.deepEqual(
    commands,
    expected.map((command) => `master-3: ${command}`),
  );
});

test("a removal that etcd refuses, because one of its members has just lost a connection, is repeated", async () => {
  const { commands } = await leave({ leaving: "worker-1", running: masters, answering: ["master-2"], refusals: 1 });
  assert.equal(commands.filter((command) => command.includes("forget-node")).length, 2);
});

test("the last master in the cluster leaves without further steps", async () => {
  const left = { running: masters, answering: masters, present: ["master-1"] };
  assert.deepEqual(await leave({ leaving: "master-1", ...left }), { commands: [], warnings: [] });
});

test("a worker leaves with a warning when no master responds, whether the masters run or not", async () => {
  for (const running of [masters, []]) {
    const { commands, warnings } = await leave({ leaving: "worker-1", running, answering: [] });
    assert.deepEqual(commands, []);
    assert.equal(warnings.length, 1);
    assert.match(String(warnings), /worker-1 is removed without a drain/);
  }
});

test("a master leaves with a warning when no other master is running", async () => {
  for (const running of [["master-1"], []]) {
    const { warnings } = await leave({ leaving: "master-1", running, answering: [] });
    assert.match(String(warnings), /no other master of lab is running/);
  }
});

test("a master stays while others run that do not respond, because their etcd counts it", async () => {
  const silent = leave({ leaving: "master-1", running: masters, answering: [] });
  await assert.rejects(silent, /master-1 cannot leave.*\n.*groundplane destroy/);
});

test("a node of an earlier revision's state, which has one role, leaves in the same way", async () => {
  const situation = { running: masters, answering: ["master-3"] };
  for (const leaving of ["master-1", "worker-1"]) {
    const left = await leave({ ...situation, leaving, hasOneRole: true });
    assert.deepEqual(left, await leave({ ...situation, leaving }), leaving);
  }
  const silent = leave({ leaving: "master-1", running: masters, answering: [], hasOneRole: true });
  await assert.rejects(silent, /master-1 cannot leave/);
});

const etcd = ["etcd-1", "etcd-2", "etcd-3"];

test("an etcd machine leaves when the others keep a majority, and is not drained", async () => {
  const { commands, warnings } = await leave({
    ...{ leaving: "etcd-3", peers: etcd },
    ...{ running: etcd, answering: ["etcd-1", "etcd-2"] },
  });
  assert.deepEqual(
    [commands.map((command) => command.replace(/^etcd-[12]: /, "")), warnings],
    [["may-leave etcd-3", "forget-node etcd-3"], []],
  );
});

test("an etcd machine stays while the others run and none responds", async () => {
  const leaving = leave({ leaving: "etcd-3", peers: etcd, running: etcd, answering: [] });
  await assert.rejects(leaving, /the other etcd machines are running, but none responds/);
});
