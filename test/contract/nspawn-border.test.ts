import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import type { MachineName, Owner } from "../../hypervisors/hypervisor";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { machineFiles } from "../../hypervisors/nspawn/folders";
import { findDifference, type Manifest } from "../../image/store/manifest";
import { guestSeed, guestSpec } from "../support/guest-machines";
import { freePort, hostSettings, until } from "../support/host-observations";
import { inMachine, makeNspawnHost, nspawnSkipReason, tracesOf } from "../support/nspawn-host";

/** The border of a system container: what its root cannot do to the host and to other machines. */
const skip = nspawnSkipReason();
const host = skip ? undefined : makeNspawnHost();
const stack = `border-${process.pid.toString(36)}`;
const driver = createNspawnDriver(localHost);
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::test::machine` };
const machine: MachineName = { stack, name: "master-1" };

/** Runs a script as root of the machine: as its systemd starts it, so in its cgroup and with its capabilities. */
async function asRoot(script: string): Promise<{ readonly code: number; readonly output: string }> {
  const wrapped = `{ ${script}\n} 2>&1; echo "exit $?"`;
  const words = ["--pipe", "--wait", "--quiet", "--collect", "sh", "-c", wrapped];
  const output = await inMachine(machine, "systemd-run", ...words);
  const code = /exit (\d+)$/.exec(output)?.[1];
  return { code: Number(code), output: output.replace(/exit \d+$/, "").trimEnd() };
}

async function refused(
  script: string,
  reason = /not permitted|permission denied|read-only file system/i,
): Promise<void> {
  const { code, output } = await asRoot(script);
  assert.notEqual(code, 0, `this was possible: ${script}\n${output}`);
  assert.match(output, reason, script);
}

async function possible(script: string): Promise<string> {
  const { code, output } = await asRoot(script);
  assert.equal(code, 0, `${script}\n${output}`);
  return output;
}

/** Until its systemd has started everything. */
const booted = (): Promise<void> =>
  until("the machine has booted", async () => {
    const state = await inMachine(machine, "sh", "-c", "systemctl is-system-running || true");
    return /^(?:running|degraded)$/.test(state);
  });

const layers = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots";
const blobs = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256";

describe("the border of a system container", { skip }, () => {
  const files = machineFiles(localHost, machine);
  const sealed = () => path.join(host?.data ?? "", "images", image, "containerd");
  let image = "";
  let settings: unknown;

  before(async () => {
    image = host?.image("kubernetes") ?? "";
    settings = hostSettings();
    await driver.ensureSegment({ stack, name: "masters" }, owner);
    const spec = guestSpec(stack, "master-1", image, await freePort());
    await driver.ensureMachine(spec, guestSeed("master-1"), owner);
    // As if an image had brought device nodes along.
    fs.mkdirSync(path.join(files.upper, "nodes"));
    const disk = fs.statSync(host?.data ?? "/").dev;
    const [major, minor] = [(disk >> 8) & 0xfff, (disk & 0xff) | ((disk >> 12) & 0xfff00)];
    for (const [name, ...kind] of [
      ["kmsg", "c", "1", "11"],
      ["disk", "b", String(major), String(minor)],
      ["loop", "c", "10", "237"],
      ["null", "c", "1", "3"],
    ]) {
      await runCommand(["mknod", path.join(files.upper, "nodes", name ?? ""), ...kind]);
    }
    await driver.startMachine(machine);
    await booted();
  });

  after(async () => {
    await driver.removeMachine(machine, owner);
    await driver.removeSegment({ stack, name: "masters" }, owner);
    assert.deepEqual(await tracesOf(host?.data ?? "", [stack]), []);
    host?.remove();
  });

  test("root uses no device of the host, neither one that it makes nor one that it finds", async () => {
    await refused("mknod /root/kmsg c 1 11");
    await refused("mknod /root/loop c 10 237");
    await refused("mknod /root/disk b 254 0");
    for (const name of ["kmsg", "disk", "loop"]) await refused(`head -c 1 /nodes/${name}`);
    await possible("echo x >/nodes/null; head -c 1 /dev/urandom >/dev/null; mknod /root/null c 1 3");
  });

  test("root reads no kernel log and loads no modules", async () => {
    await refused("dmesg --syslog");
    assert.equal(await possible("dmesg"), "", "the device is a link to null");
    const bounding = BigInt(`0x${await possible("sed -n 's/^CapBnd:\\t//p' /proc/self/status")}`);
    const has = (bit: number) => (bounding >> BigInt(bit)) % 2n === 1n;
    for (const [name, bit] of Object.entries({
      dacReadSearch: 2,
      immutable: 9,
      module: 16,
      rawIo: 17,
      time: 25,
      syslog: 34,
    }))
      assert.ok(!has(bit), name);
  });

  test("root opens no file of the host by its number", async () => {
    // open_by_handle_at with a handle that cannot exist: refused before the kernel looks at it.
    await refused(
      `perl -e 'my $h = "\\0" x 64; exit 0 if syscall(304, 0, $h, 0) >= 0; print "$!\\n"; exit 1'`,
      /not permitted/,
    );
  });

  test("root sets no release agent", async (t) => {
    if (!fs.existsSync("/sys/fs/cgroup/memory")) return t.skip("version 2 has none");
    await possible("mkdir -p /run/g && mount -t cgroup -o memory cgroup /run/g && test ! -e /run/g/release_agent");
    await refused("mount -o remount,release_agent=/x /run/g", /not permitted|denied|busy/);
    await refused("mount -t cgroup -o none,name=doors cgroup /mnt", /not permitted|denied/);
  });

  test("root writes the settings of its own namespaces and no other, in any mount of proc", async () => {
    await possible("mkdir -p /run/p && mount -t proc proc /run/p && echo 1 >/run/p/sys/net/ipv4/ip_forward");
    await possible("echo 32000 >/run/p/sys/kernel/msgmax && cat /run/p/sys/kernel/core_pattern");
    for (const name of [
      "kernel/core_pattern",
      "kernel/panic_on_oops",
      "vm/swappiness",
      "fs/inotify/max_user_watches",
    ]) {
      await refused(`cat /run/p/sys/${name} >/run/setting; cat /run/setting >/run/p/sys/${name}`);
    }
    assert.deepEqual(hostSettings(), settings);
  });

  test("root changes no limit of its machine", async () => {
    const own = await possible("cat /proc/self/cgroup");
    assert.doesNotMatch(own, new RegExp(stack), "the guest sees no level above its own");
  });

  test("container images are the sealed ones, and no machine can change them", async () => {
    const [layer = ""] = fs.readdirSync(path.join(sealed(), path.relative("/var/lib/containerd", layers)));
    await refused(`touch ${layers}/${layer}/fs/doors`);
    await refused(`mount -o remount,bind,rw ${layers}/${layer}`);
    await refused(`mkdir -p /run/l && mount --bind ${layers}/${layer} /run/l && mount -o remount,bind,rw /run/l`);
    await refused("touch /run/l/doors");
    const [blob = ""] = fs.readdirSync(path.join(sealed(), path.relative("/var/lib/containerd", blobs)));
    const source = path.join(sealed(), path.relative("/var/lib/containerd", blobs), blob);
    const before = await localHost.files.digest(source);
    await possible(`echo doors >${blobs}/${blob}`);
    assert.equal(await localHost.files.digest(source), before);
    assert.notEqual(
      fs.statSync(path.join(files.containerd, path.relative("/var/lib/containerd", blobs), blob)).ino,
      fs.statSync(source).ino,
    );
    await possible(`rm ${blobs}/${blob}`);
  });

  test("pods and machines do not reach the host or its metadata service, unless they are listed", async (t) => {
    const [own] = localHost.facts.addresses;
    if (own === undefined) return t.skip("this host has only its loopback");
    const server = net.createServer((socket) => socket.end("host")).listen(0, "0.0.0.0");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const gateway: MachineName = { stack, name: "gateway" };
    const spec = guestSpec(stack, "gateway", host?.image("infrastructure") ?? "", await freePort());
    await driver.ensureSegment({ stack, name: "workers" }, owner);
    const reaches = async (address: string): Promise<boolean> => {
      const script = `timeout 3 bash -c ': </dev/tcp/${address}/${port}'`;
      return inMachine(gateway, "sh", "-c", script).then(
        () => true,
        () => false,
      );
    };
    const start = async (reachable: readonly string[]) => {
      const uplink = spec.uplink && { ...spec.uplink, ...(reachable.length > 0 && { reachable }) };
      await driver.ensureMachine({ ...spec, uplink }, guestSeed("gateway"), owner);
      await driver.startMachine(gateway);
      await until("the uplink is up", async () => /default/.test(await inMachine(gateway, "ip", "route")));
    };
    try {
      await start([]);
      assert.equal(await reaches(own), false, "the host's own address");
      assert.equal(await reaches("169.254.169.254"), false);
      await start([`${own}/32`]);
      await until("listed", () => reaches(own));
    } finally {
      server.close();
      await driver.removeMachine(gateway, owner);
      await driver.removeSegment({ stack, name: "workers" }, owner);
    }
  });

  test("containers of the sealed images still run", async () => {
    const busybox = await possible("ctr -n k8s.io images list -q 2>/dev/null | grep busybox");
    assert.equal(
      await possible(`ctr -n k8s.io run --rm --snapshotter overlayfs ${busybox} t1 echo works 2>/dev/null`),
      "works",
    );
    assert.equal(await possible(`ctr -n k8s.io run --rm --privileged ${busybox} t2 echo works 2>/dev/null`), "works");
  });

  test("a store of hard links, as earlier versions made it, is replaced at the next start", async () => {
    await driver.stopMachine(machine, 20_000);
    await localHost.files.remove(files.containerd);
    await localHost.files.remove(files.contentWork);
    await runCommand(["cp", "--archive", "--link", "--", sealed(), files.containerd]);
    // containerd writes to its databases, of which each machine had a copy: a link would change the sealed image.
    for (const database of (await localHost.files.filesBelow(sealed())).filter((name) => name.endsWith(".db")))
      await runCommand([
        "cp",
        "--remove-destination",
        path.join(sealed(), database),
        path.join(files.containerd, database),
      ]);
    const file = (await localHost.files.filesBelow(sealed())).find((name) => name.includes("/fs/")) ?? "";
    assert.equal(fs.statSync(path.join(files.containerd, file)).ino, fs.statSync(path.join(sealed(), file)).ino);
    await driver.startMachine(machine);
    await booted();
    assert.ok(!fs.existsSync(path.join(files.containerd, file)), "the link is gone");
    await possible(`test -e /var/lib/containerd/${file}`);
    await refused(`touch /var/lib/containerd/${file}`);
  });

  test("the sealed image has not changed", async () => {
    const seal = await localHost.files.readJson<Manifest>(path.join(sealed(), "..", "containerd.seal.json"));
    assert.ok(seal);
    assert.equal(await findDifference(localHost, sealed(), seal, false), undefined);
  });
});
