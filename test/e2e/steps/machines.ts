import assert from "node:assert/strict";
import { isSameQuantity } from "../../../model/observe-object";
import { eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import { apply, type LabUnderTest, type Step, secondsSince, up, waitForReadyNodes } from "../lab-under-test";

/** A machine has what its plan says: Nodes show it, pods are held to it, and pods end in order when it stops. */

const image = "groundplane.internal/busybox:1";
const volume = "/var/lib/groundplane/volumes/data";

const applyAll = (lab: LabUnderTest, ...objects: readonly object[]): Promise<void> =>
  apply(lab, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));

const container = (command: string, more: object = {}) => ({
  ...{ name: "main", image, imagePullPolicy: "IfNotPresent", command: ["sh", "-c", command] },
  ...more,
});

const pod = (name: string, command: string, more: object = {}, spec: object = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
  spec: { terminationGracePeriodSeconds: 1, containers: [container(command, more)], ...spec },
});

const claim = (name: string) => ({
  ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name } },
  spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1Mi" } } },
});

const mounted = (name: string) => ({
  containers: [] as readonly object[],
  volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
});

async function remove({ cluster }: LabUnderTest, ...names: readonly string[]): Promise<void> {
  mustSucceed("delete", await cluster.kubectl("master-1", "delete", "--ignore-not-found", ...names));
}

const show = async ({ cluster }: LabUnderTest, path: string, ...words: readonly string[]): Promise<string> =>
  (await cluster.kubectl("master-1", "get", ...words, "-o", `'jsonpath=${path}'`)).stdout.trim();

async function hasQuantities(
  lab: LabUnderTest,
  node: string,
  of: string,
  ...planned: readonly string[]
): Promise<void> {
  const path = ["cpu", "memory", "ephemeral-storage"].map((name) => `{.status.${of}.${name}}`).join(" ");
  const text = await show(lab, path, "node", node);
  const shown = text.split(" ");
  assert.ok(shown.length === 3 && planned.every((one, index) => isSameQuantity(one, shown[index])), `${node}: ${text}`);
}

export const nodesHaveWhatThePlanSays: Step = async (lab) => {
  for (const node of ["master-1", "master-2", "master-3", "worker-1", "worker-2"]) {
    await hasQuantities(lab, node, "capacity", "2", "2Gi", "20Gi");
    // The reservation of 256 MiB and the eviction threshold of 100 MiB; of the disk, a threshold of 1 GiB.
    await hasQuantities(lab, node, "allocatable", "1900m", "1692Mi", "19Gi");
  }
  const seen = await lab.cluster.onNode(
    "worker-1",
    "nproc; free -m | awk '/^Mem:/ { print $2 }'; df --output=size -BG /var/lib/kubelet | tail -n 1",
  );
  assert.deepEqual(seen.stdout.match(/\d+/g), ["2", "2048", "20"]);
  const other = await lab.cluster.onNode("gateway", "free -m | awk '/^Mem:/ { print $2 }'");
  assert.equal(other.stdout.trim(), "512");
};

export const podsAreHeldToIt: Step = async (lab) => {
  const grow = "sleep 2; tail /dev/zero";
  await applyAll(
    lab,
    pod("too-large", "sleep 3600", { resources: { requests: { memory: "8Gi" } } }),
    pod("neighbour", "sleep 3600", {}, { nodeName: "worker-1" }),
    pod(
      "greedy",
      grow,
      { resources: { limits: { memory: "64Mi" } } },
      { nodeName: "worker-1", restartPolicy: "Never" },
    ),
  );
  const reason = () => show(lab, "{.status.containerStatuses[0].state.terminated.reason}", "pod", "greedy");
  await eventually("the pod over its limit is killed", patienceMs, reason, (text) => text === "OOMKilled");
  assert.equal(
    await show(lab, "{.status.phase} {.status.containerStatuses[0].restartCount}", "pod", "neighbour"),
    "Running 0",
  );
  assert.equal(
    await show(lab, "{.status.phase} {.status.conditions[0].reason}", "pod", "too-large"),
    "Pending Unschedulable",
  );
  await remove(lab, "pod/too-large", "pod/neighbour", "pod/greedy");
};

const writer = "trap 'sleep 5; echo written >/data/last; exit 0' TERM; touch /data/begun; while :; do sleep 0.2; done";
const onClaim = { volumeMounts: [{ name: "data", mountPath: "/data" }] };

