import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadAll } from "js-yaml";
import { renderNftablesConf } from "../../../../cloud-init/files/nftables-conf";
import type { SeedFile } from "../../../../cloud-init/role-content";
import { etcdContent } from "../../../../cloud-init/roles/etcd";
import { masterContent } from "../../../../cloud-init/roles/master";
import { type NodePlan, nodesOf } from "../../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../../support/example-plans";
import type { LooseDocument } from "./loose-document";

const plan = examplePlan("production");
const [first, second] = nodesOf(plan, "master") as [NodePlan, NodePlan];
const [etcd] = nodesOf(plan, "etcd") as [NodePlan];
const filesOf = (node: NodePlan): readonly SeedFile[] =>
  (node.roles.includes("master") ? masterContent : etcdContent)(plan, node).files;

function textOf(node: NodePlan, path: string): string {
  const file = filesOf(node).find((candidate) => candidate.path === path);
  assert.ok(file && "content" in file, path);
  return file.content;
}

const keysOf = (node: NodePlan) =>
  filesOf(node).flatMap((file) =>
    "secret" in file ? [`${file.path.replace("/etc/kubernetes/pki/", "")} ${file.secret}`] : [],
  );

test("only etcd machines can issue certificates for etcd, and they have no other key of the cluster", () => {
  assert.deepEqual(keysOf(etcd), ["etcd/ca.crt etcd-ca.crt", "etcd/ca.key etcd-ca.key"]);
  const ofMaster = keysOf(first).filter((key) => key.includes("etcd"));
  assert.deepEqual(ofMaster.sort(), [
    "apiserver-etcd-client.crt etcd-client.crt",
    "apiserver-etcd-client.key etcd-client.key",
    "etcd/ca.crt etcd-ca.crt",
  ]);
});

test("the gateway lets only masters reach etcd, and only the port for clients", () => {
  const rules = renderNftablesConf(plan).split("\n");
  assert.deepEqual(
    rules.filter((line) => line.includes("@etcd")).map((line) => line.trim()),
    ['ip saddr @master ip daddr @etcd tcp dport { 2379 } accept comment "etcd, from API servers"'],
  );
  assert.ok(rules.some((line) => line.includes('iifname "etcd" ip saddr != 192.168.61.0/24 drop')));
  assert.doesNotMatch(renderNftablesConf(examplePlan("lab")), /etcd/);
});

test("API servers use the proxy of their master, and each proxy prefers another member", () => {
  for (const name of ["init.yaml", "control-plane.yaml"]) {
    const documents = loadAll(textOf(first, `/etc/groundplane/kubeadm/${name}`)) as LooseDocument[];
    const cluster = documents.find(({ kind }) => kind === "ClusterConfiguration");
    assert.deepEqual(cluster?.etcd.external.endpoints, ["https://127.0.0.1:2379"]);
  }
  const members = (node: NodePlan) =>
    [...textOf(node, "/etc/groundplane/etcd-proxy.cfg").matchAll(/^ {2}server (\S+) .*?(backup)?$/gm)].map(
      ([, name, backup]) => [name, backup ?? "preferred"].join(" "),
    );
  assert.deepEqual(members(first), ["etcd-1 preferred", "etcd-2 backup", "etcd-3 backup"]);
  assert.deepEqual(members(second), ["etcd-2 preferred", "etcd-3 backup", "etcd-1 backup"]);
});

test("a kubelet without a cluster runs etcd and opens no port", () => {
  const kubelet = load(textOf(etcd, "/var/lib/kubelet/config.yaml")) as LooseDocument;
  assert.equal(kubelet.enableServer, false);
  assert.equal(kubelet.staticPodPath, "/etc/kubernetes/manifests");
  assert.equal(kubelet.serverTLSBootstrap, undefined);
  assert.match(textOf(etcd, "/etc/systemd/system/kubelet.service.d/10-standalone.conf"), /KUBELET_KUBECONFIG_ARGS="$/m);
  const [, cluster] = loadAll(textOf(etcd, "/etc/groundplane/kubeadm/control-plane.yaml")) as LooseDocument[];
  assert.ok(cluster?.etcd.local, "kubeadm renders the same static pod as on a master");
});

test("a master without a member has no command that needs one", () => {
  const commands = filesOf(first).map(({ path }) => path.replace("/usr/local/lib/groundplane/", ""));
  assert.ok(!commands.includes("may-leave"));
  assert.doesNotMatch(textOf(first, "/usr/local/lib/groundplane/etcd-command"), /etcdctl/);
  assert.doesNotMatch(textOf(first, "/usr/local/lib/groundplane/apply-control-plane"), /init phase etcd/);
  assert.ok(filesOf(etcd).some(({ path }) => path.endsWith("/may-leave")));
});
