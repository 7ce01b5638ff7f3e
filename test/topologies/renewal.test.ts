/**
 * Certificates that are valid for minutes: all programs of the cluster live through two renewals of each of them, which masters and
 * kubelets do on their own, while a client that verifies the API's certificate and another one that writes notice nothing. What a timer
 * has not renewed, `up` renews.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { renewalDays } from "../../model/health-check";
import { createNamespace, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import type { StackStatus } from "../../verify/stack-status";
import {
  apply,
  askMeanwhile,
  etcdctl,
  kubectl,
  secondsSince,
  tellGap,
  up,
  waitForReadyNodes,
} from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { idleDeployment } from "../support/idle-deployment";
import { nspawnSkipReason } from "../support/nspawn-host";

const dataCenter = `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: 1}
options: {fastProbes: true, podGraceSeconds: 5}
`;

const masters = ["master-1", "master-2", "master-3"] as const;
const nodes = [...masters, "worker-1"] as const;

/** Of masters: a year in the product, and renewed 90 days before the end, by a timer that looks every hour. */
const VALID_MINUTES = 5;
const RENEWED_BEFORE_SECONDS = 200;
const LOOKED_FOR_EVERY_SECONDS = 150;
/** In the product, eight minutes. */
const SECONDS_APART = 50;
/** Of kubelets, which begin to renew theirs after some minutes, because the controller-manager dates certificates back. */
const KUBELET_VALID_MINUTES = 4;

/** systemd's calendar has no period of 150 seconds, but one of five minutes. */
const ticksOf = (index: number): readonly string[] =>
  [0, LOOKED_FOR_EVERY_SECONDS].map((begin) => {
    const second = begin + index * SECONDS_APART;
    return `OnCalendar=*:${Math.floor(second / 60)}/5:${String(second % 60).padStart(2, "0")}`;
  });
const RENEWALS = 2;
const TWO_RENEWALS_MS = 10 * 60_000;
const PROBE_MS = 10;
/** Nothing restarts, so that on an idle host no request is late. A busy one delays some. */
const LONGEST_GAP_MS = 1_000;

const pki = "/etc/kubernetes/pki";
const configuration = "/etc/groundplane/kubeadm/control-plane.yaml";
const kubeletPki = "/var/lib/kubelet/pki";
const renewal = "groundplane-renew-certificates";

/** Copies of certificates from before the first renewal. */
const former = { etcd: "/root/former-etcd", api: "/root/former-api.conf" };
const askEtcd = `etcdctl --endpoints https://127.0.0.1:2379 --cacert ${pki}/etcd/ca.crt --cert ${former.etcd}.crt \
  --key ${former.etcd}.key --command-timeout=5s get groundplane 2>&1`;
const askApi = `kubectl --kubeconfig ${former.api} get --raw /api 2>&1`;

/** Certificates of minutes, from now on. Only the controller-manager restarts, for those that it signs. */
const shorten = (index: number): string => `set -e
systemctl stop ${renewal}.timer
sed -i 's/^kind: "\\?ClusterConfiguration.*/&\\ncertificateValidityPeriod: ${VALID_MINUTES}m/' ${configuration}
sed -i 's/^RENEWAL_SECONDS=.*/RENEWAL_SECONDS="${RENEWED_BEFORE_SECONDS}"/' /etc/groundplane/node.env
mkdir -p /etc/systemd/system/${renewal}.timer.d
printf '%s\\n' '[Timer]' 'OnCalendar=' ${ticksOf(index)
  .map((line) => `'${line}'`)
  .join(" ")} 'AccuracySec=1s' >/etc/systemd/system/${renewal}.timer.d/short.conf
systemctl daemon-reload
manifest=/etc/kubernetes/manifests/kube-controller-manager.yaml
flag=--cluster-signing-duration=${KUBELET_VALID_MINUTES}m
sed "s/^\\( *\\)- kube-controller-manager$/&\\n\\1- $flag/" $manifest >/run/short.yaml
cp /run/short.yaml $manifest
timeout 60 sh -c "until pgrep --full '^kube-controller-manager .*$flag'; do sleep 0.5; done" >/dev/null
kubeadm certs renew all --config ${configuration} >/dev/null`;

