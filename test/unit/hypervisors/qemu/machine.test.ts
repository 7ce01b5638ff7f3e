import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import * as commands from "../../../../hypervisors/qemu/commands";
import { createQemuDriver } from "../../../../hypervisors/qemu/driver";
import { controlSocket, qmpSocket } from "../../../../hypervisors/qemu/names";
import { RecordingHost, type RunningProcess, type ScriptedCommand } from "../../../support/recording-host";

const GIB = 1024 ** 3;
const owner = { stack: "lab", urn: "urn:pulumi:lab::groundplane::Machine::gateway" };
const seed = { userData: "#cloud-config\n", metaData: "instance-id: a\n", networkConfig: "version: 2\n" };
const dmz = { stack: "lab", name: "dmz" };
const image = "infrastructure-disk-1";
const hex = createHash("sha256").update("raw").digest("hex");
const backing = `/data/qemu/images/${hex}.qcow2`;
const disk = "/data/stacks/lab/qemu/machines/gateway/disk.qcow2";
const gateway: MachineSpec = {
  stack: "lab",
  name: "gateway",
  uuid: "6f1d3c1e-0000-5000-8000-000000000001",
  image,
  cpus: 2,
  memoryMiB: 512,
  diskGiB: 10,
  nics: [{ segment: "dmz", name: "dmz", mac: "52:54:00:00:00:01" }],
  uplink: { mac: "52:54:00:00:00:02", forwards: [{ hostPort: 2222, guestPort: 22 }] },
  disks: [],
};

const writes =
  (file: string): ScriptedCommand["effect"] =>
  (host) =>
    host.files.writeAtomic(file, "qcow2");

const script: readonly ScriptedCommand[] = [
  {
    argv: commands.convertRaw(`/data/images/${image}/disk.raw`, `${backing}.partial`),
    effect: writes(`${backing}.partial`),
  },
  { argv: commands.describeDisk(backing), stdout: JSON.stringify({ "virtual-size": 4 * GIB }) },
  { argv: commands.makeOverlay(`${disk}.partial`, backing, 10 * GIB), effect: writes(`${disk}.partial`) },
  {
    argv: commands.describeDisk(disk),
    stdout: JSON.stringify({ "virtual-size": 10 * GIB, "full-backing-filename": backing }),
  },
  { argv: ["qemu-system-x86_64", "--version"], stdout: "QEMU emulator version 9.2.1 (Debian 1:9.2.1)\n" },
];

/** The switch accepts every configuration. QEMU accepts every command, and ends on `quit`. */
function onStart(host: RecordingHost, { pid, argv }: RunningProcess): void {
  if (argv[0] !== "qemu-system-x86_64") return void host.listeners.set(controlSocket(host, "lab"), () => "{}");
  const socket = qmpSocket(host, gateway);
  host.lineListeners.set(socket, {
    greeting: ["{}"],
    answer: (line) => {
      const { id, execute } = JSON.parse(line) as { id: number; execute: string };
      if (execute === "quit") host.alive.delete(pid);
      return [JSON.stringify({ event: "RESUME" }), JSON.stringify({ id, return: {} })];
    },
  });
}

const makeHost = (changes: ConstructorParameters<typeof RecordingHost>[0] = {}): RecordingHost =>
  new RecordingHost({
    files: {
      [`/data/images/${image}/image.json`]: JSON.stringify({ digest: `sha256:${hex}`, form: "disk" }),
      [`/data/images/${image}/disk.raw`]: "raw",
      "/groundplane/dist/qemu-switch.js": "",
      "/proc/cpuinfo": "flags\t\t: fpu vme\n",
    },
    commands: script,
    onStart,
    ...changes,
  });

async function makeGateway(host: RecordingHost) {
  const driver = createQemuDriver(host);
  await driver.ensureImage({ name: image });
  await driver.ensureSegment(dmz, owner);
  await driver.ensureMachine(gateway, seed, owner);
  return driver;
}

test("a machine is created, started, stopped and removed, and nothing remains", async () => {
  const host = makeHost();
  const driver = await makeGateway(host);
  assert.equal((await driver.inspectMachine(gateway))?.power, "stopped");
  assert.equal(host.files.modeOf(backing), 0o444, "machines lie over it");
  assert.equal(host.files.modeOf("/data/stacks/lab/qemu/machines/gateway/seed.iso"), 0o600);

  await driver.startMachine(gateway);
  const start = host.log.at(-1) ?? "";
  assert.match(start, /^start qemu-system-x86_64 -nodefaults .* -accel tcg,thread=multi,tb-size=256 -cpu max -smp 2 /);
  assert.match(start, /hostfwd=tcp:127\.0\.0\.1:2222-10\.0\.2\.15:22/);
  assert.equal((await driver.inspectMachine(gateway))?.power, "running");
  const before = host.log.length;
  await driver.startMachine(gateway);
  assert.equal(host.log.length, before, "a running machine is left alone");

  await driver.stopMachine(gateway, 0);
  assert.equal((await driver.inspectMachine(gateway))?.power, "stopped");
  await driver.removeMachine(gateway, owner);
  await driver.removeSegment(dmz, owner);
  await driver.releaseImage({ name: image });
  assert.equal(host.log.at(-1), "kill /usr/bin/node", "the switch ends with the last segment");
  assert.deepEqual([...host.alive], []);
  for (const folder of ["/data/stacks/lab", "/data/qemu", "/run/groundplane"]) {
    assert.deepEqual(host.traces(folder), [], folder);
  }
});

test("KVM is used if the processor and the device allow it", async () => {
  const files = { "/proc/cpuinfo": "flags\t\t: fpu vmx\n" };
  for (const [access, accelerator] of [
    ["usable", "kvm"],
    ["forbidden", "tcg"],
  ] as const) {
    const host = makeHost({ devices: { "/dev/kvm": access } });
    for (const [file, text] of Object.entries(files)) host.files.writeInPlace(file, text);
    const driver = await makeGateway(host);
    await driver.startMachine(gateway);
    assert.match(host.log.at(-1) ?? "", new RegExp(` -accel ${accelerator}\\b`));
  }
});

test("a used port is reported with its holder before anything starts", async () => {
  const host = makeHost({ usedPorts: [2222] });
  const driver = await makeGateway(host);
  await assert.rejects(driver.startMachine(gateway), {
    id: "port-taken",
    problem: "port 127.0.0.1:2222, which leads to gateway, is held by nginx (process 7)",
  });
  assert.ok(!host.log.some((line) => line.startsWith("start qemu-system")));
});

test("a QEMU process that ends at once is an error with its output", async () => {
  const host = makeHost({
    onStart: (started, process) => {
      if (process.argv[0] !== "qemu-system-x86_64") return onStart(started, process);
      started.files.writeInPlace("/data/stacks/lab/qemu/machines/gateway/qemu.log", "no such machine type\n");
      started.alive.delete(process.pid);
    },
  });
  const driver = await makeGateway(host);
  await assert.rejects(driver.startMachine(gateway), /did not start:\n {2}no such machine type/);
  assert.equal((await driver.inspectMachine(gateway))?.power, "stopped");
});
