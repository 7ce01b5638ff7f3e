/** Two servers and the gateway's vote, on real machines: either server may die, and reads and writes go on. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { etcdctl, up } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { mustSucceed, patienceMs } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { nspawnSkipReason } from "../support/nspawn-host";
import { assertOutages, verifyStack } from "../support/verify-stack";

/** The targets are for idle cores, and other tests run beside this one. */
const LONGEST_GAP_MS = 15_000;

test("two servers", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("pair");
  const { cluster, driver, isHealthy, previewsNoChange } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;
  const members = async (asked: string): Promise<readonly string[]> => {
    const rows = (await on(asked, etcdctl("member list --write-out=simple"))).trim().split("\n");
    return rows.map((row) => row.split(", ")[2] ?? "").sort();
  };

  await step("start creates the example, and status finds it healthy", async () => {
    stack.configure(stringify({ ...exampleSettings("pair"), driver: "nspawn" }));
    await stack.start();
    assert.deepEqual(await members("gateway"), ["gateway", "master-1", "master-2"]);
    await isHealthy();
  });

  await step("each program listens where the plan says", async () => {
    for (const [index, name] of ["master-1", "master-2"].entries()) {
      const listening = await on(
        name,
        "ss -Hltnp 'sport = :6443' | awk '{ print $4, $6 }' | sed 's/[,(].*//' | sort -u",
      );
      const own = (await on(name, "ss -Hltnp 'sport = :6443'")).split("\n");
      const at = (program: string) =>
        own.filter((line) => line.includes(`"${program}"`)).map((line) => line.trim().split(/ +/)[3]);
      assert.deepEqual([...new Set(at("haproxy"))].sort(), ["127.0.0.1:6443", "192.168.56.10:6443"], listening);
      assert.deepEqual([...new Set(at("kube-apiserver"))], [`192.168.56.1${index + 1}:6443`], listening);
    }
  });

  await step("pods run on both servers", async () => {
    const kubectl = (...words: string[]) => cluster.kubectl("master-1", ...words);
    const taints = mustSucceed("taints", await kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.taints}"));
    assert.equal(taints.stdout.trim(), "");
  });

  await step("either server and the gateway lose their power, and reads and writes go on", async (inner) => {
    const results = await verifyStack(cluster, inner, ["server-kill", "witness-kill"]);
    const ofServers = ["api-gap", "holder-api-gap", "write-gap", "lost-writes"];
    const names = [...ofServers, "read-gap", "write-gap", "moved", "recovery", "lost-writes"];
    assert.deepEqual(
      results.map(({ name }) => name),
      names,
    );
    assertOutages(results, ({ name }) => (name === "recovery" ? patienceMs : LONGEST_GAP_MS));
  });

  await step("the guard keeps a majority, and a server is replaced on demand", async () => {
    const exported = mustSucceed("export", await cluster.pulumi("stack", "export")).stdout;
    const urnOf = (name: string): string =>
      new RegExp(`"urn": "([^"]*index:Machine::${name})"`).exec(exported)?.[1] ?? "";
    const generation = async () =>
      (await driver.inspectMachine({ stack: cluster.stack, name: "master-2" }))?.generation;
    const before = await generation();
    await up(stack, "--replace", urnOf("master-2"));
    assert.notEqual(await generation(), before);
    assert.deepEqual(await members("gateway"), ["gateway", "master-1", "master-2"]);
    await isHealthy();
    await previewsNoChange();
  });
});
