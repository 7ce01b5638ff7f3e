import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ComponentName } from "../../cloud-init/files/kubernetes/control-plane-components";
import type { ControlPlaneForm } from "../../model/control-planes";
import { releaseOf } from "../../model/releases";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { from, to } from "../support/upgrade-step";
import { clientsDuring, PROBE_MS } from "../support/working-clients";
import { deploy, etcdctl, kubectl, type StackUnderTest, tellGap, up } from "./lab-under-test";
import { seen } from "./planned-image";
import { membersOf } from "./rolled-members";
import type { SmallStack } from "./small-stack";

export { from, to };

/** A stack of the former release, which serves a page from two pods. The images of the next one are built, and it is configured. */
export async function standBeforeUpgrade(stack: SmallStack, configure: (version: string) => void): Promise<void> {
  configure(from);
  await stack.start();
  await deploy(stack, "replicated-page.yaml", "page");
  await stack.isHealthy();
  configure(to);
  mustSucceed("image build", await stack.cluster.groundplane("image", "build"));
}

/** The host has two processors, and other programs run. */
const LONGEST_GAP_MS = 6_000;

/** Runs something while clients read and write the API and read a page of the cluster, and notice no longer gaps. */
export async function whileClientsWork(
  stack: SmallStack,
  t: TestContext,
  pagePort: number,
  run: () => Promise<void>,
  longestMs = { api: LONGEST_GAP_MS, page: LONGEST_GAP_MS },
): Promise<void> {
  const kubeconfig = mustSucceed("kubeconfig", await stack.cluster.groundplane("kubeconfig")).stdout;
  const seen = await clientsDuring({ cluster: stack.cluster, kubeconfig, pagePort }, run);
  t.diagnostic(`took ${seen.seconds.toFixed(1)} s`);
  tellGap(t, `requests to the API every ${PROBE_MS} ms`, seen.api);
  tellGap(t, `requests to the Service every ${PROBE_MS} ms`, seen.page);
  tellGap(t, "writes every 100 ms", seen.writes);
  for (const line of seen.moments) t.diagnostic(line);
  if (seen.failure !== undefined) throw seen.failure;
  assert.deepEqual(seen.writes.lost, [], "every acknowledged write is there");
  assert.ok(seen.api.longestGapMs <= longestMs.api, `no response for ${seen.api.longestGapMs} ms`);
  assert.ok(seen.page.longestGapMs <= longestMs.page, `no page for ${seen.page.longestGapMs} ms`);
}

/** Moves nodes by `up`, or by several of them, as the same machines. */
export async function upgrade(
  stack: SmallStack,
  nodes: readonly string[],
  run: () => Promise<unknown> = () => up(stack),
): Promise<void> {
  const before = await Promise.all(nodes.map((name) => seen(stack, name)));
  await run();
  for (const [index, name] of nodes.entries()) {
    const { image, ...rest } = await seen(stack, name);
    const { image: former, ...same } = before[index] ?? assert.fail(name);
    assert.notEqual(image, former, name);
    assert.deepEqual(rest, same, name);
  }
}

/**
 * Every program has the version of the release, and the stack is healthy.
 *
 * @param asked a master
 * @param count of the Nodes
 */
export async function isUpgraded(
  stack: SmallStack,
  asked: string,
  count: number,
  form: ControlPlaneForm = "static-pods",
): Promise<void> {
  await runsNextRelease(stack, asked, count, form);
  await stack.isHealthy();
  await stack.previewsNoChange();
}

const ofControlPlane: readonly ComponentName[] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/**
 * Every program has the version of the release. Those of services are in no pod. `up` waits until all pods of the add-ons are of the next release; the last
 * ones of the former release may still end then, as CoreDNS does for seconds.
 */
export async function runsNextRelease(
  { cluster }: Pick<StackUnderTest, "cluster">,
  asked: string,
  count: number,
  form: ControlPlaneForm = "static-pods",
): Promise<void> {
  const release = releaseOf(to);
  const on = async (command: string) => mustSucceed(command, await cluster.onNode(asked, command)).stdout.trim();
  const kubelets = await on(`${kubectl} get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'`);
  assert.deepEqual(
    kubelets.split(" "),
    Array.from({ length: count }, () => `v${to}`),
  );
  const pods = `${kubectl} get pods -A -o go-template='${ofPods}'`;
  const isOfEnding = (line: string) => line.startsWith("ending ");
  const lines = await eventually(
    "the pods of the former release end",
    patienceMs,
    async () => (await on(pods)).split("\n"),
    (seen) => !seen.some(isOfEnding),
  );
  const images = lines.join(" ");
  for (const program of ["kube-proxy", ...(form === "services" ? [] : ofControlPlane)]) {
    assert.ok(images.includes(`${program}:v${to}`), `${program} in ${images}`);
    assert.ok(!images.includes(`${program}:v${from}`), `${program} in ${images}`);
  }
  assert.ok(images.includes(`coredns:v${release.coredns}`) && !images.includes(`v${releaseOf(from).coredns}`), images);
  const configuration = await on(`${kubectl} get configmap -n kube-system kubeadm-config -o jsonpath={.data}`);
  assert.ok(configuration.includes(`v${to}`) && !configuration.includes(`v${from}`), configuration);
}

/** A line for each pod: whether it is ending, and its images. */
const ofPods =
  '{{range .items}}{{if .metadata.deletionTimestamp}}ending {{end}}{{range .spec.containers}}{{.image}} {{end}}{{"\\n"}}{{end}}';

/** The programs of all services of control planes have the version of the release. */
export async function servicesRunNextRelease({ cluster }: SmallStack, masters: readonly string[]): Promise<void> {
  for (const master of masters)
    for (const name of ofControlPlane) {
      // That of the process, not of the file that the next one would run.
      const ask = `/proc/$(systemctl show --value --property=MainPID ${name})/exe --version`;
      const { stdout } = mustSucceed(ask, await cluster.onNode(master, ask));
      assert.equal(stdout.trim(), `Kubernetes v${to}`, `${name} of ${master}`);
    }
}

/** These are the members of etcd, and each has the version of the release. */
export async function membersHaveNextRelease(stack: SmallStack, members: readonly string[]): Promise<void> {
  const [asked = ""] = members;
  assert.deepEqual(Object.keys(await membersOf(stack, asked)).sort(), members);
  const ask = etcdctl("endpoint status --cluster --write-out=simple");
  const status = mustSucceed("etcdctl", await stack.cluster.onNode(asked, ask)).stdout.trim();
  assert.deepEqual(
    status.split("\n").map((line) => line.split(", ")[2] ?? line),
    members.map(() => releaseOf(to).etcd),
  );
}
