// The scripts that make services of the manifests of the control plane, with systemctl and kubectl that stand for the machine's.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, type TestContext, test } from "node:test";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-services-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const scriptFile = (name: string) => path.resolve(__dirname, "../../cloud-init/scripts/services", `${name}.sh`);

const manifest = (...words: readonly string[]) =>
  `spec:\n  containers:\n  - command:\n${words.map((word) => `    - ${word}\n`).join("")}status: {}\n`;

interface Machine {
  readonly manifests: string;
  readonly prepared: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly file: (name: string) => string;
  /** What systemctl was asked for. */
  readonly calls: () => readonly string[];
}

function machine(): Machine {
  const root = fs.mkdtempSync(path.join(folder, "machine-"));
  const file = (name: string) => path.join(root, name);
  for (const name of ["manifests", "prepared", "bin", "pki"]) fs.mkdirSync(file(name));
  fs.writeFileSync(file("node.env"), 'CONTROL_PLANE_SERVICES="etcd kube-apiserver"\n');
  // As the unit does: a start prepares the component again.
  const systemctl = `#!/bin/bash
echo "$*" >>${file("calls")}
verb=$1; shift
[ "$verb" != stop ] || exit 0
for name; do
  : >"$PREPARED/$name.started"; cp "$MANIFESTS/$name.yaml" "$PREPARED/$name.yaml"
  : >"$PREPARED/$name.arguments"; echo ${file("pki/server.crt")} >"$PREPARED/$name.files"
done\n`;
  fs.writeFileSync(file("bin/systemctl"), systemctl, { mode: 0o755 });
  // The manifests of this test are simple enough.
  const kubectl = `#!/bin/bash
file=\${!#}; grep '^    - ' "\${file#--filename=}" | sed 's/^    - //' | jq -R . | jq -s '{spec: {containers: [{command: .}]}}'\n`;
  fs.writeFileSync(file("bin/kubectl"), kubectl, { mode: 0o755 });
  const environment = {
    PATH: `${file("bin")}:${process.env.PATH}`,
    NODE_ENVIRONMENT: file("node.env"),
    MANIFESTS: file("manifests"),
    PREPARED: file("prepared"),
  };
  const calls = () =>
    fs.existsSync(file("calls")) ? fs.readFileSync(file("calls"), "utf8").trim().split("\n").filter(Boolean) : [];
  return { manifests: file("manifests"), prepared: file("prepared"), environment, file, calls };
}

const eventually = async (what: string, condition: () => boolean): Promise<void> => {
  const end = performance.now() + 180_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

function follow(context: TestContext, { environment }: Machine): void {
  const child = spawn("bash", [scriptFile("follow-manifests")], {
    env: environment,
    stdio: ["ignore", "ignore", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
}

describe("follow-manifests", () => {
  test("a component starts when its manifest is complete, and stops when it is gone", async (context) => {
    const node = machine();
    follow(context, node);
    const etcd = path.join(node.manifests, "etcd.yaml");
    fs.writeFileSync(etcd, manifest("etcd").replace("status: {}\n", ""));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.deepEqual(node.calls(), [], "half a manifest");
    fs.appendFileSync(etcd, "status: {}\n");
    await eventually("the start", () => node.calls().length > 0);
    fs.rmSync(etcd);
    await eventually("the stop", () => node.calls().length > 1);
    assert.deepEqual(node.calls(), ["start etcd", "stop etcd"]);
  });

  test("a changed manifest restarts its component only, also when its file is older", async (context) => {
    const node = machine();
    for (const name of ["etcd", "kube-apiserver"])
      fs.writeFileSync(path.join(node.manifests, `${name}.yaml`), manifest(name));
    follow(context, node);
    await eventually("the start of both", () => node.calls().length === 2);
    const next = node.file("next.yaml");
    fs.writeFileSync(next, manifest("kube-apiserver", "--v=2"));
    fs.utimesSync(next, 1, 1);
    fs.renameSync(next, path.join(node.manifests, "kube-apiserver.yaml"));
    await eventually("the restart", () => node.calls().length === 3);
    assert.deepEqual(node.calls().slice(2), ["restart kube-apiserver"]);
  });

  test("renewed certificates restart their components once and together", async (context) => {
    const node = machine();
    fs.writeFileSync(node.file("pki/server.crt"), "former");
    for (const name of ["etcd", "kube-apiserver"])
      fs.writeFileSync(path.join(node.manifests, `${name}.yaml`), manifest(name));
    follow(context, node);
    await eventually("the start of both", () => node.calls().length === 2);
    fs.writeFileSync(node.file("pki/server.crt"), "renewed");
    await eventually("the restart", () => node.calls().length === 3);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.deepEqual(node.calls().slice(2), ["restart etcd kube-apiserver"]);
  });
});

describe("arguments", () => {
  const words = [
    "etcd",
    "--name=master-1",
    "--cert-file=/etc/kubernetes/pki/etcd/server.crt",
    "--data-dir=/var/lib/etcd",
  ];

  test("files below /etc/kubernetes become credentials, and everything else stays", () => {
    const node = machine();
    fs.writeFileSync(path.join(node.manifests, "etcd.yaml"), manifest(...words));
    const { status, stderr } = spawnSync("bash", [scriptFile("prepare-component"), "etcd"], {
      env: node.environment,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const read = (name: string) => fs.readFileSync(path.join(node.prepared, name), "utf8");
    assert.equal(read("etcd.files"), "/etc/kubernetes/pki/etcd/server.crt\n");
    assert.equal(
      read("etcd.arguments"),
      "--name=master-1\0--cert-file=@credentials@/pki-etcd-server.crt\0--data-dir=/var/lib/etcd\0",
    );
  });

  test("the program gets them under its own name, and a missing credential is named", () => {
    const node = machine();
    fs.writeFileSync(
      path.join(node.prepared, "etcd.arguments"),
      "--cert-file=@credentials@/pki-etcd-server.crt\0--x=a b\0",
    );
    const run = () =>
      spawnSync("bash", [scriptFile("run-component"), "etcd", "/bin/bash"], {
        env: { ...node.environment, CREDENTIALS_DIRECTORY: node.file("pki") },
        encoding: "utf8",
      });
    assert.match(run().stderr, /pki-etcd-server\.crt: the unit etcd has no such credential/);
    fs.writeFileSync(node.file("pki/pki-etcd-server.crt"), "");
    // bash refuses the argument and shows its own name.
    assert.match(run().stderr, /^etcd: --cert-file=.*pki-etcd-server\.crt: invalid option/);
  });
});
