import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { before, test } from "node:test";
import { imagesFolder } from "../../host/data-folder";
import { exists, listFolder, readIfPresent } from "../../host/file-store";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { ensureImages } from "../../image/build-images";
import { layerFilesFolder } from "../../image/image-files";
import { containerLayer } from "../../image/recipes/container-layer";
import { imageFor } from "../../image/recipes/image-names";
import { kubernetesRecipe } from "../../image/recipes/kubernetes";
import { rootTree } from "../../image/recipes/root-tree";
import { defaultKubernetesVersion, releaseOf } from "../../model/releases";

/** The images of real machines. Missing images are built here. */
const needsRoot = { skip: process.getuid?.() !== 0 && "needs root" };
const version = defaultKubernetesVersion;
const kubernetesImage = path.join(imagesFolder(), imageFor("kubernetes", version, "tree"));
const layer = (name: string): string => path.join(kubernetesImage, "layers", name);
const units = "etc/systemd/system";

before(async () => {
  if (!needsRoot.skip)
    await ensureImages(localHost, { progress: ({ phase, message }) => console.log(`${phase}: ${message}`) });
});

/** Runs a command in the image's layers as a machine sees them. Its writes are discarded. */
async function inImage(argv: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const lower = ["container", "kubernetes", "base"].map(layer).join(":");
  const script = [
    "set -e",
    'scratch=$(mktemp -d) && mount -t tmpfs tmpfs "$scratch" && mkdir "$scratch/upper" "$scratch/work" "$scratch/root"',
    `mount -t overlay -o "lowerdir=${lower},upperdir=$scratch/upper,workdir=$scratch/work" overlay "$scratch/root"`,
    'mount -t proc proc "$scratch/root/proc" && mount -t tmpfs tmpfs "$scratch/root/run"',
    'mount --rbind /dev "$scratch/root/dev"',
    'status=0; chroot "$scratch/root" "$@" || status=$?',
    'umount -l "$scratch" && rmdir "$scratch" && exit "$status"',
  ].join("\n");
  const own = ["unshare", "--mount", "--propagation", "private", "--net", "sh", "-c", script, "sh"];
  return runCommand([...own, ...argv]);
}

test("passwords are locked, and nothing identifies a machine or the builder", needsRoot, async () => {
  const base = layer("base");
  const shadow = await fs.readFile(path.join(base, "etc/shadow"), "utf8");
  for (const line of shadow.trim().split("\n")) assert.match(line, /^[^:]+:[*!]+:/, "locked");
  assert.equal(await fs.readFile(path.join(base, "etc/machine-id"), "utf8"), "");
  for (const name of rootTree.forgotten) {
    assert.equal(await exists(path.join(base, name)), false, name);
  }
  assert.deepEqual(
    (await listFolder(path.join(base, "etc/ssh"))).filter((name) => name.startsWith("ssh_host_")),
    [],
  );
  assert.deepEqual(
    (await listFolder(path.join(base, "etc/apt/apt.conf.d"))).filter((name) => /mmdebstrap/.test(name)),
    [],
  );
  assert.ok((await fs.lstat(path.join(base, "etc/resolv.conf"))).isFile());
  assert.doesNotMatch((await readIfPresent(path.join(base, "etc/resolv.conf"))) ?? "", /^nameserver/m);
});

test("the container layer masks units that would affect the host, the root tree does not", needsRoot, async () => {
  for (const unit of containerLayer.maskedUnits) {
    assert.equal(await fs.readlink(path.join(layer("container"), units, unit)), "/dev/null", unit);
  }
  const masked = [];
  for (const name of await listFolder(path.join(layer("base"), units))) {
    const target = await fs.readlink(path.join(layer("base"), units, name)).catch(() => "");
    if (target === "/dev/null") masked.push(name);
  }
  assert.deepEqual(masked, rootTree.layer.maskedUnits);
  const own = [
    ...(await listFolder(path.join(layer("base"), units))),
    ...(await listFolder(path.join(layer("base"), "usr/local/lib"))),
  ];
  assert.deepEqual(
    own.filter((name) => name.startsWith("groundplane")),
    [],
  );
});

