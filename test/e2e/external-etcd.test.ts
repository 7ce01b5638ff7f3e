/**
 * etcd on machines of its own: who reaches it, and what the loss, replacement and number of its machines mean. The stack has the
 * options that the lab does not have: nginx, keepalived, iptables, masters that run pods, and Docker where cri-dockerd can be had.
 */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ContainerRuntimeName } from "../../model/container-runtimes";
import { mustSucceed } from "../support/cluster-under-test";
import { missingDockerPart } from "../support/docker-part";
import { nspawnSkipReason } from "../support/nspawn-host";
import { assertOutages, verifyStack } from "../support/verify-stack";
import { etcdctl, up } from "./lab-under-test";
import { smallStack } from "./small-stack";

/**
 * The targets are for idle cores, and other tests run beside this one. Without the masters' proxies, an API server would wait for a
 * silent member for ten seconds.
 */
const LONGEST_GAP_MS = 6_000;

const settings = (etcd: number, runtime: ContainerRuntimeName): string => `driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: ${etcd === 0 ? 3 : 2}, roles: [worker]}
  etcd: {count: ${etcd}}
  workers: {count: 1}
options: {balancer: nginx, failoverBy: keepalived, kubeProxy: iptables, runtime: ${runtime}}
`;

test("etcd on machines of its own", { skip: nspawnSkipReason(), timeout: 30 * 60_000 }, async (t) => {
  const stack = smallStack("etcd");
  const { cluster, driver, isHealthy } = stack;
  const missing = await missingDockerPart();
  if (missing !== undefined) t.diagnostic(`containerd instead of Docker: ${missing}`);
  const configure = (etcd: number): void =>
    stack.configure(settings(etcd, missing === undefined ? "docker" : "containerd"));
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  /** Names of the voting members that etcd has and that respond. */
  const members = async (asked = "etcd-1"): Promise<readonly string[]> => {
    const list = mustSucceed("members", await cluster.onNode(asked, etcdctl("member list --write-out=simple")));
    const health = await cluster.onNode(asked, etcdctl("endpoint health --cluster"));
    const rows = list.stdout.trim().split("\n");
    assert.equal((health.stdout + health.stderr).match(/is healthy/g)?.length, rows.length);
    return rows.flatMap((row) => (row.endsWith(", false") ? [row.split(", ")[2] ?? ""] : [])).sort();
  };
  const generationOf = async (name: string) =>
    (await driver.inspectMachine({ stack: cluster.stack, name }))?.generation;
  const names = (count: number) => Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);

  await step("start creates the stack, and status finds it healthy", async () => {
    configure(3);
    await stack.start();
    assert.deepEqual(await members(), names(3));
    await isHealthy();
  });

  await step("only API servers reach etcd, and masters cannot issue certificates for it", async () => {
    const passes = async (from: string, port: number): Promise<boolean> =>
      (await cluster.onNode(from, `timeout 2 bash -c ': </dev/tcp/192.168.61.11/${port}'`)).exitCode === 0;
    assert.deepEqual(await Promise.all([passes("master-1", 2379), passes("master-1", 2380), passes("master-1", 22)]), [
      true,
      false,
      false,
    ]);
    assert.deepEqual(await Promise.all([passes("worker-1", 2379), passes("balancer-1", 2379)]), [false, false]);
    const keys = mustSucceed(
      "keys",
      await cluster.onNode("master-1", "ls /etc/kubernetes/pki /etc/kubernetes/pki/etcd"),
    );
    assert.doesNotMatch(keys.stdout, /etcd:\n(?:.*\n)*ca\.key/);
    const open = mustSucceed("ports", await cluster.onNode("etcd-1", "ss -Hltn | awk '{ print $4 }'")).stdout;
    assert.doesNotMatch(open, /:10250$/m, "the kubelet serves nothing");
  });

  await step("an etcd machine that loses its power costs no write", async (inner) => {
    const results = await verifyStack(cluster, inner, ["etcd-kill"]);
    assert.deepEqual(
      results.map(({ name }) => name),
      ["api-gap", "write-gap", "lost-writes"],
    );
    assertOutages(results, () => LONGEST_GAP_MS);
  });

  await step("an etcd machine is replaced on demand", async () => {
    const before = await generationOf("etcd-1");
    const exported = mustSucceed("export", await cluster.pulumi("stack", "export")).stdout;
    const urn = /"urn": "([^"]*index:Machine::etcd-1)"/.exec(exported)?.[1];
    assert.ok(urn, "no etcd-1 in the state");
    await up(stack, "--replace", urn);
    assert.notEqual(await generationOf("etcd-1"), before);
    assert.deepEqual(await members("etcd-2"), names(3));
  });

  await step("one up adds two etcd machines, and another removes them", async () => {
    for (const count of [5, 3]) {
      configure(count);
      assert.doesNotMatch((await up(stack)).stdout, /index:Machine .*replaced/);
      assert.deepEqual(await members(), names(count));
    }
    await isHealthy();
  });

  await step("etcd stays where it is", async () => {
    configure(0);
    const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(exitCode, 0);
    assert.match(
      (stdout + stderr).replaceAll(/\s+/g, " "),
      /the cluster's data is on etcd-1, etcd-2, etcd-3 and cannot move to the masters/,
    );
    configure(3);
  });
});
