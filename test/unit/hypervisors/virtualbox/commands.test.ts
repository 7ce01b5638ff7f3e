// Each command fails before and after it took effect. The session must recognize which of both it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { localHost } from "../../../../host/local-host";
import type { Command } from "../../../../hypervisors/virtualbox/command-kinds";
import * as commands from "../../../../hypervisors/virtualbox/commands";
import { dialectFor } from "../../../../hypervisors/virtualbox/dialect";
import type { Reply } from "../../../../hypervisors/virtualbox/known-issues";
import * as networkCommands from "../../../../hypervisors/virtualbox/network-commands";
import { createVirtualBox } from "../../../../hypervisors/virtualbox/vboxmanage";
import { isRead } from "../../../support/virtualbox-reads";

const vm = "6f1d3c1e-0000-5000-8000-000000000001";
const dialect = dialectFor("7.2.22r1", ["Debian12_64"], "linux");
const forward = { hostPort: 2222, guestPort: 22 };

/** A command, and the answer by which its effect is seen: the question, and the answers before and after. */
interface Row {
  readonly command: Command;
  readonly seenBy?: readonly [question: string, before: string, after: string];
}
type Builders = Omit<typeof commands & typeof networkCommands, "convertImage">;

const registered = (before: string, after: string) => ["list vms", before, after] as const;
const shows = (before: string, after: string) => [`showvminfo ${vm} --machinereadable`, before, after] as const;
const state = (before: string, after: string) => shows(`VMState="${before}"\n`, `VMState="${after}"\n`);
const listed = (list: string, field: string, before: string, after: string) => {
  const text = (value: string) => (value === "" ? "" : `${field}: ${value}\n`);
  return [`list ${list}`, text(before), text(after)] as const;
};
const medium = (before: string, after: string, parent = "base") => {
  const text = (file: string) =>
    file === "" ? "" : `UUID: id\nParent UUID: ${parent}\nState: created\nLocation: ${file}\n`;
  return ["list hdds", text(before), text(after)] as const;
};
const vmLine = `"one" {${vm}}\n`;
const rule = 'nic1="nat"\nForwarding(0)="port-2222,tcp,127.0.0.1,2222,,22"\n';
const otherRule = 'nic1="nat"\nForwarding(0)="port-2222,tcp,127.0.0.1,2222,,80"\n';
const disk = 'storagecontrollername0="SATA"\n"SATA-2-0"="/d.vdi"\n';
const noDisk = disk.replace("/d.vdi", "none");

/** Every command of the driver; the compiler reports a missing one. */
const rows: Readonly<Record<keyof Builders, Row>> = {
  showVersion: { command: commands.showVersion() },
  listVms: { command: commands.listVms() },
  listDisks: { command: commands.listDisks() },
  listCds: { command: commands.listCds() },
  listOsTypes: { command: commands.listOsTypes() },
  showVm: { command: commands.showVm(vm) },
  readMark: { command: commands.readMark(vm, "key") },
  createVm: {
    command: commands.createVm({ name: "one", uuid: vm, group: "/g", folder: "/f" }, dialect),
    seenBy: registered("", vmLine),
  },
  deleteVm: { command: commands.deleteVm(vm), seenBy: registered(vmLine, "") },
  forgetVm: { command: commands.forgetVm(vm), seenBy: registered(vmLine, "") },
  mark: { command: commands.mark(vm, "key", "value") },
  modifyVm: { command: commands.modifyVm(vm, ["--memory", "512"]) },
  modifyVmAndForwards: {
    command: commands.modifyVmAndForwards(vm, ["--memory", "512"], { slot: 1, remove: ["port-2222"], add: [forward] }),
    seenBy: shows(otherRule, rule),
  },
  addController: { command: commands.addController(vm, 1), seenBy: shows("", noDisk) },
  attachDisk: { command: commands.attachDisk(vm, 2, "/d.vdi") },
  attachSeed: { command: commands.attachSeed(vm, 1, "/s.iso") },
  detach: { command: commands.detach(vm, 2), seenBy: shows(disk, noDisk) },
  shareImage: { command: commands.shareImage("id") },
  keepOutOfSnapshots: { command: commands.keepOutOfSnapshots("/d.vdi") },
  createLinkedDisk: { command: commands.createLinkedDisk("/d.vdi", "image"), seenBy: medium("", "/d.vdi", "image") },
  createDisk: { command: commands.createDisk("/d.vdi", 1), seenBy: medium("/other.vdi", "/d.vdi") },
  resizeDisk: { command: commands.resizeDisk("/d.vdi", 2) },
  forgetDisk: { command: commands.forgetDisk("id"), seenBy: medium("/d.vdi", "") },
  forgetSeed: { command: commands.forgetSeed("/s.iso"), seenBy: listed("dvds", "Location", "/s.iso", "/other.iso") },
  startVm: { command: commands.startVm(vm), seenBy: state("poweroff", "running") },
  pressPowerButton: { command: commands.pressPowerButton(vm), seenBy: state("running", "stopping") },
  cutPower: { command: commands.cutPower(vm), seenBy: state("running", "poweroff") },
  pause: { command: commands.pause(vm), seenBy: state("running", "paused") },
  resume: { command: commands.resume(vm), seenBy: state("paused", "running") },
  discardSavedState: { command: commands.discardSavedState(vm), seenBy: state("saved", "poweroff") },
  setCable: { command: commands.setCable(vm, 1, true) },
  addLiveForward: { command: commands.addLiveForward(vm, 1, forward), seenBy: shows("", rule) },
  removeLiveForward: { command: commands.removeLiveForward(vm, 1, "port-2222"), seenBy: shows(rule, 'nic1="nat"\n') },
  replugLive: { command: commands.replugLive(vm, 1, "intnet", "other") },
  deleteSnapshot: {
    command: commands.deleteSnapshot(vm, "s2"),
    seenBy: shows('SnapshotUUID="s1"\nSnapshotUUID-1="s2"\n', 'SnapshotUUID="s1"\n'),
  },
  listBridgedAdapters: { command: networkCommands.listBridgedAdapters() },
  listHostOnlyInterfaces: { command: networkCommands.listHostOnlyInterfaces() },
  createHostOnlyInterface: {
    command: networkCommands.createHostOnlyInterface(["vboxnet0"]),
    seenBy: ["list hostonlyifs", "Name: vboxnet0\n", "Name: vboxnet0\n\nName: vboxnet1\n"],
  },
  addressHostOnlyInterface: { command: networkCommands.addressHostOnlyInterface("vboxnet0", "10.0.0.1", "255.0.0.0") },
  removeHostOnlyInterface: {
    command: networkCommands.removeHostOnlyInterface("vboxnet0"),
    seenBy: listed("hostonlyifs", "Name", "vboxnet0", "vboxnet1"),
  },
  listDhcpServers: { command: networkCommands.listDhcpServers() },
  removeDhcpServer: {
    command: networkCommands.removeDhcpServer("vboxnet0"),
    seenBy: listed(
      "dhcpservers",
      "NetworkName",
      "HostInterfaceNetworking-vboxnet0",
      "HostInterfaceNetworking-vboxnet1",
    ),
  },
  listHostOnlyNetworks: { command: networkCommands.listHostOnlyNetworks() },
  addHostOnlyNetwork: {
    command: networkCommands.addHostOnlyNetwork("n", "255.0.0.0", "10.0.0.1", "10.0.0.2"),
    seenBy: listed("hostonlynets", "Name", "", "n"),
  },
  removeHostOnlyNetwork: {
    command: networkCommands.removeHostOnlyNetwork("n"),
    seenBy: listed("hostonlynets", "Name", "n", ""),
  },
};

