// The stages of a rotation of the cluster's authority on a master, with Kubernetes' own API server and kubeadm's certificates.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { controlPlaneConfigurationFile } from "../../cloud-init/files/kubernetes/kubeadm-config";
import { script } from "../../cloud-init/scripts/read-script";
import { apiConnectionIn, clusterApi } from "../../guests/cluster-api";
import { runCommand } from "../../host/run-command";
import { rotateKeys } from "../../provider/resources/cluster-keys";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import { examplePlan } from "../support/example-plans";
import { builtProgram, missingPrograms, type RealClusterApi, realClusterApi } from "../support/real-cluster-api";

type Keys = Readonly<Record<string, string>>;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-authority-"));
const at = (...names: readonly string[]): string => path.join(folder, ...names);
const inPki = (name: string): string => at("pki", name);
const read = (file: string): string => fs.readFileSync(file, "utf8");
const certificatesIn = (file: string): number => read(file).split("BEGIN CERTIFICATE").length - 1;
const configuration = at("control-plane.yaml");
const kubeadm = (...words: readonly string[]) => {
  execFileSync(builtProgram("kubeadm") ?? "", ["init", "phase", ...words], { stdio: "ignore" });
};

/** Files and flags as kubeadm makes them. */
function controlPlane(_folder: string, keys: Keys): readonly string[] {
  for (const name of ["pki", "kubernetes", "kubernetes/kubelet.conf.d", "kubernetes/manifests", "patches", "bin"])
    fs.mkdirSync(at(name));
  for (const ending of ["crt", "key"]) fs.writeFileSync(inPki(`ca.${ending}`), keys[`kubernetes-ca.${ending}`] ?? "");
  const lab = examplePlan("lab");
  const [master = assert.fail("no master")] = nodesOf(lab, "master");
  const text = controlPlaneConfigurationFile(lab, master);
  fs.writeFileSync(configuration, text);
  const local = at("local.yaml");
  fs.writeFileSync(local, text.replace(/^kind: "ClusterConfiguration"$/m, `$&\ncertificatesDir: "${at("pki")}"`));
  for (const leaf of ["apiserver", "apiserver-kubelet-client"]) kubeadm("certs", leaf, "--config", local);
  for (const name of ["admin", "controller-manager", "scheduler"])
    kubeadm("kubeconfig", name, "--config", local, "--kubeconfig-dir", at("kubernetes"));
  fs.writeFileSync(at("kubernetes/manifests/kube-apiserver.yaml"), "");
  return [
    `--tls-cert-file=${inPki("apiserver.crt")}`,
    `--tls-private-key-file=${inPki("apiserver.key")}`,
    "--requestheader-allowed-names=none",
  ];
}

