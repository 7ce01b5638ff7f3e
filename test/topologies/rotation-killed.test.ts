/** Rotations of keys whose provider is killed in the middle go on with the next `pulumi up`, and commands reach every node in between. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { secondsSince, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { type Credentials, masters, nodes, rotatedStack } from "../e2e/rotated-keys";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";

test("keys are replaced after kills in the middle", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const rotated = rotatedStack("rotkill");
  const { stack, configure, on, kubectl, credentials, tryKey, onlyNewWork } = rotated;
  const { encryptionInEtcd, configuredKeys, knownHosts, presentedKey, onlyNewHostKeys, presenting } = rotated;
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  /** `groundplane ssh`, which reads the stack's outputs each time. */
  const fresh = (node: string, command: string) =>
    cluster.run([process.execPath, "cli/groundplane.cjs", "ssh", "--stack", cluster.stack, node, "--", command]);
  const beginUp = () => cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive");
  const reachAll = async (): Promise<void> => {
    for (const name of nodes) mustSucceed(`ssh ${name}`, await fresh(name, "true"));
  };
  /** Begins an `up`, and kills its provider in the middle: then commands still reach every node. */
  const killAt = async (moment: string, isReached: () => Promise<boolean>): Promise<void> => {
    const rolling = beginUp();
    await eventually(moment, patienceMs, isReached, (yes) => yes);
    await killProviders(stack.project).catch(async () => assert.fail(`up has ended: ${(await rolling).stdout}`));
    assert.notEqual((await rolling).exitCode, 0, moment);
    await reachAll();
  };
  /** The same at the moment when `up` prints such a line, for what takes less time than a command that looks at a node. */
  const killAtLine = async (pattern: RegExp): Promise<void> => {
    let killed: Promise<unknown> | undefined;
    const stopListening = cluster.onLine((line) => {
      if (pattern.test(line)) killed ??= killProviders(stack.project).catch((error: unknown) => error);
    });
    const { exitCode, stdout } = await beginUp().finally(stopListening);
    assert.notEqual(exitCode, 0, stdout);
    assert.ok(killed, `no line like ${pattern}: ${stdout}`);
    assert.equal(await killed, undefined, stdout);
    await reachAll();
  };

  let former: Credentials;
  let formerHosts: string;

  await step("a stack of three masters with a Secret", async () => {
    configure("{}");
    await stack.start();
    former = await credentials();
    await kubectl("create secret generic kept --from-literal=word=rotation");
    assert.deepEqual(await encryptionInEtcd(), ["k8s:enc:secretbox:v1:key1:"]);
  });

  await step("rotations that are killed in the middle go on", async (inner) => {
    const clients = () => on("master-1", "cat /etc/kubernetes/api-server/clients.crt");
    const before = await clients();
    configure("{administrator: 1}");
    await killAt("master-1 accepts both certificates", async () => (await clients()) !== before);
    configure("{administrator: 1, ssh-user-key: 1, encryption-key: 1}");
    await on("gateway", "true");
    // The gateway is the first node that gets the new key.
    const deniesFormer = async () => (await tryKey("gateway", former)) === "denied";
    await killAt("the gateway accepts the new SSH key only", deniesFormer);
    await killAt("master-2 encrypts with the new key", async () => (await configuredKeys("master-2"))[0] === "key2");
    assert.deepEqual((await configuredKeys("master-3")).includes("key2"), true, "all masters read it before");
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`the last up took ${secondsSince(started)}`);
    await onlyNewWork(former, await credentials());
    assert.deepEqual(await encryptionInEtcd(), ["k8s:enc:secretbox:v1:key2:"]);
    assert.equal(await kubectl("get secret kept --output jsonpath={.data.word}"), btoa("rotation"));
    for (const master of masters) assert.deepEqual(await configuredKeys(master), ["key2"]);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("nodes are reached while some have their new host keys and others the former ones", async () => {
    formerHosts = await knownHosts();
    for (const node of ["gateway", "worker-1"])
      await on(
        node,
        "cp /etc/ssh/ssh_host_ed25519_key /root/former-key && ssh-keygen -qt ed25519 -N '' -f /root/other-key",
      );
    configure("{administrator: 1, ssh-user-key: 1, encryption-key: 1, ssh-host-keys: 1}");
    await killAtLine(/NodeFiles gateway-files updated/);
    const withFormerKey: string[] = [];
    for (const node of nodes) if (formerHosts.includes(await presentedKey(node))) withFormerKey.push(node);
    assert.ok(!withFormerKey.includes("gateway"));
    assert.ok(withFormerKey.length > 0, "the rotation has not ended");
    mustSucceed("snapshot", await cluster.groundplane("snapshot", "create", "between"));
    mustSucceed("stop", await cluster.groundplane("stop"));
    await stack.start();
    await onlyNewHostKeys(formerHosts);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("former disks bring former host keys back, until the next up has replaced them again", async () => {
    mustSucceed("restore", await cluster.groundplane("snapshot", "restore", "between", "--yes"));
    for (const name of nodes) mustSucceed(`ssh ${name}`, await fresh(name, "true"));
    assert.match((await cluster.pulumi("preview")).stdout, /gateway-host-key +update/);
    await up(stack);
    await onlyNewHostKeys(formerHosts);
    await stack.previewsNoChange();
  });

  await step("neither a former host key nor another one is accepted", async () => {
    for (const node of ["worker-1", "gateway"])
      for (const key of ["/root/former-key", "/root/other-key"])
        await presenting(node, key, async () => {
          const { exitCode, stderr } = await fresh("worker-1", "true");
          assert.notEqual(exitCode, 0, `${key} of ${node}`);
          assert.match(stderr, /Host key verification failed/);
          const { stdout } = await cluster.pulumi("preview");
          assert.match(stdout, /worker-1 cannot be reached: .*its SSH host key SHA256:\S+ is not the node's/);
        });
    await stack.previewsNoChange();
  });

  await step("no output of any command shows a key", rotated.noOutputShowsKey);
});
