/**
 * The certificate authorities of etcd and of front proxies are replaced by plain `pulumi up` while clients read and write, also after kills in
 * the middle and after the loss of a master between them. Afterwards no member of etcd and no API server accepts a certificate of the former ones.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { guestCommand } from "../../model/guest-paths";
import { createNamespace, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { askMeanwhile, etcdctl, healthyEtcdMembers, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { membersOf } from "../e2e/rolled-members";
import { dataCenter } from "../e2e/rotated-keys";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { secretsOf } from "../support/secret-scan";

const masters = ["master-1", "master-2", "master-3"] as const;
/** As of a roll of files that restart API servers, on a host that also runs other tests. */
const LONGEST_GAP_MS = 6_000;

/** A master joins again meanwhile. */
const MOMENT_MS = 360_000;

const pki = "/etc/kubernetes/pki";
const leaves = ["etcd/server", "etcd/peer", "etcd/healthcheck-client", "apiserver-etcd-client"];

test("etcd and front proxies get other authorities", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("etcd-ca");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  /** The number of authorities that etcd of a master accepts. */
  const authoritiesOf = async (master: string): Promise<number> =>
    Number(await on(master, `grep -c BEGIN ${pki}/etcd/ca.crt`));
  const issuersOf = async (master: string): Promise<readonly string[]> => {
    const commands = leaves.map((leaf) => `openssl x509 -noout -issuer -in ${pki}/${leaf}.crt`);
    return [...new Set((await on(master, commands.join("; "))).replaceAll(" ", "").trim().split("\n"))];
  };
  /** With a copy of a client's certificate and key from before the rotation. */
  const asFormerClient = (master: string) =>
    cluster.onNode(
      "master-1",
      `etcdctl --endpoints https://$(awk '$1 == "${master}" { print $2 }' /etc/groundplane/planned-nodes):2379 ` +
        `--cacert ${pki}/etcd/ca.crt --cert /root/former.crt --key /root/former.key --command-timeout=5s get groundplane 2>&1`,
    );
  /** Names a user with a copy of a front proxy's certificate and key from before the rotation. */
  const asFormerProxy = async (master: string): Promise<string> => {
    const named = "-H 'X-Remote-User: intruder' -H 'X-Remote-Group: system:masters'";
    const identity = "--cert /root/former-proxy.crt --key /root/former-proxy.key";
    const url = `https://$(awk '$1 == "${master}" { print $2 }' /etc/groundplane/planned-nodes):6443/api/v1/secrets`;
    return on("master-1", `curl -sk -o /dev/null -w '%{http_code}' ${identity} ${named} ${url}`);
  };
  const extensionAuthorities = () =>
    on(
      "master-1",
      "kubectl --kubeconfig /etc/kubernetes/admin.conf get configmap --namespace kube-system extension-apiserver-authentication " +
        "--output jsonpath='{.data.requestheader-client-ca-file}' | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | " +
        "openssl pkcs7 -print_certs -noout | grep ^subject | tr -d ' '",
    );
  const configureRotation = () => stack.configure(dataCenter("{etcd-ca: 1, front-proxy-ca: 1}"));
  /** Begins an `up` and kills its provider in the middle. */
  const killAt = async (moment: string, isReached: () => Promise<boolean>): Promise<void> => {
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive");
    let hasEnded = false;
    void rolling.finally(() => {
      hasEnded = true;
    });
    const isDue = async () => hasEnded || (await isReached());
    const failure = await eventually(moment, MOMENT_MS, isDue, (yes) => yes).then(
      () => (hasEnded ? `up has ended before: ${moment}` : undefined),
      (error: Error) => error.message,
    );
    await killProviders(stack.project).catch(() => undefined);
    if (failure !== undefined) assert.fail(`${failure}\n${(await rolling).stdout.slice(-3000)}`);
    assert.notEqual((await rolling).exitCode, 0, moment);
  };
  let writer: ReturnType<typeof writeRepeatedly> | undefined;
  // It would keep the test running after a failed step.
  t.after(() => writer?.stop().catch(() => undefined));
  let membersBefore: Readonly<Record<string, string>>;

  await step("a stack of three masters, and a copy of a certificate", async () => {
    stack.configure(dataCenter("{}"));
    await stack.start();
    await on("master-1", `cp ${pki}/etcd/healthcheck-client.crt /root/former.crt`);
    await on("master-1", `cp ${pki}/etcd/healthcheck-client.key /root/former.key`);
    for (const master of masters) assert.equal((await asFormerClient(master)).exitCode, 0, master);
    for (const ending of ["crt", "key"])
      await on("master-1", `cp ${pki}/front-proxy-client.${ending} /root/former-proxy.${ending}`);
    for (const master of masters) assert.equal(await asFormerProxy(master), "200", master);
    assert.deepEqual(await issuersOf("master-1"), ["issuer=CN=etcd-ca"]);
    membersBefore = await membersOf(stack, "master-1");
  });

  await step("a preview explains the stages", async () => {
    configureRotation();
    const { stdout } = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive"));
    assert.match(
      stdout.replaceAll(/\s+/g, " "),
      /etcd-ca is replaced\. Etcd and the API servers also accept .*; then they have/,
    );
    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    await createNamespace(apiClient(kubeconfig));
    writer = writeRepeatedly(kubeconfig);
    await writer.begun;
  });

  await step("a rotation is killed in its first stage", async (inner) => {
    const client = await askMeanwhile(stack);
    await killAt("master-1 accepts both", async () => (await authoritiesOf("master-1")) === 2);
    // The command may still be at work.
    await eventually(
      "etcd",
      patienceMs,
      () => healthyEtcdMembers(stack, "master-2"),
      (count) => count === 3,
    );
    assert.equal(await authoritiesOf("master-3"), 1);
    tellGap(inner, "requests every 20 ms", await client.stop());
  });

  await step("a master that is lost then joins with certificates that all members accept", async () => {
    const lost = { stack: cluster.stack, name: "master-3" };
    const state = (await stack.driver.inspectMachine(lost)) ?? assert.fail("no master-3");
    await stack.driver.removeMachine(lost, state.owner ?? assert.fail("no owner"));
    const issuer = async () =>
      (await cluster.onNode("master-2", `openssl x509 -noout -issuer -in ${pki}/etcd/peer.crt`)).stdout;
    await killAt("master-2 has certificates of the new authority", async () =>
      /etcd-ca-[0-9a-f]{16}/.test(await issuer()),
    );
    assert.deepEqual(await asFormerClient("master-3").then(({ exitCode }) => exitCode), 0, "nothing is dropped yet");
  });

  await step("the next up ends the rotation, and no acknowledged write is lost", async (inner) => {
    const client = await askMeanwhile(stack);
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`rest of the rotation: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const [answered, written] = [await client.stop(), (await writer?.stop()) ?? assert.fail("no writer")];
    tellGap(inner, "requests every 20 ms", answered);
    tellGap(inner, "writes every 100 ms", written);
    assert.deepEqual(written.lost, [], "every acknowledged write is there");
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("no member accepts the former authority", async (inner) => {
    const now = await membersOf(stack, "master-1");
    assert.deepEqual([now["master-1"], now["master-2"]], [membersBefore["master-1"], membersBefore["master-2"]]);
    const issuers = new Set<string>();
    for (const master of masters) {
      assert.equal(await authoritiesOf(master), 1, master);
      const issued = await issuersOf(master);
      assert.equal(issued.length, 1, issued.join());
      issuers.add(issued[0] ?? "");
      const { exitCode, stdout } = await asFormerClient(master);
      assert.notEqual(exitCode, 0, master);
      inner.diagnostic(`${master}: ${stdout.trim().split("\n").at(-1)}`);
    }
    assert.match([...issuers].join(), /^issuer=CN=etcd-ca-[0-9a-f]{16}$/);
    assert.equal(await on("master-3", `ls ${pki}/etcd | grep -c former || true`), "0\n");
  });

  await step("no API server and no extension accepts the former authority of front proxies", async () => {
    for (const master of masters) {
      assert.equal(await asFormerProxy(master), "401", master);
      const issuer = await on(master, `openssl x509 -noout -issuer -in ${pki}/front-proxy-client.crt`);
      assert.match(issuer.replaceAll(" ", ""), /^issuer=CN=front-proxy-ca-[0-9a-f]{16}\n$/, master);
    }
    assert.match(await extensionAuthorities(), /^subject=CN=front-proxy-ca-[0-9a-f]{16}\n$/);
  });

  await step("certificates are renewed by the new authority", async () => {
    const serial = () => on("master-2", `openssl x509 -noout -serial -in ${pki}/etcd/peer.crt`);
    const before = await serial();
    await on("master-2", `${guestCommand("renew-certificates")} all`);
    assert.notEqual(await serial(), before);
    assert.match((await issuersOf("master-2")).join(), /^issuer=CN=etcd-ca-[0-9a-f]{16}$/);
    assert.equal(await on("master-1", etcdctl("endpoint health --cluster 2>&1 | grep -c 'is healthy'")), "3\n");
    await stack.isHealthy();
  });

  await step("no output of any command shows a key", async () => {
    const lines = [...(await secretsOf(cluster))].flatMap(([name, text]) =>
      text.split(/\n|\\n/).flatMap((line) => (line.length > 40 ? [[name, line] as const] : [])),
    );
    for (const [name, line] of lines) assert.ok(!cluster.transcript.some((text) => text.includes(line)), name);
  });
});