describe("the cluster's authority", () => {
  let missing: string | undefined;
  let server: RealClusterApi;
  let rotated: Keys;
  let former: string;

  before(async () => {
    missing = await missingPrograms("etcd", "kube-apiserver", "kubeadm", "kubectl");
    if (missing) return;
    server = await realClusterApi(controlPlane);
    rotated = await rotateKeys(server.keys, ["kubernetes-ca"]);
    former = read(at("kubernetes/admin.conf"));
    for (const name of ["authority-stages", "kubernetes-authority"] as const)
      fs.writeFileSync(at(name), script(`kubernetes/${name}`));
    fs.writeFileSync(at("cluster-state"), `state_folder=${folder}; read_phase() { phase=member; }\n`);
    const settings = 'NODE_NAME=master-1\nNODE_ADDRESS=127.0.0.1\nMASTER_NAMES="master-1 master-2"\n';
    fs.writeFileSync(at("node.env"), `${settings}API_PORT=${server.port}\n`);
    fs.writeFileSync(at("planned-nodes"), "master-1 127.0.0.1\nmaster-2 127.0.0.1\n");
    const kubectl = server.kubectl.map((word) => `'${word}'`).join(" ");
    const programs = {
      "bin/kubectl": `exec ${kubectl} "$@"`,
      "bin/systemctl": `echo "$*" >>${at("said")}; [ ! -e ${at("no-restart")} ]`,
      // Those of system containers are no business of this test, and there is no kubelet and no scheduler.
      "bin/pgrep": "exit 1",
      "bin/curl": `[[ "$*" == *:10248/* || "$*" == *:10259/* ]] || exec /usr/bin/curl "$@"`,
      "apply-control-plane": `echo apply >>${at("said")}`,
      "follow-clients": "exit 0",
    };
    for (const [name, text] of Object.entries(programs))
      fs.writeFileSync(at(name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    fs.symlinkSync(builtProgram("kubeadm") ?? "", at("bin/kubeadm"));
  });
  after(() => {
    server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const base64 = (text = ""): string => Buffer.from(text).toString("base64");
  async function stage(name: string, { key = "", words = [] as readonly string[] } = {}) {
    const env = {
      ...{ ...process.env, PATH: `${at("bin")}:${process.env.PATH}`, NODE_ENVIRONMENT: at("node.env"), PKI: at("pki") },
      ...{ KUBEADM_CONTROL_PLANE: configuration, KUBERNETES: at("kubernetes"), PATCHES: at("patches"), PATIENCE: "90" },
      ...{ API_CLIENTS: server.clientsFile, PLANNED_NODES: at("planned-nodes") },
    };
    const authority = name === "choose" ? [] : [base64(rotated["kubernetes-ca.crt"])];
    const { exitCode, stderr } = await runCommand(["bash", at("kubernetes-authority"), name, ...authority, ...words], {
      ...{ env, stdin: key, allowedExitCodes: [0, 1, 3] },
    });
    const leftovers = fs.readdirSync(at("pki")).filter((file) => file.startsWith("groundplane"));
    assert.deepEqual(leftovers, []);
    return { code: exitCode, said: stderr };
  }
  const done = { code: 0, said: "" };
  const kubectl = (words: readonly string[], stdin = "") => runCommand([...server.kubectl, ...words], { stdin });
  /** A stage that was killed at its end is run again. */
  async function twice(name: string, options = {}): Promise<void> {
    for (const _ of ["once", "again"]) assert.deepEqual(await stage(name, options), done, name);
  }
  /** The stage ends when the kubelet is to restart. The next one restarts it, although its files are changed already. */
  async function interrupted(name: string, options = {}): Promise<void> {
    fs.writeFileSync(at("no-restart"), "");
    assert.equal((await stage(name, options)).code, 1);
    for (const file of ["no-restart", "said"]) fs.rmSync(at(file));
    assert.deepEqual(await stage(name, options), done, name);
    assert.match(read(at("said")), /^restart kubelet$/m, name);
  }
  /** Of an administrator of a master, as a client that trusts these authorities. */
  async function statusOf(kubeconfig: string, certificateAuthority: string | undefined): Promise<number> {
    const identity = apiConnectionIn(kubeconfig);
    const connection = { ...identity, server: server.connection.server };
    const api = clusterApi({ ...connection, certificateAuthority: certificateAuthority ?? "" });
    const { status } = await api.request("GET", "/version").finally(() => api.close());
    return status;
  }
  const authority = (keys: Keys): string => keys["kubernetes-ca.crt"] ?? assert.fail("no authority");

  test("no node leaves in the same up, unless it cannot be drained", async (t) => {
    if (missing) return t.skip(missing);
    const node = (name: string, status: string) => {
      const conditions = [{ type: "Ready", status, reason: "Test", message: "" }];
      return { apiVersion: "v1", kind: "Node", metadata: { name }, status: { conditions } };
    };
    const items = [node("master-1", "True"), node("worker-8", "Unknown"), node("worker-9", "True")];
    await kubectl(["create", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const refused =
      "worker-9 is a node that the plan does not have: add it again, and remove it when the rotation is complete\n";
    assert.deepEqual(await stage("trust"), { code: 3, said: refused });
    assert.ok(!fs.existsSync(inPki("authorities.crt")), "nothing has changed");
    await kubectl(["delete", "node", "worker-9"]);
  });

  test("no stage begins before the one that it depends on, and none with another key", async (t) => {
    if (missing) return t.skip(missing);
    assert.equal((await stage("reissue")).said, "this master does not accept the new authority yet\n");
    const early = await stage("drop", { words: [base64(server.keys["admin.crt"])] });
    assert.equal(early.said, "this master has certificates of a former authority\n");
    await interrupted("trust");
    await twice("trust");
    const wrong = await stage("reissue", { key: server.keys["kubernetes-ca.key"] ?? "" });
    assert.deepEqual(wrong, { code: 1, said: "stdin has not the authority's key\n" });
    assert.equal(read(inPki("ca.crt")), authority(server.keys));
  });

  test("a master that joins begins with the authority that the others still use", async (t) => {
    if (missing) return t.skip(missing);
    const joining = fs.mkdtempSync(at("joins-"));
    const pair = `${authority(server.keys)}${server.keys["kubernetes-ca.key"]}`;
    const files = { "ca.crt": authority(rotated), "ca.key": rotated["kubernetes-ca.key"] ?? "" };
    for (const [name, text] of Object.entries({ ...files, "former-authorities.pem": pair }))
      fs.writeFileSync(path.join(joining, name), text);
    const env = { ...process.env, NODE_ENVIRONMENT: at("node.env"), PKI: joining, PLANNED_NODES: at("planned-nodes") };
    await runCommand(["bash", at("kubernetes-authority"), "choose"], { env });
    assert.equal(read(path.join(joining, "ca.crt")), authority(server.keys));
    assert.equal(read(path.join(joining, "ca.key")), server.keys["kubernetes-ca.key"]);
  });

  test("clients that trust the former authority only go on until the end, when theirs is refused", async (t) => {
    if (missing) return t.skip(missing);
    const key = rotated["kubernetes-ca.key"] ?? "";
    await twice("trust");
    assert.equal(read(inPki("authorities.crt")), authority(server.keys) + authority(rotated));
    assert.match(read(at("patches/kube-controller-manager5+json.json")), /--root-ca-file=.*authorities\.crt/);
    await twice("reissue", { key });
    assert.equal(read(inPki("ca.crt")), authority(rotated));
    assert.equal(read(inPki("ca.key")), key);
    const present = read(at("kubernetes/admin.conf"));
    for (const kubeconfig of [former, present])
      for (const keys of [server.keys, rotated]) assert.equal(await statusOf(kubeconfig, authority(keys)), 200);
    assert.equal(certificatesIn(inPki("apiserver-kubelet-client.crt")), 2);
    const words = [base64(server.keys["admin.crt"])];
    await interrupted("drop", { words });
    await twice("drop", { words });
    assert.equal(read(server.clientsFile), `${authority(rotated)}${server.keys["admin.crt"]}`);
    assert.equal(await statusOf(former, authority(server.keys)), 401);
    assert.equal(await statusOf(read(at("kubernetes/admin.conf")), authority(rotated)), 200);
    assert.deepEqual(fs.readdirSync(at("patches")), []);
    assert.deepEqual(fs.readdirSync(at("kubernetes/kubelet.conf.d")), []);
    assert.deepEqual(
      fs.readdirSync(at("pki")).filter((name) => name.includes("authorities")),
      [],
    );
  });

  test("afterwards earlier stages do nothing, and pods and extensions are offered the new authority only", async (t) => {
    if (missing) return t.skip(missing);
    fs.rmSync(at("said"));
    await twice("trust");
    await twice("reissue");
    assert.ok(!fs.existsSync(at("said")), "nothing restarts");
    const offered = ["create", "configmap", "kube-root-ca.crt", `--from-literal=ca.crt=${authority(rotated)}`];
    await kubectl(offered);
    await twice("withdraw");
    const name = ["configmap", "extension-apiserver-authentication", "--namespace=kube-system"];
    const published = ["get", ...name, "--output=jsonpath={.data.client-ca-file}"];
    const { stdout } = await kubectl(published);
    assert.equal(stdout.trim(), read(server.clientsFile).trim());
  });

  test("add-ons restart to read the new authority, and those that the cluster does not have yet are left out", async (t) => {
    if (missing) return t.skip(missing);
    // Without a controller, no pod of it runs, and none says that it has seen the change.
    const template = { metadata: { labels: { app: "dns" } }, spec: { containers: [{ name: "dns", image: "dns" }] } };
    const spec = { replicas: 0, selector: { matchLabels: { app: "dns" } }, template };
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "dns" }, spec };
    await kubectl(["create", "--namespace=kube-system", "--filename=-"], JSON.stringify(deployment));
    const status = JSON.stringify({ status: { observedGeneration: 2 } });
    const patch = ["patch", "deployment", "dns", "--namespace=kube-system", "--type=merge"];
    await kubectl([...patch, "--subresource=status", `--patch=${status}`]);
    const words = ["kube-system/deployment/dns", "kube-system/deployment/later", "no-namespace/daemonset/later"];
    await twice("withdraw", { words });
    const annotations = "--output=jsonpath={.spec.template.metadata.annotations}";
    const { stdout } = await kubectl(["get", "deployment", "dns", "--namespace=kube-system", annotations]);
    assert.match(stdout, /"groundplane\.internal\/authority":"kubernetes-ca-[0-9a-f]+"/);
  });
});
