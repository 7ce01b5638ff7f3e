// How machines join etcd without kubeadm's join: the commands run in a folder instead of the root, with programs that record their
// calls.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { type CommandScript, commandFile } from "../../cloud-init/guest-command";
import { containerRuntime } from "../../cloud-init/planned-runtime";
import type { GuestCommand } from "../../model/guest-paths";
import { patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-members-"));
const server = net.createServer();
const at = (...names: string[]) => path.join(folder, ...names);

/** A member of this machine's name is listed as a learner until it is promoted. */
const etcdctl = `#!/bin/bash
echo "etcdctl $*" >>@calls
row="1a, started, master-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false"
case "$*" in
  *"member list"*)
    echo "$row"
    if [ -e @added ]; then echo "2b, started, master-2, https://10.0.0.2:2380, https://10.0.0.2:2379, $(cat @added)"; fi ;;
  *"member add"*) echo true >@added; echo 'ETCD_INITIAL_CLUSTER="master-2=https://10.0.0.2:2380,master-1=https://10.0.0.1:2380"' ;;
  *"member promote 2b"*) echo false >@added ;;
  *"member remove"*) exit 1 ;;
esac
`;
const kubeadm = `#!/bin/bash
echo "kubeadm $*" >>@calls
case "$*" in *"etcd local"*) cp @patches/etcd0+json.json @patch; mkdir -p @etcd/member ;; esac
`;
const curl = `#!/bin/bash
case "$*" in *cluster-info*) echo jws-kubeconfig-abcdef ;; esac
`;

const written = (text: string) => text.replaceAll(/@(calls|added|patches|patch|etcd)\b/g, (_, name) => at(name));

before(async () => {
  for (const name of ["bin", "state", "etc", "log", "patches"]) fs.mkdirSync(at(name));
  const programs = { etcdctl, kubeadm, curl, systemctl: "#!/bin/sh\n", sleep: "#!/bin/sh\n" };
  for (const [name, text] of Object.entries(programs))
    fs.writeFileSync(at("bin", name), written(text), { mode: 0o755 });
  fs.writeFileSync(at("bin", "patient-configuration"), '#!/bin/sh\necho "$1"\n', { mode: 0o755 });
  await new Promise<void>((resolve) => server.listen(at("containerd.sock"), resolve));
});
after(() => {
  server.close();
  fs.rmSync(folder, { recursive: true });
});

function install(work: CommandScript): void {
  const runtime = containerRuntime(examplePlan("lab")).inScripts;
  for (const name of [
    work,
    "kubernetes/cluster-state",
    "kubernetes/etcd-command",
    "kubernetes/etcd-membership",
  ] as const) {
    const moved = commandFile(name, runtime)
      .content.replaceAll("/etc/groundplane", at("etc"))
      .replaceAll("/etc/kubernetes", at("etc"))
      .replaceAll("/var/lib/groundplane", at("state"))
      .replaceAll("/var/lib/etcd", at("etcd"))
      .replaceAll("/var/lib/kubelet", at("kubelet"))
      .replaceAll("/var/log/groundplane", at("log"))
      .replaceAll("/run/groundplane", at("run"))
      .replaceAll("/run/containerd", folder);
    fs.writeFileSync(at("bin", path.basename(name) as GuestCommand), moved, { mode: 0o755 });
  }
}

interface Run {
  readonly phase: string;
  /** Calls that change something, without the paths of this test. */
  readonly calls: readonly string[];
  /** What kubeadm added to the manifest of etcd. */
  readonly flags: readonly string[];
}

function run(work: CommandScript, order: string, environment: Readonly<Record<string, string>>): Run {
  for (const name of ["calls", "added", "etcd", "patch", "state/phase"])
    fs.rmSync(at(name), { recursive: true, force: true });
  install(work);
  fs.writeFileSync(at("state", "order"), `${order}\n`);
  fs.writeFileSync(at("state", "join-token"), "abcdef.0123456789abcdef\n");
  fs.writeFileSync(at("etc", "join.yaml"), "token: none\n");
  const settings = {
    ...{ NODE_NAME: "master-2", NODE_ADDRESS: "10.0.0.2", API_PORT: "6443", API_ADDRESS: "10.0.0.9" },
    ...{ KUBEADM_PATCHES: at("patches"), KUBEADM_CONTROL_PLANE: "control-plane.yaml" },
    ...{ KUBEADM_JOIN_CONFIGURATION: at("etc", "join.yaml"), ...environment },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  fs.writeFileSync(at("etc", "node.env"), lines.join(""));
  const env = { PATH: `${at("bin")}:${process.env.PATH}` };
  const { stderr } = spawnSync("bash", [at("bin", "cluster-work")], { env, encoding: "utf8", timeout: patienceMs });
  assert.equal(stderr, "");
  const calls = fs
    .readFileSync(at("calls"), "utf8")
    .split("\n")
    .filter((line) => /kubeadm|member (?:add|remove|promote)/.test(line))
    .map((line) =>
      line
        .replace(/etcdctl .*(?=member)/, "etcdctl ")
        .replaceAll(`${folder}/`, "")
        .replace(/ --ignore.*/, ""),
    );
  const flags = fs.existsSync(at("patch")) ? JSON.parse(fs.readFileSync(at("patch"), "utf8")) : [];
  return {
    phase: fs.readFileSync(at("state", "phase"), "utf8").split("\n")[0] ?? "",
    calls,
    flags: flags.map(({ value }: { value: string }) => value),
  };
}

const certificates = ["etcd-server", "etcd-peer", "etcd-healthcheck-client"].map(
  (name) => `kubeadm init phase certs ${name} --config control-plane.yaml`,
);
const joinsEtcd = [
  ...certificates,
  "etcdctl member add master-2 --learner --peer-urls=https://10.0.0.2:2380",
  "kubeadm init phase etcd local --config control-plane.yaml",
  "etcdctl member promote 2b",
];
const existing = [
  "--initial-cluster=master-2=https://10.0.0.2:2380,master-1=https://10.0.0.1:2380",
  "--initial-cluster-state=existing",
];
const members = { ETCD_MEMBERS: "master-1=10.0.0.1 master-2=10.0.0.2" };

test("a machine that only runs etcd bootstraps with the initial members", () => {
  const { phase, calls, flags } = run("etcd/cluster-work", "first master-2=https://10.0.0.2:2380", members);
  assert.equal(phase, "member");
  assert.deepEqual(calls, [...certificates, "kubeadm init phase etcd local --config control-plane.yaml"]);
  assert.deepEqual(flags, ["--initial-cluster=master-2=https://10.0.0.2:2380", "--initial-cluster-state=new"]);
});

test("a machine that only runs etcd joins as a learner and is promoted", () => {
  assert.deepEqual(run("etcd/cluster-work", "join", members), { phase: "member", calls: joinsEtcd, flags: existing });
});

test("a master with services is a member of etcd before kubeadm joins it, and kubeadm does not look for members", () => {
  const { phase, calls, flags } = run("kubernetes/cluster-work", "join", { NODE_ROLE: "master", ...members });
  assert.equal(phase, "member");
  assert.deepEqual(calls, [...joinsEtcd, "kubeadm join --config run-join.yaml --skip-phases=check-etcd,etcd-join"]);
  assert.deepEqual(flags, existing);
});

test("a master with static pods is joined by kubeadm alone", () => {
  const { calls } = run("kubernetes/cluster-work", "join", { NODE_ROLE: "master" });
  assert.deepEqual(calls, ["kubeadm join --config run-join.yaml --skip-phases="]);
});