/**
 * A pod that needs five seconds to write its last state, first through a reboot of its node, then through a stop. It tolerates a
 * lost node for any time: on a busy machine a reboot takes longer than the time after which Kubernetes evicts pods.
 */
export const podsGetTheirGrace: Step = async (lab, t) => {
  const { volumes } = mounted("grace");
  const spec = {
    terminationGracePeriodSeconds: 20,
    nodeName: "worker-1",
    tolerations: [{ operator: "Exists", effect: "NoExecute" }],
    containers: [container(writer, onClaim)],
    volumes,
  };
  await applyAll(lab, claim("grace"), pod("writer", "", {}, spec));
  const files = () => lab.cluster.onNode("worker-2", `ls ${volume}/*_default_grace`);
  await eventually("it runs", patienceMs, files, ({ stdout }) => /begun/.test(stdout));
  const restarts = () => show(lab, "{.status.phase} {.status.containerStatuses[0].restartCount}", "pod", "writer");

  await lab.cluster.onNode("worker-1", "systemctl --no-wall reboot");
  await eventually("it has written", patienceMs, files, ({ stdout }) => /last/.test(stdout));
  await waitForReadyNodes(lab, 5);
  await eventually("the same pod runs again", patienceMs, restarts, (text) => text === "Running 1");
  mustSucceed("forget", await lab.cluster.onNode("worker-2", `rm ${volume}/*_default_grace/last`));

  const started = performance.now();
  mustSucceed("stop", await lab.cluster.groundplane("stop"));
  t.diagnostic(`stop took ${secondsSince(started)}, of which the pod needs 5 s`);
  mustSucceed("start", await lab.cluster.groundplane("start", "--yes"));
  await waitForReadyNodes(lab, 5);
  await eventually("what it wrote is there", patienceMs, files, ({ stdout }) => /last/.test(stdout));
  await eventually("the same pod runs again", patienceMs, restarts, (text) => text === "Running 2");
  await remove(lab, "pod/writer", "persistentvolumeclaim/grace");
};

/** A StatefulSet's pod waits for its lost node, which the check lost-pods names. A fence moves it with its volume, and the node returns without it. */
export const fencedPodsMove: Step = async (lab, t) => {
  const labels = { app: "database" };
  // It writes where it runs: two nodes at the same time would alternate.
  const command = "while :; do echo $NODE >>/data/nodes; sleep 0.5; done";
  const env = [{ name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }];
  await applyAll(lab, claim("database"), {
    ...{ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "database" } },
    spec: {
      ...{ serviceName: "database", replicas: 1, selector: { matchLabels: labels } },
      template: {
        metadata: { labels },
        spec: { ...mounted("database"), containers: [container(command, { env, ...onClaim })] },
      },
    },
  });
  const place = () => show(lab, "{.spec.nodeName} {.status.phase}", "pod", "database-0");
  const first =
    (await eventually("it runs", patienceMs, place, (text) => /^worker-\d Running$/.test(text))).split(" ")[0] ?? "";
  const machine = { stack: lab.cluster.stack, name: first };

  const refused = await lab.cluster.groundplane("fence", first);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /is running and Ready/);
  await lab.driver.hardKill?.hardKill(machine);
  const leaving = () => show(lab, "{.metadata.deletionTimestamp}", "pod", "database-0");
  await eventually("Kubernetes waits for the lost node", patienceMs, leaving, (text) => text !== "");

  const status = await lab.cluster.groundplane("status", "--json");
  assert.match(status.stdout, new RegExp(`"${first}"[^}]*default/database-0[^"]* wait for its return`));
  const started = performance.now();
  mustSucceed("fence", await lab.cluster.groundplane("fence", first));
  await eventually("it runs elsewhere", patienceMs, place, (text) => /Running$/.test(text) && !text.startsWith(first));
  t.diagnostic(`the fenced pod ran elsewhere after ${secondsSince(started)}`);

  await up(lab);
  await waitForReadyNodes(lab, 5);
  const taints = () => show(lab, "{.spec.taints}", "node", first);
  await eventually("the fence ends", patienceMs, taints, (text) => text === "");
  const nodes = mustSucceed("read", await lab.cluster.onNode("worker-1", `uniq ${volume}/*_default_database/nodes`));
  const second = first === "worker-1" ? "worker-2" : "worker-1";
  assert.deepEqual(nodes.stdout.trim().split("\n"), [first, second], "never on both");
  await remove(lab, "statefulset/database", "persistentvolumeclaim/database");
};
