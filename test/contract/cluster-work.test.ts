import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { commandFile } from "../../cloud-init/guest-command";
import { containerRuntime } from "../../cloud-init/planned-runtime";
import { examplePlan } from "../support/example-plans";

/** Runs the command that bootstraps a master, in a folder instead of the root, with programs that only record their calls. */
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-work-"));
const server = net.createServer();
const at = (...names: string[]) => path.join(folder, ...names);

before(async () => {
  for (const name of ["bin", "state", "etc", "log"]) fs.mkdirSync(at(name));
  for (const name of ["cluster-work", "cluster-state"] as const) {
    const moved = commandFile(`kubernetes/${name}`, containerRuntime(examplePlan("lab")).inScripts)
      .content.replaceAll("/etc/groundplane", at("etc"))
      .replaceAll("/etc/kubernetes", at("etc"))
      .replaceAll("/var/lib/groundplane", at("state"))
      .replaceAll("/var/log/groundplane", at("log"))
      .replaceAll("/run/containerd", folder);
    fs.writeFileSync(at("bin", name), moved, { mode: 0o755 });
  }
  fs.writeFileSync(at("bin", "patient-configuration"), '#!/bin/sh\n[ -s "$1" ] && echo "$1"\n', { mode: 0o755 });
  for (const name of ["kubeadm", "kubectl", "systemctl", "sleep"])
    fs.writeFileSync(at("bin", name), `#!/bin/sh\necho "${name} $*" >>${at("calls")}\n`, { mode: 0o755 });
  await new Promise<void>((resolve) => server.listen(at("containerd.sock"), resolve));
});
after(() => {
  server.close();
  fs.rmSync(folder, { recursive: true });
});

function bootstrap(
  patches: string,
  configuration: string,
  order = "first",
): { readonly phase: string; readonly calls: string } {
  for (const name of ["calls", "state/phase"]) fs.rmSync(at(name), { force: true });
  fs.writeFileSync(at("calls"), "");
  fs.writeFileSync(at("state", "order"), `${order} master-1=https://192.168.57.11:2380\n`);
  fs.writeFileSync(
    at("etc", "node.env"),
    [
      ...[`KUBEADM_PATCHES=${patches}`, `KUBEADM_INIT_CONFIGURATION=${configuration}`, "API_PORT=6443"],
      ...["NODE_ROLE=master", "NODE_ADDRESS=192.168.57.11", `FLANNEL_MANIFEST=${at("flannel.yaml")}`],
    ].join("\n"),
  );
  const env = { PATH: `${at("bin")}:${process.env.PATH}` };
  spawnSync("bash", [at("bin", "cluster-work")], { env, encoding: "utf8" });
  return {
    phase: fs.readFileSync(at("state", "phase"), "utf8").split("\n")[0] ?? "",
    calls: fs.readFileSync(at("calls"), "utf8"),
  };
}

test("a bootstrap whose steps succeed makes a member", () => {
  fs.writeFileSync(at("init.yaml"), "kind: InitConfiguration\n");
  const { phase, calls } = bootstrap(at("patches"), at("init.yaml"));
  assert.equal(phase, "member");
  assert.match(calls, new RegExp(`^kubeadm init --config ${at("init.yaml")} `, "m"));
});

test("kubeadm writes no object that the provider keeps in the cluster, where etcd may have it already", () => {
  fs.writeFileSync(at("init.yaml"), "kind: InitConfiguration\n");
  for (const order of ["first", "other"]) {
    const [, skipped = ""] = /--skip-phases=(\S+)/.exec(bootstrap(at("patches"), at("init.yaml"), order).calls) ?? [];
    for (const phase of ["upload-config", "upload-certs", "bootstrap-token", "addon"])
      assert.ok(skipped.split(",").includes(phase), `${order}: ${phase}`);
  }
});

test("a bootstrap stops at the first step that fails", () => {
  fs.writeFileSync(at("file"), "");
  // Without the patch, kubeadm would start an etcd of its own.
  assert.deepEqual(callsOf(bootstrap(at("file", "patches"), at("init.yaml"))), ["failed", false]);
  // Without a configuration, kubeadm would use its defaults.
  assert.deepEqual(callsOf(bootstrap(at("patches"), at("no.yaml"))), ["failed", false]);
});

const callsOf = ({ phase, calls }: { phase: string; calls: string }) => [phase, /kubeadm|kubectl/.test(calls)];
