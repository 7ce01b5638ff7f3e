import assert from "node:assert/strict";
import { mustSucceed } from "../../support/cluster-under-test";
import { kubectl, type LabUnderTest, type Step } from "../lab-under-test";

/** From a pod on worker-2. The same flow from the worker itself passes where the firewall lists it. */
const attempts: readonly { readonly to: string; readonly port: number; readonly passes: boolean }[] = [
  { to: "192.168.58.12", port: 22, passes: false },
  { to: "192.168.58.12", port: 10250, passes: false },
  { to: "192.168.58.11", port: 22, passes: false },
  { to: "192.168.58.11", port: 10250, passes: false },
  { to: "192.168.57.11", port: 10250, passes: false },
  { to: "192.168.57.11", port: 2379, passes: false },
  { to: "192.168.60.11", port: 24007, passes: false },
  { to: "192.168.60.11", port: 49152, passes: false },
  { to: "192.168.57.11", port: 6443, passes: true },
  { to: "192.168.56.10", port: 6443, passes: true },
];

const inPod = ({ cluster }: LabUnderTest, command: string) =>
  cluster.kubectl("master-1", "exec", "deployment/client", "--", "sh", "-c", `'${command}'`);

export const podsReachNoManagement: Step = async (lab) => {
  const each = attempts.map(
    ({ to, port }) => `if nc -w 3 ${to} ${port} -e true >/dev/null 2>&1; then echo yes; else echo no; fi`,
  );
  const { stdout } = mustSucceed("connect", await inPod(lab, each.join("; ")));
  const seen = stdout.trim().split("\n");
  assert.deepEqual(
    attempts.map(({ to, port }, index) => ({ to, port, passes: seen[index] === "yes" })),
    attempts.map(({ to, port, passes }) => ({ to, port, passes })),
  );
};

export const podsAreConfined: Step = async (lab) => {
  // 2: system calls pass a filter.
  const status = mustSucceed("status", await inPod(lab, "grep Seccomp: /proc/1/status"));
  assert.equal(status.stdout.trim().split(/\s+/)[1], "2");
  const id = ["get", "pods", "-l", "app=client", "-o", "jsonpath={.items[0].metadata.uid}"];
  const uid = mustSucceed("uid", await lab.cluster.kubectl("master-1", ...id)).stdout.trim();
  const limit = mustSucceed(
    "limit",
    await lab.cluster.onNode("worker-2", `cat $(find /sys/fs/cgroup -path '*kubepods*/pod${uid}/pids.max')`),
  );
  assert.equal(limit.stdout.trim(), "4096");
};

const privileged = JSON.stringify({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "door", namespace: "opened" } },
  spec: {
    containers: [{ name: "door", image: "groundplane.internal/busybox:1", securityContext: { privileged: true } }],
  },
});

/** The benchmark's controls show that pods in a namespace without a label are refused. */
export const labelReplacesTheDefault: Step = async ({ cluster }) => {
  const create = () => cluster.onNode("master-1", `echo '${privileged}' | ${kubectl} create --dry-run=server -f -`);
  mustSucceed("namespace", await cluster.kubectl("master-1", "create", "namespace", "opened"));
  try {
    const refused = await create();
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /violates PodSecurity "baseline:latest"/);
    const label = "pod-security.kubernetes.io/enforce=privileged";
    mustSucceed("label", await cluster.kubectl("master-1", "label", "namespace", "opened", label));
    mustSucceed("create", await create());
  } finally {
    await cluster.kubectl("master-1", "delete", "namespace", "opened");
  }
};
