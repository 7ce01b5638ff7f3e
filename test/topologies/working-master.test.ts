/**
 * A master that runs pods, NodePorts from other segments and from the host, and the modes of kube-proxy, on one small stack that
 * changes while it serves a page.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { countsOf, deploy, nodesOfApp, secondsSince, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { type ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort, page } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";

interface Settings {
  readonly port: number;
  readonly isWorking: boolean;
  readonly workers: number;
  readonly kubeProxy: "nftables" | "iptables";
}

const dataCenter = ({ port, isWorking, workers, kubeProxy }: Settings): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1, roles: [${isWorking ? "worker" : ""}]}
  workers: {count: ${workers}}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}
network:
  flows:
    - {from: storage, to: worker, ports: [30000-32767]}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {fastProbes: true, keepDataDisks: false, kubeProxy: ${kubeProxy}}
`;

const master = "192.168.57.11";
const worker = "192.168.58.11";

test("a master that works", { skip: nspawnSkipReason(), timeout: 15 * 60_000 }, async (t) => {
  const stack = smallStack("work");
  const { cluster, previewsNoChange } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  let settings: Settings = { port: await freePort(), isWorking: true, workers: 0, kubeProxy: "nftables" };
  const configure = (change: Partial<Settings>): void => {
    settings = { ...settings, ...change };
    stack.configure(dataCenter(settings));
  };

  const fromHost = () => page(settings.port);
  const showsNode = (node: string) => eventually(`the page of ${node}`, patienceMs, fromHost, (text) => text === node);
  const nodeText = async (query: string): Promise<string> =>
    mustSucceed(query, await cluster.kubectl("master-1", "get", "node", "master-1", "-o", `'jsonpath={${query}}'`))
      .stdout;
  const isMounted = async (node: string): Promise<boolean> =>
    (await cluster.onNode(node, "grep -q ' /var/lib/groundplane/volumes/data fuse.glusterfs ' /proc/self/mounts"))
      .exitCode === 0;

  await step("it is the only Node and runs a pod with a claim", async (inner) => {
    configure({});
    const started = performance.now();
    await stack.start();
    inner.diagnostic(`start took ${secondsSince(started)}`);
    assert.equal(await nodeText(".spec.taints"), "");
    assert.doesNotMatch(await nodeText(".metadata.labels"), /exclude-from-external-load-balancers/);
    await deploy(stack, "node-port-page.yaml", "page");
    await stack.isHealthy();
    await previewsNoChange();
  });

  await step("its NodePort answers the host, and a segment that the configuration lists", async () => {
    await showsNode("master-1");
    const asked = async (from: string) =>
      (await cluster.onNode(from, `curl -s -m 5 http://${master}:30080`)).stdout.trim();
    assert.equal(await asked("storage-1"), "master-1");
    assert.equal(await asked("balancer-1"), "master-1");
  });

  for (const kubeProxy of ["iptables", "nftables"] as const) {
    await step(`kube-proxy changes to ${kubeProxy} and leaves no rule of the other mode`, async (inner) => {
      configure({ kubeProxy });
      const client = watch(settings.port);
      try {
        assert.doesNotMatch(countsOf(await up(stack)), /created|replaced|deleted/);
        const rules = () => kubeProxyRules(cluster);
        await eventually(`rules of ${kubeProxy}`, patienceMs, rules, (found) => found === kubeProxy);
        await showsNode("master-1");
      } finally {
        inner.diagnostic(`longest time without the page: ${await client.stop()} ms`);
      }
      await previewsNoChange();
    });
  }

  await step("one up adds a worker and closes the master, whose pod moves with its volume", async () => {
    configure({ isWorking: false, workers: 1 });
    mustSucceed("preview", await cluster.groundplane("preview"));
    await up(stack);
    await waitForReadyNodes(stack, 2);
    await showsNode("worker-1");
    assert.match(await nodeText(".spec.taints"), /node-role\.kubernetes\.io\/control-plane/);
    assert.equal(await nodeText(".spec.unschedulable"), "");
    assert.equal(await isMounted("master-1"), false);
    await stack.isHealthy();
    await previewsNoChange();
  });

  await step("the master works again, and its NodePort answers while the worker is dead", async (inner) => {
    configure({ isWorking: true });
    await up(stack);
    assert.equal(await isMounted("master-1"), true);
    const asked = await cluster.onNode("storage-1", `curl -s -m 5 http://${worker}:30080`);
    assert.equal(asked.stdout.trim(), "worker-1", "a worker answers other segments as well");
    mustSucceed("cordon", await cluster.kubectl("master-1", "cordon", "worker-1"));
    mustSucceed("restart", await cluster.kubectl("master-1", "rollout", "restart", "deployment/page"));
    // While the former pod ends, the master's kube-proxy may still forward to it.
    const nodes = () => nodesOfApp(stack, "page");
    await eventually("the page only on master-1", patienceMs, nodes, (found) => found === "master-1");
    await showsNode("master-1");
    await stack.driver.hardKill?.hardKill({ stack: cluster.stack, name: "worker-1" });
    await everyAnswerIs(settings.port, "master-1", inner);
  });
});

/** Asks for the page until it is stopped, and then tells the longest time without it in milliseconds. */
function watch(port: number): { stop(): Promise<number> } {
  let isStopped = false;
  let longestMs = 0;
  const ended = (async () => {
    for (let last = performance.now(); !isStopped; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if ((await page(port)) === "") continue;
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await ended;
      return Math.round(longestMs);
    },
  };
}

/** A connection attempt to the dead worker goes on to another one. */
async function everyAnswerIs(port: number, node: string, t: TestContext): Promise<void> {
  const slowest: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    const started = performance.now();
    assert.equal(await page(port), node);
    slowest.push(Math.round(performance.now() - started));
  }
  t.diagnostic(`slowest of 20 answers after the worker's death: ${Math.max(...slowest)} ms`);
}

/** The modes of which the master has rules, joined. The kubelet has chains of its own. */
async function kubeProxyRules(cluster: ClusterUnderTest): Promise<string> {
  const nftables = "nft list tables | grep -q kube-proxy && echo nftables";
  const iptables = "iptables-save | grep -Eq '^:KUBE-(SERVICES|NODEPORTS|SVC-|SEP-|PROXY-|FORWARD)' && echo iptables";
  const { stdout } = await cluster.onNode("master-1", `${nftables}; ${iptables}; true`);
  return stdout.trim().split("\n").join(" and ");
}
