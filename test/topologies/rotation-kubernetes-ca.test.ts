/**
 * The certificate authority of the cluster is replaced by plain `pulumi up` while clients ask and a Deployment runs, also after a kill in the
 * middle. Afterwards no API server accepts a client's certificate of the former authority, and no node and no pod trusts it.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { apiConnectionIn, clusterApi } from "../../guests/cluster-api";
import { askMeanwhile, deploy, secondsSince, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { dataCenter, masters } from "../e2e/rotated-keys";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { secretsOf } from "../support/secret-scan";

const members = [...masters, "worker-1"];
/** As of a roll of files that restart API servers, on a host that also runs other tests. */
const LONGEST_GAP_MS = 6_000;
const MOMENT_MS = 240_000;

const pki = "/etc/kubernetes/pki";
const isLater = /^subject=CN=kubernetes-ca-[0-9a-f]{16}$/;
/** Copies of these, with the name of the file. */
const clients = {
  kubelet: "/var/lib/kubelet/pki/kubelet-client-current.pem",
  "api-server": `${pki}/apiserver-kubelet-client.crt`,
} as const;

test("the cluster gets another authority", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("kubernetes-ca");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;
  const kubectl = (words: string) => on("master-1", `kubectl --kubeconfig /etc/kubernetes/admin.conf ${words}`);

  /** What each master answers to copies of certificates from before the rotation. */
  const statusesOf = async (name: string): Promise<readonly string[]> => {
    const identity = `--cert /root/former-${name}.crt --key /root/former-${name}.key`;
    const ask = `curl -sk -o /dev/null -w '%{http_code}' ${identity} https://$address:6443/version`;
    const addresses = "awk '/^master/ { print $2 }' /etc/groundplane/planned-nodes";
    return (await on("master-1", `for address in $(${addresses}); do ${ask}; echo; done`)).trim().split("\n");
  };
  /** Subjects of the certificates of a PEM text. */
  const subjectsIn = async (node: string, command: string): Promise<readonly string[]> => {
    const listed = `${command} | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout`;
    return (await on(node, `${listed} | grep ^subject | tr -d ' '`)).trim().split("\n");
  };
  const authoritiesOf = async (node: string): Promise<number> =>
    Number(await on(node, `grep -c BEGIN ${pki}/authorities.crt 2>/dev/null || true`));
  const podsOf = (app: string) =>
    kubectl(
      `get pods --selector app=${app} --output ` +
        "jsonpath='{range .items[*]}{.metadata.uid} {.status.startTime} {.status.containerStatuses[*].restartCount};{end}'",
    );
  const formerKubeconfig = async () => mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;

  let pods = "";
  let before = "";

  await step("a stack of three masters, a Deployment, and copies of certificates", async () => {
    stack.configure(dataCenter("{}"));
    await stack.start();
    await deploy(stack, "replicated-page.yaml", "page");
    pods = await podsOf("page");
    before = await formerKubeconfig();
    assert.match(pods, /;/);
    for (const [name, file] of Object.entries(clients))
      for (const [ending, source] of Object.entries({ crt: file, key: file.replace(/\.crt$/, ".key") }))
        await on("master-1", `cp ${source} /root/former-${name}.${ending}`);
    await on("master-1", "cp /etc/kubernetes/admin.conf /root/former-admin.conf");
    const data = (field: string) => `sed -n 's/^ *${field}: //p' /root/former-admin.conf | base64 -d`;
    await on("master-1", `${data("client-certificate-data")} >/root/former-admin.crt`);
    await on("master-1", `${data("client-key-data")} >/root/former-admin.key`);
    for (const name of ["kubelet", "api-server", "admin"])
      assert.deepEqual(await statusesOf(name), ["200", "200", "200"], name);
  });

  await step("a preview explains the stages, and what users do", async () => {
    stack.configure(dataCenter("{kubernetes-ca: 1}"));
    const { stdout } = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive"));
    assert.match(
      stdout.replaceAll(/\s+/g, " "),
      /kubernetes-ca is replaced\. API servers also accept .*; then kubelets get .* restart your pods that use the API/,
    );
  });

  await step("a rotation is killed while the masters get certificates", async (inner) => {
    const client = await askMeanwhile(stack);
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive");
    let hasEnded = false;
    void rolling.finally(() => {
      hasEnded = true;
    });
    const isReissued = async () => hasEnded || isLater.test((await subjectsIn("master-1", `cat ${pki}/ca.crt`)).join());
    await eventually("master-1 signs with the new key", MOMENT_MS, isReissued, (yes) => yes);
    await killProviders(stack.project).catch(async () => assert.fail(`up has ended: ${(await rolling).stdout}`));
    assert.notEqual((await rolling).exitCode, 0);
    assert.equal(await authoritiesOf("master-3"), 2);
    assert.deepEqual(await subjectsIn("master-3", `cat ${pki}/ca.crt`), ["subject=CN=kubernetes-ca"]);
    // The former authority has cross-signed the new one, so that clients of before go on.
    const { certificateAuthority } = apiConnectionIn(before);
    const verifying = await askMeanwhile(stack, 20, certificateAuthority);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    tellGap(inner, "requests of a client of before", await verifying.stop());
    tellGap(inner, "requests every 20 ms", await client.stop());
  });

  await step("the next up ends the rotation, and pods go on", async (inner) => {
    const client = await askMeanwhile(stack);
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`the rest of the rotation: ${secondsSince(started)}`);
    const answered = await client.stop();
    tellGap(inner, "requests every 20 ms", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    assert.equal(await podsOf("page"), pods);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("no API server accepts certificates of the former authority", async () => {
    for (const name of ["kubelet", "api-server", "admin"])
      assert.deepEqual(await statusesOf(name), ["401", "401", "401"], name);
    const { exitCode, stderr } = await cluster.onNode(
      "master-1",
      "kubectl --kubeconfig /root/former-admin.conf get nodes",
    );
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /Unauthorized|logged in/);
  });

  await step("all nodes, pods and clients trust the new one only", async () => {
    const all = new Set<string>();
    const collect = async (node: string, command: string) => {
      const subjects = await subjectsIn(node, command);
      assert.equal(subjects.length, 1, `${node}: ${command}: ${subjects.join()}`);
      all.add(subjects[0] ?? "");
    };
    const inKubeconfig = (file: string) => `sed -n 's/^ *certificate-authority-data: //p' ${file} | base64 -d`;
    for (const node of members) {
      await collect(node, `cat ${pki}/ca.crt`);
      await collect(node, inKubeconfig("/etc/kubernetes/kubelet.conf"));
      const leftovers = `ls ${pki} /etc/kubernetes/kubelet.conf.d /var/lib/kubelet/pki | grep -E 'authorities|former' || true`;
      assert.equal(await on(node, leftovers), "", node);
      for (const name of ["client", "server"])
        await on(node, `openssl verify -CAfile ${pki}/ca.crt /var/lib/kubelet/pki/kubelet-${name}-current.pem`);
    }
    for (const master of masters) {
      for (const name of ["admin", "controller-manager", "scheduler"])
        await collect(master, inKubeconfig(`/etc/kubernetes/${name}.conf`));
      const clientsOf = await subjectsIn(master, "cat /etc/kubernetes/api-server/clients.crt");
      assert.equal(clientsOf.length, 2, clientsOf.join());
      assert.equal(
        await on(master, "grep -c authorities /etc/kubernetes/manifests/kube-*.yaml | grep -v ':0$' || true"),
        "",
      );
    }
    await collect("balancer-1", "cat /etc/haproxy/cluster-ca.crt");
    for (const namespace of ["default", "kube-system"])
      await collect(
        "master-1",
        `kubectl --kubeconfig /etc/kubernetes/admin.conf get configmap kube-root-ca.crt --namespace ${namespace} ` +
          "--output 'jsonpath={.data.ca\\.crt}'",
      );
    assert.match([...all].join(), isLater);
    const now = apiConnectionIn(await formerKubeconfig());
    assert.notEqual(now.certificateAuthority, apiConnectionIn(before).certificateAuthority);
    const api = clusterApi(now);
    assert.equal((await api.request("GET", "/api/v1/nodes")).status, 200);
    api.close();
    const [pod = ""] = (await kubectl("get pods --selector app=page --output name")).trim().split("\n");
    await kubectl(`logs ${pod}`);
  });

  await step("no output of any command shows a key", async () => {
    const lines = [...(await secretsOf(cluster))].flatMap(([name, text]) =>
      text.split(/\n|\\n/).flatMap((line) => (line.length > 40 ? [[name, line] as const] : [])),
    );
    for (const [name, line] of lines) assert.ok(!cluster.transcript.some((text) => text.includes(line)), name);
  });
});
