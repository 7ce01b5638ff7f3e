/** A snapshot of a whole data centre is restored: etcd, pods and the volume are of one instant again. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { loadPerCore } from "../../host/host-capacity";
import type { SnapshotState } from "../../model/stack-snapshots";
import { askMeanwhile, etcdctl, kubectl, supportFile, tellGap, waitForReadyNodes } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { riskyChange } from "../support/risky-change";

const NAME = "before-upgrade";
/** What a lab's restore may take, from the command's start to Ready nodes, and on a host that has other work. */
const RESTORE_S = loadPerCore() < 2 ? 60 : 120;
const masters = ["master-1", "master-2", "master-3"];

test("a lab is taken back to a snapshot", { skip: nspawnSkipReason(), timeout: 25 * 60_000 }, async (t) => {
  const stack = smallStack("snap");
  const { cluster, driver, project } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const onMaster = (command: string) => on("master-1", command);
  const snapshot = (...words: readonly string[]) => cluster.groundplane("snapshot", ...words);
  const inPod = (writer: string, command: string) =>
    onMaster(`${kubectl} exec deployment/${writer} -- sh -c '${command}'`);
  const revisions = async (): Promise<readonly number[]> => {
    const answers = await onMaster(etcdctl("endpoint status --cluster --write-out=json"));
    return (JSON.parse(answers) as { Status: { header: { revision: number }; raftTerm: number } }[]).map(
      ({ Status }) => Status.header.revision,
    );
  };
  const powers = async () =>
    new Set(
      await Promise.all(
        (await driver.listMachines(cluster.stack)).map(async (name) => (await driver.inspectMachine(name))?.power),
      ),
    );
  const change = riskyChange(cluster);
  const isSame = async (): Promise<void> => {
    await change.isTakenBack();
    assert.equal(await inPod("writer-1", "cat /shared/file"), "before");
    assert.equal(await inPod("writer-2", "cat /shared/file"), "before");
  };

  await step("start creates the stack; an object and a file on the volume are written", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: 3}
  workers: {count: 2}
  storage: {count: 3, disks: [{name: brick, sizeGiB: 4}]}
options: {keepDataDisks: false}
`);
    await stack.start();
    const text = Buffer.from(supportFile("shared-claim.yaml")).toString("base64");
    await onMaster(`echo ${text} | base64 -d | ${kubectl} apply -f - >/dev/null`);
    await onMaster(`${kubectl} rollout status deployment --timeout=180s`);
    await change.prepare();
    await inPod("writer-1", "echo before >/shared/file && sync");
  });

  await step("a snapshot is created while a pod writes; every machine runs on", async (inner) => {
    await inPod("writer-2", "(i=0; while true; do i=$((i+1)); echo $i >>/shared/log; done) >/dev/null 2>&1 &");
    const client = await askMeanwhile(stack);
    const { stdout } = mustSucceed("create", await snapshot("create", NAME, "--json"));
    tellGap(inner, "API while the snapshot was created", await client.stop());
    const made = JSON.parse(stdout) as SnapshotState;
    inner.diagnostic(`${made.machines.length} machines, ${made.bytes} bytes, paused for ${made.pausedMs} ms`);
    assert.equal(made.machines.length, 11);
    assert.deepEqual([...(await powers())], ["running"]);
    const folder = path.join(project.data, "stacks", cluster.stack, "snapshots", NAME);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    assert.match(mustSucceed("list", await snapshot("list")).stdout, new RegExp(`${NAME} .* MiB +11 +yes`));
    await stack.isHealthy();
    await isSame();
  });

  await step("an interrupted and a killed creation leave all machines running", async () => {
    const argv = [process.execPath, "cli/groundplane.cjs", "snapshot", "create", "cut", "--stack", cluster.stack];
    for (const signal of ["INT", "KILL"]) {
      await cluster.run(["timeout", `--signal=${signal}`, "3", ...argv]);
      await eventually("thawed machines", 10_000, powers, (seen) => seen.size === 1 && seen.has("running"));
    }
    mustSucceed("create", await snapshot("create", "next"));
    mustSucceed("delete", await snapshot("delete", "next", "--yes"));
    const { stdout } = mustSucceed("list", await snapshot("list", "--json"));
    assert.deepEqual(
      (JSON.parse(stdout) as SnapshotState[]).map(({ name }) => name),
      [NAME],
    );
    await stack.isHealthy();
  });

  await step("what was deleted and changed since is taken back, and etcd and the volume agree", async (inner) => {
    await onMaster(`${kubectl} create configmap later --from-literal=value=after`);
    await inPod("writer-1", "rm /shared/file; echo after >/shared/later");
    await change.make();
    const restored = mustSucceed("restore", await snapshot("restore", NAME, "--yes", "--json"));
    const { startedAfter, seconds, ready } = JSON.parse(restored.stdout) as {
      readonly startedAfter: number;
      readonly seconds: number;
      readonly ready: boolean;
    };
    inner.diagnostic(`machines started after ${startedAfter} s, nodes ready after ${seconds} s`);
    assert.ok(ready, restored.stderr);
    await waitForReadyNodes(stack, 5);
    await eventually(
      "the writers",
      patienceMs,
      () => cluster.onNode("master-1", `${kubectl} rollout status deployment --timeout=10s`),
      ({ exitCode }) => exitCode === 0,
    );
    await isSame();
    assert.equal(await onMaster(`${kubectl} get configmap later --ignore-not-found`), "");
    await stack.isHealthy();
    const seen = await revisions();
    assert.equal(seen.length, masters.length);
    assert.ok(Math.max(...seen) - Math.min(...seen) < 50, `the members agree: ${seen}`);
    await stack.previewsNoChange();
    assert.ok(seconds <= RESTORE_S, `${seconds} s`);
  });

  await step("a restore that was killed is completed by start", async (inner) => {
    await change.deleteObject();
    const pending = path.join(project.data, "stacks", cluster.stack, "snapshots", "restoring.pending");
    // As soon as it has begun for all machines, and before all of them have their disks.
    const kill = `"$@" & while kill -0 $!; do [ -e "$0" ] && kill -KILL $!; sleep 0.05; done 2>/dev/null; wait`;
    const argv = [process.execPath, "cli/groundplane.cjs", "snapshot", "restore", NAME, "--yes"];
    await cluster.run(["bash", "-c", kill, pending, ...argv, "--stack", cluster.stack]);
    assert.match(mustSucceed("list", await snapshot("list")).stderr, /the restore of before-upgrade was interrupted/);
    const started = performance.now();
    await stack.start();
    inner.diagnostic(`start took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    await isSame();
    await stack.previewsNoChange();
  });

  await step("destroy removes the snapshots and says so", async () => {
    const { stderr } = mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    assert.match(stderr, new RegExp(`its snapshots are removed with the machines: ${NAME}`));
    assert.ok(!fs.existsSync(path.join(project.data, "stacks", cluster.stack)));
  });
});
