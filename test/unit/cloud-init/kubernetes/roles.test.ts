import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import type { SeedFile, TextFile } from "../../../../cloud-init/role-content";
import { workerContent } from "../../../../cloud-init/roles/kubernetes-node";
import { masterContent } from "../../../../cloud-init/roles/master";
import { clusterNamespaces, podSecurityLevels } from "../../../../model/cluster-namespaces";
import { type NodePlan, nodesOf } from "../../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../../support/example-plans";
import type { LooseDocument } from "./loose-document";

const plan = examplePlan("lab");
const [master] = nodesOf(plan, "master") as [NodePlan];
const [worker] = nodesOf(plan, "worker") as [NodePlan];
const masterFiles = masterContent(plan, master).files;
const workerFiles = workerContent(plan, worker).files;

function textFile(files: readonly SeedFile[], path: string): TextFile {
  const file = files.find((candidate) => candidate.path === path);
  assert.ok(file && "content" in file, path);
  return file;
}

test("only root can read a file with a secret, and it is never compared with the guest", () => {
  const secret = [...masterFiles, ...workerFiles].filter(
    (file) => "secret" in file || file.content.includes("${secret"),
  );
  assert.ok(secret.length >= 11);
  for (const file of secret) {
    assert.equal(file.mode, "0600", file.path);
    assert.ok("secret" in file || file.changes === undefined, file.path);
  }
});

test("a master has all keys under kubeadm's names, and a worker has none", () => {
  const keys = (files: readonly SeedFile[]) =>
    files.flatMap((file) => ("secret" in file ? [`${file.path} ${file.secret}`] : [])).sort();
  assert.deepEqual(keys(workerFiles), []);
  assert.deepEqual(keys(masterFiles), [
    "/etc/kubernetes/api-server/clients.crt api-clients.crt",
    "/etc/kubernetes/api-server/encryption-configuration.yaml encryption-configuration",
    "/etc/kubernetes/pki/ca.crt kubernetes-ca.crt",
    "/etc/kubernetes/pki/ca.key kubernetes-ca.key",
    "/etc/kubernetes/pki/etcd/ca.crt etcd-ca.crt",
    "/etc/kubernetes/pki/etcd/ca.key etcd-ca.key",
    "/etc/kubernetes/pki/front-proxy-ca.crt front-proxy-ca.crt",
    "/etc/kubernetes/pki/front-proxy-ca.key front-proxy-ca.key",
    "/etc/kubernetes/pki/sa.key service-account.key",
    "/etc/kubernetes/pki/sa.pub service-account.pub",
  ]);
});

test("commands that the provider calls are executable files", () => {
  const commands = (files: readonly SeedFile[]) =>
    files
      .filter((file) => file.mode === "0755")
      .map((file) => file.path.replace("/usr/local/lib/groundplane/", ""))
      .sort();
  const both = [
    "cluster-status",
    "cluster-wait",
    "cluster-work",
    "end-pods",
    "join-cluster",
    "patient-configuration",
    "role-ready",
  ];
  const masters = [
    "apply-control-plane",
    "approve-serving-certificates",
    "approver-identity",
    "check-serving-request",
    "cluster-id",
    "cluster-ready",
    "label-namespaces",
  ];
  assert.deepEqual(commands(workerFiles), [...both, "keep-volume-mounted"].sort());
  assert.deepEqual(
    commands(masterFiles),
    [
      ...both,
      ...masters,
      "drain-node",
      "etcd-complete",
      "fence-node",
      "follow-clients",
      "forget-node",
      "bootstrap-cluster",
      "may-leave",
      "release-fences",
      "renew-certificates",
      "renew-token",
    ].sort(),
  );
});

test("pods keep their network and their volume until they have ended, within the configured limit", () => {
  const drop = "/etc/systemd/system/groundplane-pods.service.d/20-grace.conf";
  const unit = textFile(workerFiles, drop).content;
  assert.match(unit, /^After=network\.target var-lib-groundplane-volumes\.mount .*\.mount$/m);
  assert.match(unit, /^ExecStop=$\nExecStop=\/usr\/local\/lib\/groundplane\/end-pods$/m);
  assert.match(unit, /^TimeoutStopSec=50s$/m);
});

test("running nodes follow the kubelet's reservations: its capacity is the plan's, and pods get what remains", () => {
  const settings = load(textFile(workerFiles, "/etc/kubernetes/kubelet.conf.d/10-groundplane.conf").content);
  assert.deepEqual((settings as LooseDocument).systemReserved, { cpu: "100m", memory: "256Mi" });
  const defaults = textFile(workerFiles, "/etc/default/kubelet");
  assert.equal(defaults.content, 'KUBELET_EXTRA_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d"\n');
  assert.equal(defaults.changes?.reload, "systemctl try-restart kubelet");
});

