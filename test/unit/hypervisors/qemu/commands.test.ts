import assert from "node:assert/strict";
import { after, test } from "node:test";
import { localHost } from "../../../../host/local-host";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import { type MachineOptions, runMachine } from "../../../../hypervisors/qemu/commands";
import { versionProblem } from "../../../../hypervisors/qemu/host-checks";
import { checkNames, runtimeFolder } from "../../../../hypervisors/qemu/names";
import { driverRequirements, installedHypervisor } from "../../../../model/driver-requirements";
import { isAtLeast } from "../../../../model/versions";

const before = process.env.GROUNDPLANE_DATA;
process.env.GROUNDPLANE_DATA = "/data";
after(() => {
  if (before === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = before;
});

const gateway: MachineSpec = {
  stack: "lab",
  name: "gateway",
  uuid: "6f1d3c1e-0000-5000-8000-000000000001",
  image: "infrastructure-disk-1",
  cpus: 2,
  memoryMiB: 512,
  diskGiB: 10,
  nics: [{ segment: "dmz", name: "dmz", mac: "52:54:00:00:00:01" }],
  uplink: { mac: "52:54:00:00:00:02", forwards: [{ hostPort: 2222, guestPort: 22 }] },
  disks: [{ disk: "gateway-data", mountPoint: "/data" }],
};

const options: MachineOptions = {
  version: [10, 0],
  accelerator: "tcg",
  files: { disk: "/d/disk.qcow2", seed: "/d/seed.iso", consoleLog: "/d, e/console.log" },
  dataDisks: ["/disks/data.qcow2"],
};

/** The values that follow each mention of an option. */
function valuesOf(argv: readonly string[], option: string): readonly string[] {
  return argv.flatMap((word, index) => (word === option ? [argv[index + 1] as string] : []));
}

test("a machine's cables connect to its segments, and its uplink connects through the switch to the NAT", () => {
  const run = runtimeFolder(localHost, "lab");
  assert.deepEqual(valuesOf(runMachine(localHost, gateway, options), "-netdev"), [
    `stream,id=card-dmz-cable,server=off,addr.type=unix,addr.path=${run}/segment.dmz,reconnect-ms=500`,
    `stream,id=card-uplink-cable,server=off,addr.type=unix,addr.path=${run}/uplink.gateway,reconnect-ms=500`,
    "user,id=nat,net=10.0.2.0/24,dhcpstart=10.0.2.15,ipv6=off,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22",
    `stream,id=nat-cable,server=off,addr.type=unix,addr.path=${run}/nat.gateway,reconnect-ms=500`,
    "hubport,id=nat-port,hubid=0,netdev=nat",
    "hubport,id=nat-cable-port,hubid=0,netdev=nat-cable",
  ]);
});

test("cards have their planned MAC, and a machine without an uplink has no NAT", () => {
  const { uplink: _uplink, ...inner } = gateway;
  const argv = runMachine(localHost, inner, options);
  assert.deepEqual(
    valuesOf(argv, "-device").filter((device) => device.startsWith("virtio-net")),
    ["virtio-net-pci,id=card-dmz,netdev=card-dmz-cable,mac=52:54:00:00:00:01,romfile="],
  );
  assert.equal(valuesOf(argv, "-netdev").length, 1);
});

test("disks are found by their serial numbers, and the seed is read-only", () => {
  const argv = runMachine(localHost, gateway, options);
  assert.deepEqual(
    valuesOf(argv, "-device").filter((device) => device.startsWith("virtio-blk")),
    [
      "virtio-blk-pci,drive=system,id=disk-system,serial=system,bootindex=0",
      "virtio-blk-pci,drive=data-0,id=disk-data-0,serial=gateway-data",
      "virtio-blk-pci,drive=seed,serial=seed",
    ],
  );
  const seed = valuesOf(argv, "-blockdev")
    .map((text) => JSON.parse(text))
    .find((node) => node["node-name"] === "seed");
  assert.equal(seed["read-only"], true);
});

test("a guest has the host's processor with KVM, and an emulated processor without it", () => {
  const processor = (accelerator: "kvm" | "tcg") => {
    const argv = runMachine(localHost, gateway, { ...options, accelerator });
    return [...valuesOf(argv, "-accel"), ...valuesOf(argv, "-cpu"), ...valuesOf(argv, "-smp")];
  };
  assert.deepEqual(processor("kvm"), ["kvm", "host", "2"]);
  assert.deepEqual(processor("tcg"), ["tcg,thread=multi,tb-size=256", "max", "2"]);
});

test("older versions reconnect cables by another option, and commas in paths are escaped", () => {
  const argv = runMachine(localHost, gateway, { ...options, version: [8, 2] });
  assert.match(valuesOf(argv, "-netdev")[0] ?? "", /,reconnect=1$/);
  assert.ok(valuesOf(argv, "-chardev").includes("file,id=console,append=on,path=/d,, e/console.log"));
});

test("versions are parsed and compared", () => {
  const said = "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)";
  assert.deepEqual(installedHypervisor(driverRequirements.qemu.hypervisor, said)?.version, [10, 0, 2]);
  assert.equal(installedHypervisor(driverRequirements.qemu.hypervisor, "bash: no"), undefined);
  assert.equal(isAtLeast([10, 0], [9, 2]), true);
  assert.equal(isAtLeast([9, 1], [9, 2]), false);
});

test("an unusable QEMU is reported with the reason and the next step", () => {
  assert.equal(versionProblem("QEMU emulator version 8.2.1", "tcg"), undefined);
  assert.equal(versionProblem(undefined, "tcg")?.id, "qemu-missing");
  assert.equal(versionProblem("something else", "kvm")?.id, "qemu-unknown");
  const old = versionProblem("QEMU emulator version 7.2.9", "tcg");
  assert.equal(old?.id, "qemu-too-old");
  assert.match(old?.problem ?? "", /emulate.*wrongly/);
  assert.match(old?.hint ?? "", /bookworm-backports/);
  assert.doesNotMatch(versionProblem("QEMU emulator version 7.2.9", "kvm")?.problem ?? "", /emulate/);
});

test("names that are too long for a socket or a serial number are refused before anything is created", () => {
  checkNames(localHost, gateway);
  assert.throws(() => checkNames(localHost, { ...gateway, name: "x".repeat(90) }), /socket .* at most 107/);
  const disks = [{ disk: "a-very-long-pool-name-1", mountPoint: "/data" }];
  assert.throws(() => checkNames(localHost, { ...gateway, disks }), /at most 20/);
});