/** The files of the plan again, and certificates of a month. */
const overdue = `set -e
systemctl stop ${renewal}.timer
sed -i 's/^RENEWAL_SECONDS=.*/RENEWAL_SECONDS="${renewalDays * 86_400}"/' /etc/groundplane/node.env
sed -i 's/^certificateValidityPeriod: .*/certificateValidityPeriod: 720h/' ${configuration}
kubeadm certs renew all --config ${configuration} >/dev/null
sed -i '/^certificateValidityPeriod: /d' ${configuration}`;

const requestOf = (node: string): string => `set -e; umask 077; cd ${kubeletPki}
openssl ecparam -name prime256v1 -genkey -noout -out short.key
openssl req -new -key short.key -subj /O=system:nodes/CN=system:node:${node} | base64 -w 0`;

const signingRequest = (node: string, request: string): string =>
  JSON.stringify({
    ...{ apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name: `short-${node}` } },
    spec: {
      ...{ request, signerName: "kubernetes.io/kube-apiserver-client-kubelet" },
      usages: ["digital signature", "client auth"],
    },
  });

/** The kubelet asks for a serving certificate at its start, and renews both on its own. */
const useByKubelet = (certificate: string): string => `set -e; umask 077; cd ${kubeletPki}
echo ${certificate} | base64 -d | cat - short.key >short.pem
cat short.pem >kubelet-client-current.pem
rm -f short.key short.pem kubelet-server-*.pem
systemctl restart kubelet`;

/** Process and start of what must not restart. */
const processes = (programs: readonly string[]): string =>
  programs
    .map((name) => `echo ${name} $(awk '{ print $1, $22 }' /proc/$(pgrep --oldest --full "^[^ ]*${name} ")/stat)`)
    .join("; ");

interface Window {
  readonly master: string;
  readonly beginMs: number;
  readonly endMs: number;
}

