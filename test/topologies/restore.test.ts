/** Stacks that have lost all masters or etcd, with their disks, are restored, while workers, pods and volumes go on. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { kubectl, supportFile } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { loseMachines } from "../support/lose-machines";
import { nspawnSkipReason } from "../support/nspawn-host";
import { takeBackup } from "../support/take-backup";

const OBJECTS = 300;
const masters = ["master-1", "master-2", "master-3"];

interface SeenPod {
  readonly metadata: { readonly uid: string };
  readonly status: {
    readonly containerStatuses: readonly [{ readonly containerID: string; readonly restartCount: number }];
  };
}

/** On the worker, without a grace period. */
const page = {
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "page" } },
  spec: {
    selector: { matchLabels: { app: "page" } },
    template: {
      metadata: { labels: { app: "page" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            ...{ name: "page", image: "groundplane.internal/busybox:1", imagePullPolicy: "Never" },
            command: ["sleep", "1000000"],
          },
        ],
      },
    },
  },
};

test("three lost masters are restored", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("rst");
  const { cluster, driver, project } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const apply = async (manifest: string): Promise<void> => {
    const text = Buffer.from(manifest).toString("base64");
    await on("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f - >/dev/null`);
  };
  const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { name } });
  const writtenNames = async (): Promise<readonly string[]> =>
    (await on("master-1", `${kubectl} get configmaps --output name`))
      .split("\n")
      .filter((name) => /written|later/.test(name));
  const pod = async () => {
    const { items } = JSON.parse(await on("master-1", `${kubectl} get pods --output json`)) as {
      readonly items: readonly SeenPod[];
    };
    return items.map(({ metadata, status }) => [
      metadata.uid,
      status.containerStatuses[0].containerID,
      status.containerStatuses[0].restartCount,
    ]);
  };
  const generation = async (name: string) => (await driver.inspectMachine({ stack: cluster.stack, name }))?.generation;
  let restore: readonly string[] = [];
  let before: unknown;
  let worker: string | undefined;

  await step("start creates the stack; objects, a Secret and a pod are written, and a backup is taken", async () => {
    stack.configure(`driver: nspawn
pools: {balancers: {count: 1}, masters: {count: 3}, workers: {count: 1}}
options: {fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    const items = Array.from({ length: OBJECTS }, (_, index) => configMap(`written-${index}`));
    await apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await on("master-1", `${kubectl} create secret generic sealed --from-literal=value=sealed-value`);
    await apply(JSON.stringify(page));
    await on("master-1", `${kubectl} rollout status deployment --timeout=180s`);
    before = await pod();
    worker = await generation("worker-1");
    restore = await takeBackup(cluster);
    await apply(JSON.stringify(configMap("later")));
  });

  await step("a healthy stack is not restored without --replace", async () => {
    const { exitCode, stderr } = await cluster.groundplane(...restore);
    assert.equal(exitCode, 1);
    assert.match(stderr, /etcd of rst-\w+ is healthy; .*\n {2}next step: add --replace/);
  });

  await step(
    "all masters lose their machines and disks, and an interrupted and repeated restore brings everything back",
    async (inner) => {
      await loseMachines(driver, cluster.stack, masters);
      const argv = [process.execPath, "cli/groundplane.cjs", ...restore];
      const cut = await cluster.run(["timeout", "--signal=INT", "25", ...argv, "--stack", cluster.stack]);
      assert.notEqual(cut.exitCode, 0, "the first restore is interrupted");
      const { stdout } = mustSucceed("restore", await cluster.groundplane(...restore));
      inner.diagnostic(stdout.trim().split("\n").at(-1) ?? "");
      const names = await writtenNames();
      assert.equal(names.length, OBJECTS);
      assert.ok(!names.includes("configmap/later"));
      const value = await on("master-1", `${kubectl} get secret sealed --output jsonpath={.data.value} | base64 -d`);
      assert.equal(value, "sealed-value");
    },
  );

  await step("the worker and its pods are the same, and the stack is healthy and takes writes", async () => {
    assert.equal(await generation("worker-1"), worker);
    await stack.isHealthy();
    assert.deepEqual(await pod(), before);
    await apply(JSON.stringify(configMap("later")));
    await on("master-1", `${kubectl} scale deployment --all --replicas=2`);
    await eventually("a second pod", patienceMs, pod, (pods) => pods.length === 2);
    await stack.previewsNoChange();
    assert.ok(!fs.existsSync(path.join(project.data, "stacks", cluster.stack, "restore")));
  });
});

test("a lost etcd machine is restored beside services, and a volume stays", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("rstx");
  const { cluster, driver } = stack;
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  await stack.step(t, "the restored cluster has its claim, and the same pod reads its file", async (inner) => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  etcd: {count: 1}
  workers: {count: 1}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}
options: {controlPlane: services, fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    const [claim, writer] = supportFile("shared-claim.yaml").split("---\n");
    const text = Buffer.from(`${claim}---\n${writer}`).toString("base64");
    await on("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f - >/dev/null`);
    await on("master-1", `${kubectl} rollout status deployment --timeout=180s`);
    await on("master-1", `${kubectl} exec deployment/writer-1 -- sh -c 'echo written >/shared/file'`);
    const pods = () =>
      on(
        "master-1",
        `${kubectl} get pods --output jsonpath='{.items[*].metadata.uid} {.items[*].status.containerStatuses[0].containerID}'`,
      );
    const before = await pods();
    const restore = await takeBackup(cluster);
    await loseMachines(driver, cluster.stack, ["etcd-1"]);
    const restored = await cluster.groundplane(...restore);
    inner.diagnostic(mustSucceed("restore", restored).stdout.trim().split("\n").at(-1) ?? "");
    await stack.isHealthy();
    assert.equal(await pods(), before);
    assert.equal(await on("master-1", `${kubectl} exec deployment/writer-1 -- cat /shared/file`), "written");
    await stack.previewsNoChange();
  });
});
