import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import { limitConsoles } from "../../../../hypervisors/virtualbox/console-limit";
import { createVirtualBoxDriver } from "../../../../hypervisors/virtualbox/driver";
import { releaseStack } from "../../../../hypervisors/virtualbox/segments";
import { type HostScript, RecordingHost, type ScriptedCommand } from "../../../support/recording-host";

const recorded = (name: string): string =>
  readFileSync(path.join(__dirname, "../../../transcripts/virtualbox-7.2", `${name}.txt`), "utf8");
const program = "/usr/lib/virtualbox/VBoxManage";
const vbox = (...argv: string[]): readonly string[] => [program, ...argv];

const owner = { stack: "lab", urn: "urn:pulumi:lab::groundplane::Machine::gateway" };
const uuid = "6f1d3c1e-0000-5000-8000-000000000001";
const gateway: MachineSpec = {
  stack: "lab",
  name: "gateway",
  uuid,
  image: "infrastructure-disk-1",
  cpus: 2,
  memoryMiB: 512,
  diskGiB: 10,
  nics: [],
  uplink: { mac: "52:54:00:00:00:02", forwards: [{ hostPort: 2222, guestPort: 22 }] },
  disks: [],
};
const show = vbox("showvminfo", uuid, "--machinereadable");

const withGateway = (commands: readonly ScriptedCommand[], changes: HostScript = {}): RecordingHost =>
  new RecordingHost({
    files: {
      [program]: "",
      "/data/stacks/lab/machines/gateway/machine.json": JSON.stringify({
        ...{ owner, generation: "1", spec: gateway, seed: "seed-1.iso", complete: true },
      }),
    },
    commands,
    ...changes,
  });

const off = 'VMState="poweroff"\nnic1="nat"\ncableconnected1="off"\n';
const on = 'VMState="running"\nnic1="nat"\ncableconnected1="on"\n';

test("a machine starts with its cables plugged in", async () => {
  const host = withGateway([
    { argv: show, stdout: off },
    { argv: vbox("modifyvm", uuid, "--cableconnected1", "on") },
    { argv: vbox("startvm", uuid, "--type", "headless") },
  ]);
  await createVirtualBoxDriver(host).startMachine(gateway);
  assert.deepEqual(
    host.log.map((line) => line.replace(`${program} `, "")),
    [
      "start sh /groundplane/hypervisors/virtualbox/limit-consoles.sh /data/stacks/lab/machines 8192",
      `showvminfo ${uuid} --machinereadable`,
      `modifyvm ${uuid} --cableconnected1 on`,
      `startvm ${uuid} --type headless`,
    ],
  );
});

test("one process per stack keeps the consoles small, from a start to the removal of the last machine", async () => {
  const commands = [{ argv: show, stdout: on }];
  const host = withGateway(commands);
  for (let starts = 0; starts < 2; starts++) await createVirtualBoxDriver(host).startMachine(gateway);
  const limiters = () => [...host.alive.values()].map(({ argv }) => argv.slice(1).join(" "));
  assert.deepEqual(limiters(), [
    "/groundplane/hypervisors/virtualbox/limit-consoles.sh /data/stacks/lab/machines 8192",
  ]);
  await releaseStack(host, "lab");
  assert.equal(limiters().length, 1, "a machine is left");
  await host.files.remove("/data/stacks/lab/machines/gateway");
  await releaseStack(host, "lab");
  assert.deepEqual(limiters(), []);
  assert.ok(!(await host.files.exists("/data/stacks/lab")));

  const mac = withGateway(commands, { facts: { platform: "darwin" } });
  await limitConsoles(mac, "lab");
  assert.equal(mac.alive.size, 0);
});

test("the console of the previous start is kept, however long it is", async () => {
  const host = withGateway([
    { argv: show, stdout: off },
    { argv: vbox("modifyvm", uuid, "--cableconnected1", "on") },
    { argv: vbox("startvm", uuid, "--type", "headless") },
  ]);
  const console = "/data/stacks/lab/machines/gateway/console.log";
  await host.files.writeAtomic(console, "boot");
  // A file that was emptied while the machine ran is long, with a hole: its text is more than Node.js can read.
  const readText = async (file: string) => (file === console ? assert.fail("read") : host.files.readText(file));
  const files = Object.create(host.files, { readText: { value: readText } });
  await createVirtualBoxDriver(Object.create(host, { files: { value: files } })).startMachine(gateway);
  assert.equal(await host.files.readText("/data/stacks/lab/machines/gateway/console.1.log"), "boot");
});

test("a used port is reported with its holder, and the machine stays off", async () => {
  const host = withGateway([{ argv: show, stdout: off }], { usedPorts: [2222] });
  await assert.rejects(createVirtualBoxDriver(host).startMachine(gateway), {
    id: "port-taken",
    problem: "port 127.0.0.1:2222, which leads to gateway, is held by nginx (process 7)",
  });
});