test("ssh, the network and a node's runtime start at boot, and services of roles do not", needsRoot, async () => {
  const wanted = new Set<string>();
  for (const name of ["base", "kubernetes"]) {
    for (const folder of await listFolder(path.join(layer(name), units))) {
      if (/\.(wants|requires)$/.test(folder)) {
        for (const unit of await listFolder(path.join(layer(name), units, folder))) wanted.add(unit);
      }
    }
  }
  for (const unit of rootTree.layer.disabledUnits) assert.ok(!wanted.has(unit), unit);
  for (const unit of ["ssh", "systemd-networkd", "containerd", "kubelet", "groundplane-pods"]) {
    assert.ok(wanted.has(`${unit}.service`), unit);
  }
});

test("systemd accepts the added units", needsRoot, async () => {
  const added = [
    "kubelet",
    "groundplane-pods",
    "groundplane-writable-cgroups",
    "groundplane-kernel-shield",
    "containerd",
  ];
  const { stdout, stderr } = await inImage([
    "systemd-analyze",
    "verify",
    "--man=no",
    ...added.map((unit) => `${unit}.service`),
    "systemd-sysctl.service",
  ]);
  assert.equal(stdout + stderr, "");
});

test("containerd accepts its settings", needsRoot, async () => {
  const { stdout: dump } = await inImage(["containerd", "config", "dump"]);
  const { containerImages } = kubernetesRecipe(version);
  const pause = containerImages.find(({ name }) => name.includes("/pause:"))?.name;
  for (const line of [
    `sandbox = '${pause}'`,
    "conf_template = '/etc/containerd/cni-template.json'",
    "bin_dirs = ['/usr/lib/cni']",
    "restrict_oom_score_adj = true",
    "disable_apparmor = true",
    "SystemdCgroup = false",
  ]) {
    assert.ok(dump.includes(line), line);
  }
});

test("cloud-init accepts its trimmed configuration", needsRoot, async () => {
  const modules =
    "from cloudinit import settings, util; from cloudinit.config import modules as m; import importlib, sys";
  const check = [
    modules,
    "cfg = util.read_conf_with_confd('/etc/cloud/cloud.cfg')",
    "names = [n for s in ('init', 'config', 'final') for n in cfg['cloud_%s_modules' % s]]",
    "[importlib.import_module('cloudinit.config.cc_' + n.replace('-', '_')) for n in names]",
    "print(','.join(cfg['datasource_list']), len(names))",
  ].join("\n");
  assert.equal((await inImage(["python3", "-c", check])).stdout.trim(), "NoCloud 7");
});

test("kubeadm requires only existing images, and programs report their version", needsRoot, async () => {
  const { stdout: asked } = await inImage([
    "kubeadm",
    "config",
    "images",
    "list",
    "--kubernetes-version",
    `v${version}`,
  ]);
  const names = kubernetesRecipe(version).containerImages.map((image) => image.name);
  for (const name of asked.trim().split("\n")) assert.ok(names.includes(name), name);
  assert.equal((await inImage(["kubelet", "--version"])).stdout.trim(), `Kubernetes v${version}`);
  assert.match((await inImage(["kubectl", "version", "--client"])).stdout, new RegExp(`Client Version: v${version}`));
  const { containerd, runc, crictl } = releaseOf(version);
  assert.ok((await inImage(["containerd", "--version"])).stdout.includes(` v${containerd} `));
  assert.ok((await inImage(["crictl", "--version"])).stdout.includes(`v${crictl}`));
  // Without seccomp no pod with a profile could start.
  assert.match(
    (await inImage(["runc", "--version"])).stdout,
    new RegExp(`^runc version ${runc}\n[^]*libseccomp: 2\\.`),
  );
});

test("the scripts of layers and builds pass shellcheck", async (t) => {
  const found = await runCommand(["sh", "-c", "command -v shellcheck"], { allowedExitCodes: [0, 1, 127] });
  if (found.exitCode !== 0) return t.skip("shellcheck is not installed");
  const scripts = [path.join(__dirname, "../../image/scripts/unpack-container-images.sh")];
  for (const name of ["container", "kubernetes"]) {
    const folder = path.join(layerFilesFolder(name), "usr/local/lib", `groundplane-${name}`);
    scripts.push(...(await listFolder(folder)).map((script) => path.join(folder, script)));
  }
  assert.ok(scripts.length > 3);
  await runCommand(["shellcheck", ...scripts]);
});