const ok: Reply = { exitCode: 0, signal: null, stdout: "", stderr: "" };
const crash: Reply = { exitCode: 139, signal: null, stdout: "", stderr: "" };
const refusal: Reply = { ...ok, exitCode: 1, stderr: "VBoxManage: error: refused\n" };

/** One execution of the command: its reply, and whether its effect is visible from then on. */
type Execution = readonly [Reply, "changed" | "unchanged"];

/** Calls the command, whose executions are as given. Returns how many there were, and the failure. */
async function calling({ command, seenBy }: Row, executions: readonly Execution[]) {
  let count = 0;
  let isChanged = false;
  const box = createVirtualBox({
    host: { ...localHost, clock: { ...localHost.clock, sleep: async () => {} } },
    async execute(argv) {
      const line = argv.join(" ");
      if (line !== command.argv.join(" ")) {
        assert.equal(line, seenBy?.[0], "the question");
        return { ...ok, stdout: seenBy?.[isChanged ? 2 : 1] ?? "" };
      }
      const [reply, effect] = executions[count++] ?? assert.fail("one execution too many");
      isChanged = effect === "changed";
      return reply;
    },
    locked: (action) => action(),
  });
  const failure = await box
    .session((session) => session.call(command))
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  return { count, failure };
}

for (const [name, row] of Object.entries(rows)) {
  const { kind, argv } = row.command;
  const hasQuestion = kind === "once" || kind === "addition";

  test(`${name} (${kind}) that crashes after it took effect is done`, async () => {
    const { count, failure } = await calling(row, [
      [crash, "changed"],
      [hasQuestion ? refusal : ok, "changed"],
    ]);
    assert.deepEqual([count, failure], [hasQuestion ? 1 : 2, undefined]);
    assert.equal(isRead(argv), kind === "read");
    assert.equal(row.seenBy !== undefined, hasQuestion);
  });

  test(`${name} (${kind}) that crashes before it took effect is repeated, unless that may add another object`, async () => {
    const { count, failure } = await calling(row, [
      [crash, "unchanged"],
      [ok, "changed"],
    ]);
    if (kind !== "addition") return assert.deepEqual([count, failure], [2, undefined]);
    assert.equal(count, 1);
    assert.match(failure ?? "", /failed with exit code 139/);
  });

  if (!hasQuestion) continue;
  test(`${name} (${kind}) that VirtualBox refuses is done only if its effect is visible`, async () => {
    assert.deepEqual(await calling(row, [[refusal, "changed"]]), { count: 1, failure: undefined });
    const { failure } = await calling(row, [[refusal, "unchanged"]]);
    assert.match(failure ?? "", /refused/);
  });

  if (kind !== "once") continue;
  test(`${name} that took effect late is repeated, and done when the repetition is refused`, async () => {
    const { count, failure } = await calling(row, [
      [crash, "unchanged"],
      [refusal, "changed"],
    ]);
    assert.deepEqual([count, failure], [2, undefined]);
  });
}

for (const [what, row] of Object.entries<Row>({
  "a disk of another image is not the new one": {
    command: commands.createLinkedDisk("/d.vdi", "image"),
    seenBy: medium("", "/d.vdi", "other"),
  },
  "a disk without an image is not the new one": {
    command: commands.createLinkedDisk("/d.vdi", "image"),
    seenBy: medium("", "/d.vdi"),
  },
  "a linked disk is not an empty one": {
    command: commands.createDisk("/d.vdi", 1),
    seenBy: medium("", "/d.vdi", "image"),
  },
  "a machine that stops has not been started": {
    command: commands.startVm(vm),
    seenBy: state("poweroff", "stopping"),
  },
}))
  test(what, async () => {
    const { count, failure } = await calling(row, [[refusal, "changed"]]);
    assert.equal(count, 1);
    assert.match(failure ?? "", /refused/);
  });
