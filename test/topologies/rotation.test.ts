/**
 * Keys of a running stack are replaced by plain `pulumi up`. Afterwards the former ones fail everywhere:
 * the administrator's certificate and tokens of service accounts at every API server, the SSH key at every node, and nothing in etcd is encrypted
 * with the former key. Every node has another host key, and no other is accepted.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import { type TestContext, test } from "node:test";
import { askMeanwhile, tellGap, up } from "../e2e/lab-under-test";
import { type Credentials, masters, rotatedStack } from "../e2e/rotated-keys";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { secretsOf } from "../support/secret-scan";

/** As when API servers restart for other files. */
const LONGEST_GAP_MS = 6_000;

test("keys are replaced, and the former ones fail", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const rotated = rotatedStack("rotate");
  const { stack, configure, on, credentials, statuses, loginsOf, onlyNewWork } = rotated;
  const { knownHosts, onlyNewHostKeys } = rotated;
  const { kubectl, encryptionInEtcd, configuredKeys } = rotated;
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  /** Every token of the service account is asked of every API server. */
  const statusesOf = async (token: string): Promise<readonly string[]> => {
    const ask = `curl -sk -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer ${token}' https://$NODE_ADDRESS:$API_PORT/api`;
    return Promise.all(masters.map((master) => on(master, `. /etc/groundplane/node.env; ${ask}`)));
  };
  const tokenInSecret = async (): Promise<string> =>
    Buffer.from(await kubectl("get secret kept-token --output jsonpath={.data.token}"), "base64").toString();
  const signerOf = (token: string): string =>
    JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
  const presentSigner = async (): Promise<string> => {
    const key = createPublicKey((await secretsOf(cluster)).get("service-account.key") ?? "");
    return createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("base64url");
  };
  const tokensOfPods = async (node: string): Promise<readonly string[]> => {
    const files = "/var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/token";
    return (await on(node, `for file in ${files}; do [ ! -e $file ] || { cat $file; echo; }; done`)).trim().split("\n");
  };
  /**
   * With their restarts. The worker may get others: a master whose API server restarts slowly on a busy host loses pods, because its
   * kubelet reports to this API server.
   */
  const podsOfWorker = async (): Promise<readonly string[]> => {
    const row = "{.metadata.uid} {.status.containerStatuses[*].restartCount}";
    const selected = "get pods --all-namespaces --field-selector spec.nodeName=worker-1";
    return (await kubectl(`${selected} --output jsonpath='{range .items[*]}${row};{end}'`)).split(";");
  };
  const tokenSecret = JSON.stringify({
    ...{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/service-account-token" },
    metadata: { name: "kept-token", annotations: { "kubernetes.io/service-account.name": "default" } },
  });

  let first: Credentials;
  let second: Credentials;

  await step("a stack of three masters", async () => {
    configure("{}");
    await stack.start();
    first = await credentials();
    assert.deepEqual(await statuses(first), [200]);
    assert.deepEqual(await loginsOf(first), ["accepted"]);
  });

  await step("one up replaces all keys while clients work, and the former ones fail everywhere", async (inner) => {
    await kubectl("create secret generic kept --from-literal=word=rotation");
    await on("master-1", `kubectl --kubeconfig /etc/kubernetes/admin.conf create --filename - <<<'${tokenSecret}'`);
    const stolen = await kubectl("create token default");
    const kept = await eventually("a token in the Secret", patienceMs, tokenInSecret, (token) => token !== "");
    assert.deepEqual([await statusesOf(stolen), await statusesOf(kept)], Array(2).fill(["200", "200", "200"]));
    assert.deepEqual(await encryptionInEtcd(), ["k8s:enc:secretbox:v1:key1:"]);
    const pods = await podsOfWorker();
    const formerHosts = await knownHosts();
    configure("{administrator: 1, ssh-user-key: 1, ssh-host-keys: 1, encryption-key: 1, service-account-key: 1}");
    const client = await askMeanwhile(stack);
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`rotation: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const answered = await client.stop();
    tellGap(inner, "rotation of all keys", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    second = await credentials();
    await onlyNewWork(first, second);
    await onlyNewHostKeys(formerHosts);
    assert.deepEqual(await encryptionInEtcd(), ["k8s:enc:secretbox:v1:key2:"]);
    for (const master of masters) assert.deepEqual(await configuredKeys(master), ["key2"]);
    assert.equal(await kubectl("get secret kept --output jsonpath={.data.word}"), btoa("rotation"));
    assert.deepEqual([await statusesOf(stolen), await statusesOf(kept)], Array(2).fill(["401", "401", "401"]));
    const signer = await presentSigner();
    const renewed = [await kubectl("create token default"), await tokenInSecret()];
    for (const token of renewed) {
      assert.equal(signerOf(token), signer);
      assert.deepEqual(await statusesOf(token), ["200", "200", "200"]);
    }
    for (const node of [...masters, "worker-1"])
      for (const token of await tokensOfPods(node)) assert.equal(signerOf(token), signer, node);
    const later = await podsOfWorker();
    for (const pod of pods) assert.ok(later.includes(pod), `${pod} goes on with its new token`);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("no output of any command shows a key", rotated.noOutputShowsKey);
});
