/**
 * Keys of a running stack are replaced by plain `pulumi up`, also after a kill in the middle. Afterwards the former ones fail everywhere:
 * the administrator's certificate and tokens of service accounts at every API server, the SSH key at every node, and nothing in etcd is encrypted
 * with the former key.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { apiConnectionIn, clusterApi } from "../../guests/cluster-api";
import { sshWords } from "../../guests/ssh-files";
import { askMeanwhile, etcdctl, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { secretsOf } from "../support/secret-scan";

const dataCenter = (rotate: string): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: 1}
options: {fastProbes: true, podGraceSeconds: 5}
secrets: {rotate: ${rotate}}
`;

const masters = ["master-1", "master-2", "master-3"];
const nodes = ["gateway", "balancer-1", ...masters, "worker-1"];
/** The balancer spreads them over all masters. */
const REQUESTS = 15;
/** As when API servers restart for other files. */
const LONGEST_GAP_MS = 6_000;

interface Credentials {
  readonly kubeconfig: string;
  readonly sshKey: string;
}

test("keys are replaced, and the former ones fail", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("rotate");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  const credentials = async (): Promise<Credentials> => {
    const output = async (name: string) =>
      mustSucceed(name, await cluster.pulumi("stack", "output", name, "--show-secrets")).stdout;
    return { kubeconfig: await output("kubeconfig"), sshKey: await output("sshPrivateKey") };
  };
  /** Each request has its own connection. */
  const statuses = async ({ kubeconfig }: Credentials): Promise<readonly number[]> => {
    const seen = new Set<number>();
    for (let request = 0; request < REQUESTS; request++) {
      const api = clusterApi(apiConnectionIn(kubeconfig));
      seen.add((await api.request("GET", "/api/v1/namespaces/kube-system/secrets")).status);
      api.close();
    }
    return [...seen];
  };
  /** Over a connection of its own, with files that `groundplane ssh` has written, and no other key. */
  const tryKey = async (node: string, { sshKey }: Credentials): Promise<string> => {
    const folder = path.join(cluster.project.data, "stacks", cluster.stack, "ssh");
    const key = path.join(folder, "tried");
    fs.writeFileSync(key, sshKey, { mode: 0o600 });
    const others = fs.readFileSync(path.join(folder, "config"), "utf8").replaceAll(/^ *IdentityFile .*\n/gm, "");
    const [config, throughGateway] = ["tried-config", "config"].map((name) => path.join(folder, name));
    fs.writeFileSync(config as string, `${others}  IdentityFile "${key}"\n`);
    // The gateway is reached with the present key, so that only the node itself decides.
    assert.ok(others.includes(throughGateway as string));
    const { exitCode, stderr } = await cluster.run(sshWords(config as string, node, ["true"]));
    return exitCode === 0 ? "accepted" : /Permission denied/.test(stderr) ? "denied" : stderr;
  };
  const login = async (node: string, tried: Credentials): Promise<string> => {
    await on("gateway", "true"); // writes the files of ssh
    return tryKey(node, tried);
  };
  const loginsOf = async (tried: Credentials): Promise<readonly string[]> => {
    const seen = [];
    for (const node of nodes) seen.push(await login(node, tried));
    return [...new Set(seen)];
  };
  const onlyNewWork = async (former: Credentials, now: Credentials): Promise<void> => {
    assert.deepEqual(await statuses(now), [200]);
    assert.deepEqual(await statuses(former), [401]);
    assert.deepEqual(await loginsOf(now), ["accepted"]);
    assert.deepEqual(await loginsOf(former), ["denied"]);
  };

  const kubectl = async (command: string): Promise<string> =>
    (await on("master-1", `kubectl --kubeconfig /etc/kubernetes/admin.conf ${command}`)).trim();
  /** The beginnings of all encrypted Secrets in etcd, which name their keys. */
  const encryptionInEtcd = async (): Promise<readonly string[]> => {
    const values = `${etcdctl("get --prefix /registry/secrets/ --print-value-only")} | tr -cs '[:print:]' '\\n'`;
    const found = await on("master-1", `${values} | grep -o '^k8s:enc:secretbox:v1:[a-z0-9]*:' | sort -u`);
    return found.trim().split("\n");
  };
  const configuredKeys = async (master: string): Promise<readonly string[]> => {
    const file = "/etc/kubernetes/api-server/encryption-configuration.yaml";
    return [...(await on(master, `grep name: ${file}`)).matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
  };
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
    stack.configure(dataCenter("{}"));
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
    stack.configure(dataCenter("{administrator: 1, ssh-user-key: 1, encryption-key: 1, service-account-key: 1}"));
    const client = askMeanwhile(stack);
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`rotation: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const answered = await client.stop();
    tellGap(inner, "rotation of all keys", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    second = await credentials();
    await onlyNewWork(first, second);
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

  /** `groundplane ssh`, which reads the stack's outputs each time. */
  const fresh = (node: string, command: string) =>
    cluster.run([process.execPath, "cli/groundplane.cjs", "ssh", "--stack", cluster.stack, node, "--", command]);
  /** Begins an `up`, and kills its provider in the middle: then commands still reach every node. */
  const killAt = async (moment: string, isReached: () => Promise<boolean>): Promise<void> => {
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive");
    await eventually(moment, patienceMs, isReached, (yes) => yes);
    await killProviders(stack.project).catch(async () => assert.fail(`up has ended: ${(await rolling).stdout}`));
    assert.notEqual((await rolling).exitCode, 0, moment);
    for (const name of nodes) mustSucceed(`ssh ${name}`, await fresh(name, "true"));
  };

  await step("rotations that are killed in the middle go on", async () => {
    const clients = () => on("master-1", "cat /etc/kubernetes/api-server/clients.crt");
    const before = await clients();
    stack.configure(dataCenter("{administrator: 2, ssh-user-key: 1, encryption-key: 1, service-account-key: 1}"));
    await killAt("master-1 accepts both certificates", async () => (await clients()) !== before);
    stack.configure(dataCenter("{administrator: 2, ssh-user-key: 2, encryption-key: 2, service-account-key: 1}"));
    await on("gateway", "true");
    // The gateway is the first node that gets the new key.
    const deniesFormer = async () => (await tryKey("gateway", second)) === "denied";
    await killAt("the gateway accepts the new SSH key only", deniesFormer);
    await killAt("master-2 encrypts with the new key", async () => (await configuredKeys("master-2"))[0] === "key3");
    assert.deepEqual((await configuredKeys("master-3")).includes("key3"), true, "all masters read it before");
    await up(stack);
    await onlyNewWork(second, await credentials());
    assert.deepEqual(await encryptionInEtcd(), ["k8s:enc:secretbox:v1:key3:"]);
    for (const master of masters) assert.deepEqual(await configuredKeys(master), ["key3"]);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("no output of any command shows a key", async () => {
    const lines = [...(await secretsOf(cluster))].flatMap(([name, text]) =>
      text.split(/\n|\\n/).flatMap((line) => (line.length > 40 ? [[name, line] as const] : [])),
    );
    assert.ok(lines.length > 0);
    for (const [name, line] of lines) assert.ok(!cluster.transcript.some((text) => text.includes(line)), name);
  });
});
