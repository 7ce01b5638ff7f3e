import assert from "node:assert/strict";
import { type CommandOutput, eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import { apply, type LabUnderTest, type Step, supportFile } from "../lab-under-test";

const inPod = ({ cluster }: LabUnderTest, pod: string, command: string): Promise<CommandOutput> =>
  cluster.kubectl("master-1", "-n", "features", "exec", pod, "--", "sh", "-c", `'${command}'`);

/** What pods see of a feature, and what they must see. */
const features: readonly (readonly [pod: string, command: string, seen: RegExp])[] = [
  // Root of the pod is another user of the node, who owns what it writes.
  ["own-users", "cat /proc/self/uid_map", /^\s*0\s+[1-9]\d*\s+65536$/],
  ["own-users", "touch /scratch/file && stat -c %u /scratch/file", /^0$/],
  ["image-volume", "test -x /image/usr/bin/busybox && echo yes", /^yes$/],
  ["strict-groups", "grep ^Groups: /proc/self/status", /^Groups:\s+1000 2000$/],
  ["read-only-mounts", "touch /host/lock/file 2>&1 || true", /Read-only file system/],
];

export const newestPodFeaturesWork: Step = async (lab) => {
  await apply(lab, supportFile("pod-features.yaml"));
  const wait = ["-n", "features", "wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s"];
  mustSucceed("pods with features", await lab.cluster.kubectl("master-1", ...wait));
  for (const [pod, command, seen] of features)
    assert.match(mustSucceed(pod, await inPod(lab, pod, command)).stdout.trim(), seen, pod);
  const names = mustSucceed("crictl", await lab.cluster.onNode("worker-1", "crictl pods --output json")).stdout;
  assert.match(names, /"host-page"/);
};

const policy = JSON.stringify({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "closed" } },
  spec: { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"] },
});

/** Uses the Service and the client of an earlier step. */
export const networkPolicyIsEnforced: Step = async (lab) => {
  const { cluster } = lab;
  const ask = () =>
    cluster.kubectl("master-1", "exec", "deployment/client", "--", "wget", "-qO-", "-T", "2", "http://web");
  mustSucceed("without a policy", await ask());
  await apply(lab, policy);
  await eventually("the policy's refusal", patienceMs, ask, ({ exitCode }) => exitCode !== 0);
  // The kubelet's probes still pass.
  const ready = ["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"];
  assert.equal(mustSucceed("ready", await cluster.kubectl("master-1", ...ready)).stdout, "1");
  mustSucceed("delete", await cluster.kubectl("master-1", "delete", "networkpolicy", "closed"));
  await eventually("an answer without the policy", patienceMs, ask, ({ exitCode }) => exitCode === 0);
};

export const everyNodeReachesEveryNode: Step = async (lab) => {
  const { cluster } = lab;
  const get = (from: string, url: string) => cluster.onNode(from, `curl -s -m 5 ${url}`);
  // The API server's proxy reaches a pod on the host network of a worker, as it reaches webhooks and metrics there.
  const proxied = ["get", "--raw", "/api/v1/namespaces/features/pods/host-page:8099/proxy/"];
  assert.equal(mustSucceed("proxy", await cluster.kubectl("master-1", ...proxied)).stdout.trim(), "host-page");
  const patch = ["patch", "service", "web", "--type=merge", "-p", `'{"spec":{"type":"NodePort"}}'`];
  mustSucceed("NodePort", await cluster.kubectl("master-1", ...patch));
  const port = ["get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}"];
  const nodePort = mustSucceed("port", await cluster.kubectl("master-1", ...port)).stdout;
  for (const [from, to] of [
    ["worker-2", "192.168.57.12"],
    ["master-2", "192.168.58.12"],
  ] as const) {
    const asked = () => get(from, `http://${to}:${nodePort}`);
    await eventually(`${from} to ${to}`, patienceMs, asked, ({ stdout }) => stdout.trim() === "worker-1");
  }
  const address = ["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].status.podIP}"];
  const pod = mustSucceed("address", await cluster.kubectl("master-1", ...address)).stdout;
  assert.equal((await get("master-2", `http://${pod}:8080`)).stdout.trim(), "worker-1");
  mustSucceed("delete", await cluster.kubectl("master-1", "delete", "namespace", "features", "--wait=false"));
};