test("a guest that ignores its power button loses its power at the deadline", async () => {
  const host = withGateway([
    ...[on, on, on].map((stdout) => ({ argv: show, stdout })),
    { argv: vbox("controlvm", uuid, "acpipowerbutton") },
    {
      argv: vbox("controlvm", uuid, "poweroff"),
      effect: () => void poweredOff.push(true),
    },
  ]);
  const poweredOff: boolean[] = [];
  const driver = createVirtualBoxDriver({
    ...host,
    files: host.files,
    run: async (argv, options) => {
      const result = await host.run(argv, options);
      return argv.includes("showvminfo") && poweredOff.length > 0 ? { ...result, stdout: off } : result;
    },
  });
  await driver.stopMachine(gateway, 1_000);
  assert.deepEqual(poweredOff, [true]);
  assert.ok(host.clock.now() >= 1_000, "not before the deadline");
  assert.ok(host.log.some((line) => line.endsWith("acpipowerbutton")));
});

test("without VirtualBox, no program is started", async () => {
  const host = withGateway([], { files: {} });
  await assert.rejects(createVirtualBoxDriver(host).ensureImage({ name: "infrastructure-disk-1" }), {
    id: "image-missing",
  });
  const [problem] = await createVirtualBoxDriver(host).problems();
  assert.equal(problem?.id, "virtualbox-missing");
});

test("hosts of three platforms are examined", async () => {
  const hostInfo = recorded("host-info").replace("HW virtualization: no", "HW virtualization: yes");
  const mac = "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage";
  const windows = "C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe";
  const question = "(Get-CimInstance -ClassName Win32_ComputerSystem).HypervisorPresent";
  const told = (file: string): readonly ScriptedCommand[] => [
    { argv: [file, "--version"], stdout: recorded("version") },
    { argv: [file, "list", "hostinfo"], stdout: hostInfo },
  ];
  const states = async (script: HostScript) =>
    ((await createVirtualBoxDriver(new RecordingHost(script)).examineHost?.()) ?? [])
      .filter(({ state }) => state !== "ok")
      .map(({ id, state }) => `${id} ${state}`);
  const linux = { files: { [program]: "", "/proc/cpuinfo": "flags\t: vmx\n" }, commands: told(program) };
  assert.deepEqual(await states({ ...linux, devices: { "/dev/vboxdrv": "usable" } }), []);
  assert.deepEqual(await states(linux), ["kernel-module problem"]);
  assert.deepEqual(
    await states({ facts: { platform: "darwin", homeFolder: "/Users/a" }, files: { [mac]: "" }, commands: told(mac) }),
    [],
  );
  assert.deepEqual(
    await states({
      facts: { platform: "win32", homeFolder: "C:\\Users\\a", env: { ProgramFiles: "C:\\Program Files" } },
      files: { [windows]: "" },
      commands: [
        ...told(windows),
        {
          argv: ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", question],
          stdout: "True\r\n",
        },
      ],
    }),
    ["hyper-v warning"],
  );
});

const systemDisk = "/data/stacks/lab/virtualbox/groundplane-lab/lab-gateway/system.vdi";
const attached = (file: string): string => `storagecontrollername0="SATA"\n"SATA-0-0"="${file}"\n`;

test("a snapshot pauses a machine, copies its disk and resumes it, and a restore cuts its power", async () => {
  const paused = on.replace("running", "paused");
  const show = (state: string, count = 1): ScriptedCommand[] =>
    Array.from({ length: count }, () => ({
      argv: vbox("showvminfo", uuid, "--machinereadable"),
      stdout: state + attached(systemDisk),
    }));
  const host = withGateway([
    ...[...show(on, 2), ...show(paused), ...show(on, 2)],
    ...[{ argv: show(off)[0]?.argv ?? [], stdout: off + attached(systemDisk) }],
    { argv: vbox("controlvm", uuid, "pause") },
    { argv: vbox("controlvm", uuid, "resume") },
    { argv: vbox("controlvm", uuid, "poweroff") },
    { argv: vbox("list", "hdds"), stdout: "" },
    { argv: vbox("modifyvm", uuid, "--cableconnected1", "on") },
    { argv: vbox("startvm", uuid, "--type", "headless") },
  ]);
  await host.files.writeAtomic(systemDisk, "before");
  const { snapshots } = createVirtualBoxDriver(host);
  const one = { stack: "lab", name: "one" };
  await snapshots?.createSnapshot(one);
  const changes = () =>
    host.log.filter((line) => /controlvm|startvm/.test(line)).map((line) => line.replace(`${program} `, ""));
  assert.deepEqual(changes(), [`controlvm ${uuid} pause`, `controlvm ${uuid} resume`]);
  const copy = "/data/stacks/lab/snapshots/one/machines/gateway/system.vdi";
  assert.equal(await host.files.readText(copy), "before");
  assert.equal(host.memory.modeOf(copy), 0o600);
  await host.files.writeAtomic(systemDisk, "after");
  await snapshots?.restoreSnapshot(one);
  assert.equal(await host.files.readText(systemDisk), "before");
  assert.deepEqual(changes().slice(2), [`controlvm ${uuid} poweroff`, `startvm ${uuid} --type headless`]);
});

test("a machine that writes to another disk than ours gets no snapshot, and is not paused", async () => {
  const other = `${systemDisk.slice(0, -"system.vdi".length)}Snapshots/{1}.vdi`;
  const host = withGateway([{ argv: show, stdout: on + attached(other) }]);
  const creation = createVirtualBoxDriver(host).snapshots?.createSnapshot({ stack: "lab", name: "one" });
  await assert.rejects(creation ?? Promise.resolve(), /does not write to .*system\.vdi, but to .*Snapshots/);
});
