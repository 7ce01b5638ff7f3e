import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import type { Role } from "../../../../model/roles";
import { followRoles } from "../../../../provider/resources/master-workloads";
import type { Context } from "../../../../provider/rpc/resource-handler";

const closed: readonly Role[] = ["master", "etcd"];
const working: readonly Role[] = ["master", "etcd", "worker"];

interface Outcome {
  readonly commands: readonly string[];
  readonly warnings: readonly string[];
}

/** @param failing commands that fail, with what they print */
async function follow(
  before: readonly Role[] | undefined,
  after: readonly Role[],
  failing: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const commands: string[] = [];
  const warnings: string[] = [];
  const guest = (where: string): Guest => ({
    async run([program = "", ...args]) {
      const words = [program.split("/").at(-1), ...args.filter((arg) => !arg.startsWith("--kubeconfig"))].join(" ");
      commands.push(`${where}: ${words}`);
      const stderr = Object.entries(failing).find(([start]) => words.startsWith(start))?.[1];
      return stderr === undefined ? { code: 0, stdout: "", stderr: "" } : { code: 1, stdout: "", stderr };
    },
    readFiles: () => assert.fail("reads no files"),
    writeFiles: () => assert.fail("writes no files"),
  });
  const context = {
    signal: new AbortController().signal,
    log: (severity: string, message: string) => severity === "warning" && warnings.push(message),
  } as unknown as Context;
  const guests = { onNode: async () => guest("node"), onMaster: async () => guest("master") };
  await followRoles(guests, "master-2", before, after, 120, context);
  return { commands, warnings };
}

const opened = [
  "master: kubectl label --overwrite node master-2 node.kubernetes.io/exclude-from-external-load-balancers-",
  "master: kubectl taint node master-2 node-role.kubernetes.io/control-plane:NoSchedule-",
];

test("a master that becomes a worker, or joins as one, is opened to pods", async () => {
  assert.deepEqual((await follow(closed, working)).commands, opened);
  assert.deepEqual((await follow(undefined, working)).commands, opened);
});

test("a taint that is gone already is no failure, and any other failure is", async () => {
  const gone = 'error: taint "node-role.kubernetes.io/control-plane:NoSchedule" not found';
  assert.deepEqual((await follow(closed, working, { "kubectl taint": gone })).commands, opened);
  await assert.rejects(follow(closed, working, { "kubectl taint": "connection refused" }), /connection refused/);
});

test("a master that works no longer gets no new pods, is drained, and then releases the volume", async () => {
  const expected = [
    "master: kubectl taint --overwrite node master-2 node-role.kubernetes.io/control-plane=:NoSchedule",
    "master: drain-node master-2 120",
    "node: systemctl stop groundplane-volume.servic[e] var-lib-groundplane-volumes-data.moun[t]",
    "master: kubectl label --overwrite node master-2 node.kubernetes.io/exclude-from-external-load-balancers= groundplane.internal/volume-",
    "master: kubectl uncordon master-2",
  ];
  assert.deepEqual(await follow(working, closed), { commands: expected, warnings: [] });
  const slow = await follow(working, closed, { "drain-node": "timed out" });
  assert.deepEqual(slow.commands, expected);
  assert.match(String(slow.warnings), /master-2 was not drained completely: timed out/);
});

test("other changes ask nothing", async () => {
  for (const [before, after] of [
    [closed, closed],
    [working, working],
    [undefined, closed],
    [undefined, ["worker"]],
  ] as const) {
    assert.deepEqual((await follow(before, after)).commands, []);
  }
});