test("certificates of minutes are renewed twice, and no client notices", {
  skip: nspawnSkipReason(),
  timeout: 25 * 60_000,
}, async (t) => {
  const stack = smallStack("renewal");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;
  let writer: ReturnType<typeof writeRepeatedly> | undefined;
  // It would keep the test running after a failed step.
  t.after(() => writer?.stop().catch(() => undefined));
  let shortenedMs = 0;
  let since = "";

  /** When the timer's command ran and renewed. */
  const windowsOf = async (master: string): Promise<readonly Window[]> => {
    const lines = await on(
      master,
      `journalctl --unit ${renewal}.service --since @${since} --output=short-unix --no-pager`,
    );
    const windows: Window[] = [];
    let beginMs = 0;
    let renews = false;
    for (const line of lines.split("\n")) {
      const ms = Number(line.split(" ")[0]) * 1000;
      if (line.includes("Starting ")) [beginMs, renews] = [ms, false];
      if (line.includes("these certificates end")) renews = true;
      assert.doesNotMatch(line, /Failed|does not work|is restarted/, `${master}: ${line}`);
      if (line.includes("Finished ") && renews) windows.push({ master, beginMs, endMs: ms });
    }
    return windows;
  };
  /** The kubelet keeps a file of each certificate of a client and of a server. */
  const kubeletFiles = async (node: string): Promise<readonly number[]> => {
    const counts = ["client", "server"].map((use) => `ls ${kubeletPki} | grep -c "^kubelet-${use}-2" || true`);
    return (await on(node, counts.join("; "))).trim().split("\n").map(Number);
  };
  const startsOf = async () => {
    const ofMaster = processes(["kube-apiserver", "etcd", "kubelet"]);
    const all = await Promise.all(
      nodes.map((node) => on(node, node === "worker-1" ? processes(["kubelet"]) : ofMaster)),
    );
    return all.map((text, index) => `${nodes[index]}:\n${text}`).join("");
  };

  await step("a stack of three masters whose certificates end in minutes", async () => {
    stack.configure(dataCenter);
    await stack.start();
    await apply(stack, idleDeployment(1));
    for (const [index, master] of masters.entries()) await on(master, shorten(index));
    shortenedMs = Date.now();
    await on(
      "master-1",
      `cd ${pki}/etcd && for use in crt key; do cp healthcheck-client.$use ${former.etcd}.$use; done`,
    );
    await on("master-1", `cp /etc/kubernetes/scheduler.conf ${former.api}`);
    assert.equal((await cluster.onNode("master-1", askEtcd)).exitCode, 0);
    assert.equal((await cluster.onNode("master-1", askApi)).exitCode, 0);
  });

  await step("kubelets whose certificates end as soon", async () => {
    const isSigned = async (node: string) =>
      (await cluster.onNode("master-1", `${kubectl} get csr short-${node} -o jsonpath={.status.certificate}`)).stdout;
    for (const node of nodes) {
      await apply(stack, signingRequest(node, (await on(node, requestOf(node))).trim()));
      await on("master-1", `${kubectl} certificate approve short-${node}`);
    }
    for (const node of nodes) {
      const certificate = await eventually(
        `${node}'s certificate`,
        patienceMs,
        () => isSigned(node),
        (text) => text !== "",
      );
      await on(node, useByKubelet(certificate.trim()));
      const enddate = await on(node, `openssl x509 -noout -enddate -in ${kubeletPki}/kubelet-client-current.pem`);
      const leftMs = Date.parse(enddate.replace("notAfter=", "")) - Date.now();
      assert.ok(leftMs > 0 && leftMs <= KUBELET_VALID_MINUTES * 60_000, `${node}: ${leftMs} ms`);
    }
    await waitForReadyNodes(stack, nodes.length);
    const isServed = ([, server = 0]: readonly number[]): boolean => server > 0;
    for (const node of nodes)
      await eventually(`a serving certificate of ${node}`, patienceMs, () => kubeletFiles(node), isServed);
  });

  await step("status names each certificate that ends", async () => {
    const { stdout, exitCode } = await cluster.groundplane("status", "--json");
    assert.equal(exitCode, 1);
    const { checks } = JSON.parse(stdout) as StackStatus;
    const found = checks.find(({ check }) => check === "certificates")?.findings ?? [];
    const ending = found.filter(({ state }) => state === "unhealthy").map(({ of, observed }) => `${of}: ${observed}`);
    for (const name of [
      "apiserver.crt",
      "apiserver-kubelet-client.crt",
      "front-proxy-client.crt",
      "etcd/peer.crt",
      "scheduler.conf",
    ])
      for (const master of masters)
        assert.ok(
          ending.some((text) => text.includes(name) && text.includes(master)),
          `${master} ${name}\n${ending.join("\n")}`,
        );
    for (const node of nodes)
      assert.ok(
        ending.some((text) => text.includes(node) && text.includes("kubelet-client-current.pem")),
        `${node}: ${ending.join("\n")}`,
      );
  });

  await step("each certificate is renewed twice on its own", async (inner) => {
    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    const ca = await on("master-1", `cat ${pki}/ca.crt`);
    const api = apiClient(kubeconfig);
    await createNamespace(api);
    const before = await startsOf();
    const filesBefore = await Promise.all(nodes.map(kubeletFiles));
    since = (await on("master-1", "date +%s")).trim();
    for (const master of masters) await on(master, `systemctl start ${renewal}.timer`);
    writer = writeRepeatedly(kubeconfig);
    await writer.begun;
    const client = await askMeanwhile(stack, PROBE_MS, ca);
    const started = performance.now();
    const progress = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const windows = await Promise.all(masters.map(windowsOf));
      const files = await Promise.all(nodes.map(kubeletFiles));
      const renewed = files.map((counts, node) => counts.map((count, use) => count - (filesBefore[node]?.[use] ?? 0)));
      return { masters: windows.map(({ length }) => length), kubelets: renewed.flat() };
    };
    const done = await eventually("two renewals", TWO_RENEWALS_MS, progress, (now) =>
      [...now.masters, ...now.kubelets].every((count) => count >= RENEWALS),
    );
    inner.diagnostic(`after ${secondsSince(started)}: ${JSON.stringify(done)}`);
    const [answered, written] = [await client.stop(), (await writer.stop()) ?? assert.fail("no writer")];
    tellGap(inner, `requests every ${PROBE_MS} ms`, answered);
    tellGap(inner, "writes every 100 ms", written);
    const windows = (await Promise.all(masters.map(windowsOf)))
      .flat()
      .sort((one, other) => one.beginMs - other.beginMs);
    for (const { master, beginMs, endMs } of windows)
      inner.diagnostic(
        `${master}: ${Math.round(beginMs / 1000 - Number(since))} s, for ${Math.round((endMs - beginMs) / 1000)} s`,
      );
    for (const [index, { master, beginMs }] of windows.slice(1).entries())
      assert.ok(beginMs >= (windows[index]?.endMs ?? 0), `${master} began before ${windows[index]?.master} ended`);
    assert.deepEqual(written.lost, [], "every acknowledged write is there");
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    assert.equal(await startsOf(), before, "API servers, etcd and kubelets have not restarted");
  });

  await step("everything works with certificates that did not exist before", async () => {
    await waitForReadyNodes(stack, nodes.length);
    for (const master of masters)
      assert.equal(await on(master, etcdctl("endpoint health --cluster 2>&1 | grep -c 'is healthy'")), "3\n");
    // The controller-manager creates pods, the scheduler places them, kubelets start them, and API servers reach kubelets.
    const [pod = ""] = (await on("master-1", `${kubectl} get pods --output=name`)).split("\n");
    await on("master-1", `${kubectl} delete ${pod}`);
    await on("master-1", `${kubectl} rollout status deployment/idle --timeout=120s`);
    for (const master of masters) {
      const own = `server=https://$(awk '$1 == "${master}" { print $2 }' /etc/groundplane/planned-nodes):6443`;
      assert.equal(
        await on(master, `${own}; ${kubectl} --server $server exec deployment/idle -- echo works`),
        "works\n",
      );
    }
  });

  await step("the former certificates are refused", async (inner) => {
    assert.ok(Date.now() - shortenedMs > VALID_MINUTES * 60_000, "they have ended");
    for (const [ask, expected] of [
      [askEtcd, /certificate|EOF|handshake|deadline/],
      [askApi, /Unauthorized|must be logged in/],
    ] as const) {
      const { exitCode, stdout } = await cluster.onNode("master-1", ask);
      assert.notEqual(exitCode, 0);
      assert.match(stdout, expected);
      inner.diagnostic(stdout.trim().split("\n").at(-1) ?? "");
    }
  });

  await step("up renews what the timer has not renewed", async (inner) => {
    await on("master-1", overdue);
    const target = ["--target", "**master-1-files"];
    const preview = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive", ...target)).stdout;
    assert.match(preview.replaceAll(/\s+/g, " "), /master-1 renews its certificates: .*etcd\/server\.crt/);
    const started = performance.now();
    await up(stack, ...target);
    inner.diagnostic(`the renewal took ${secondsSince(started)}`);
    const enddate = await on("master-1", `openssl x509 -noout -enddate -in ${pki}/etcd/server.crt`);
    assert.ok(Date.parse(enddate.replace("notAfter=", "")) - Date.now() > 300 * 86_400_000, enddate);
    mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes", "--non-interactive", ...target));
  });
});