test("the list of planned nodes has every Kubernetes node, and a changed list restarts a running approver", () => {
  const file = textFile(masterFiles, "/etc/groundplane/planned-nodes");
  const expected = plan.nodes.filter(({ roles }) => roles.includes("master") || roles.includes("worker"));
  assert.equal(
    file.content,
    expected.map(({ name, address, roles: [role] }) => `${name} ${address} ${role}\n`).join(""),
  );
  assert.match(file.changes?.reload ?? "", /^systemctl try-restart groundplane-approve-serving-certificates/);
});

test("masters look for ending certificates every hour, each at another minute", () => {
  const timers = nodesOf(plan, "master").map((node) => {
    const { files, enable } = masterContent(plan, node);
    assert.ok(enable.includes("groundplane-renew-certificates.timer"));
    const timer = textFile(files, "/etc/systemd/system/groundplane-renew-certificates.timer").content;
    return /^OnCalendar=\*:(\d\d)$/m.exec(timer)?.[1];
  });
  assert.deepEqual(timers, ["00", "08", "16"]);
});

test("anonymous requests may read only health endpoints and cluster-info", () => {
  const path = "/etc/kubernetes/api-server/authentication-configuration.yaml";
  const { anonymous } = load(textFile(masterFiles, path).content) as LooseDocument;
  assert.deepEqual(anonymous, {
    enabled: true,
    conditions: [
      { path: "/healthz" },
      { path: "/livez" },
      { path: "/readyz" },
      { path: "/api/v1/namespaces/kube-public/configmaps/cluster-info" },
    ],
  });
});

test("pods of namespaces without a label are held to the configured standard, the data centre's own are exempt", () => {
  const path = "/etc/kubernetes/api-server/admission-configuration.yaml";
  for (const podSecurity of podSecurityLevels) {
    const configured = { ...plan, kubernetes: { ...plan.kubernetes, podSecurity } };
    const file = textFile(masterContent(configured, master).files, path);
    const [standard, events] = (load(file.content) as LooseDocument).plugins;
    assert.equal(standard.name, "PodSecurity");
    const { defaults, exemptions } = standard.configuration;
    assert.deepEqual([defaults.enforce, defaults.audit, defaults.warn], [podSecurity, podSecurity, podSecurity]);
    assert.deepEqual(exemptions, { usernames: [], runtimeClasses: [], namespaces: clusterNamespaces });
    assert.equal(events.name, "EventRateLimit");
    assert.deepEqual(
      events.configuration.limits.map(({ type }: LooseDocument) => type),
      ["Namespace", "Server"],
    );
    // A running master follows it, as it follows its flags.
    assert.equal(file.changes?.reload, "/usr/local/lib/groundplane/apply-control-plane");
  }
});

test("a running node follows its kubelet's settings, which are private as the benchmark wants them", () => {
  for (const files of [masterFiles, workerFiles]) {
    const settings = textFile(files, "/etc/kubernetes/kubelet.conf.d/20-security.conf");
    const { kind, seccompDefault, podPidsLimit, tlsMinVersion } = load(settings.content) as LooseDocument;
    assert.deepEqual([kind, seccompDefault, tlsMinVersion], ["KubeletConfiguration", true, "VersionTLS12"]);
    assert.ok(podPidsLimit > 0);
    assert.equal(settings.mode, "0600");
    const flags = textFile(files, "/etc/default/kubelet");
    assert.match(flags.content, /^KUBELET_EXTRA_ARGS="--config-dir=\/etc\/kubernetes\/kubelet.conf.d"/m);
    const unit = textFile(files, "/etc/systemd/system/kubelet.service.d/20-private-files.conf");
    assert.match(unit.content, /chmod 0600 \/var\/lib\/kubelet\/config.yaml/);
    for (const { changes } of [settings, flags, unit]) assert.match(changes?.reload ?? "", /try-restart kubelet$/);
  }
});

test("the audit log has no request or response bodies, and logs every access to Secrets", () => {
  const { rules } = load(textFile(masterFiles, "/etc/kubernetes/api-server/audit-policy.yaml").content) as {
    rules: { level: string; resources?: { resources: string[] }[]; users?: string[]; userGroups?: string[] }[];
  };
  assert.deepEqual([...new Set(rules.map(({ level }) => level))].sort(), ["Metadata", "None"]);
  const secrets = rules.findIndex(({ resources }) => resources?.some((group) => group.resources.includes("secrets")));
  const exemptions = rules.findIndex(({ users, userGroups }) => users ?? userGroups);
  assert.ok(secrets >= 0 && secrets < exemptions);
});
