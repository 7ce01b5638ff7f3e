import assert from "node:assert/strict";
import { test } from "node:test";
import { localHost } from "../../../../host/local-host";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import { wantedAdapters } from "../../../../hypervisors/virtualbox/adapters";
import * as commands from "../../../../hypervisors/virtualbox/commands";
import { dialectFor } from "../../../../hypervisors/virtualbox/dialect";
import { diskFiles } from "../../../../hypervisors/virtualbox/folders";
import { type Medium, parseVmInfo } from "../../../../hypervisors/virtualbox/parse-output";
import { type Changes, planChanges, type WantedMachine } from "../../../../hypervisors/virtualbox/plan-changes";
import { readBack } from "../../../../hypervisors/virtualbox/read-back";

const uuid = "6f1d3c1e-0000-5000-8000-00000000000a";
const image = "11111111-1111-5111-8111-111111111111";
const spec: MachineSpec = {
  stack: "lab",
  name: "gateway",
  uuid,
  image: "infrastructure-0123456789ab",
  cpus: 1,
  memoryMiB: 512,
  diskGiB: 8,
  nics: [{ segment: "dmz", name: "dmz", mac: "52:54:c0:a8:38:01" }],
  uplink: { mac: "52:54:0a:00:02:0f", forwards: [{ hostPort: 26443, guestPort: 6443 }] },
  disks: [{ disk: "gateway-data", mountPoint: "/data/data" }],
};
const dataDisk = diskFiles(localHost, { stack: "lab", name: "gateway-data" }).medium;
const places = {
  linux: {
    folder: "/data/vms",
    consoleLog: "/data/m/console.log",
    systemDisk: "/data/vms/system.vdi",
    seed: "/data/m/s.iso",
  },
  windows: {
    folder: "C:\\Users\\Me Too\\vms",
    consoleLog: "C:\\Users\\Me Too\\m\\console.log",
    systemDisk: "C:\\Users\\Me Too\\vms\\system.vdi",
    seed: "C:\\Users\\Me Too\\m\\s.iso",
  },
} as const;

function wantedIn(place: keyof typeof places, change: Partial<MachineSpec> = {}): WantedMachine {
  const { folder, ...files } = places[place];
  const changed = { ...spec, ...change };
  const owner = { stack: "lab", urn: "urn:gateway" };
  const dialect = dialectFor("7.2.22r175245", ["Debian12_64"], "linux");
  const vm = { name: "lab-gateway", uuid, group: "/groundplane-lab", folder };
  return {
    record: { owner, generation: "g1", spec: changed, seed: "s.iso", complete: true },
    adapters: wantedAdapters(changed),
    image,
    files,
    creation: commands.createVm(vm, dialect),
  };
}

/** The changes with the arguments of their calls. */
const lines = ({ stopFor, calls }: Changes) => ({ stopFor, calls: calls.map(({ argv }) => argv) });

for (const [name, place] of Object.entries(places)) {
  test(`a machine is created, marked, then configured in one call: ${name}`, () => {
    const wanted = wantedIn(name as keyof typeof places);
    const { calls, stopFor } = lines(planChanges(localHost, wanted, { info: undefined, media: [] }));
    assert.deepEqual(stopFor, []);
    const [creation, mark, modify, ...rest] = calls;
    assert.deepEqual(creation, [
      ...["createvm", "--name", "lab-gateway", "--platform-architecture", "x86", "--ostype", "Debian12_64"],
      ...["--basefolder", place.folder, "--groups", "/groundplane-lab", "--uuid", uuid, "--register"],
    ]);
    assert.deepEqual(mark, [
      ...["setextradata", uuid, "groundplane/owner"],
      '{"stack":"lab","urn":"urn:gateway","generation":"g1"}',
    ]);
    assert.deepEqual(modify, [
      ...["modifyvm", uuid, "--audio-enabled", "off", "--mouse", "ps2", "--keyboard", "ps2"],
      ...["--bioslogodisplaytime", "0", "--bioslogofadein", "off", "--bioslogofadeout", "off"],
      ...["--memory", "512", "--cpus", "1", "--chipset", "piix3", "--firmware", "bios", "--ioapic", "on"],
      ...["--graphicscontroller", "vmsvga", "--vram", "16", "--rtcuseutc", "on", "--paravirtprovider", "kvm"],
      ...["--nested-hw-virt", "off", "--usb-ohci", "off", "--usb-ehci", "off", "--usb-xhci", "off"],
      ...["--boot1", "disk", "--boot2", "none", "--boot3", "none", "--boot4", "none", "--biosbootmenu", "disabled"],
      ...["--clipboard", "disabled", "--draganddrop", "disabled", "--vrde", "off", "--autostart-enabled", "off"],
      ...["--defaultfrontend", "headless", "--uart1", "0x3F8", "4", "--uartmode1", "file", place.consoleLog],
      ...["--nic1", "nat", "--nictype1", "virtio", "--macaddress1", "52540A00020F", "--cableconnected1", "on"],
      ...["--nic2", "intnet", "--intnet2", "gp-lab-dmz", "--nicpromisc2", "deny", "--nictype2", "virtio"],
      ...["--macaddress2", "5254C0A83801", "--cableconnected2", "on"],
      ...[3, 4, 5, 6, 7, 8].flatMap((slot) => [`--nic${slot}`, "none"]),
      ...["--natpf1", "port-26443,tcp,127.0.0.1,26443,,6443"],
    ]);
    const attach = ["storageattach", uuid, "--storagectl", "SATA", "--port"];
    assert.deepEqual(rest, [
      [
        ...["storagectl", uuid, "--name", "SATA", "--add", "sata", "--controller", "IntelAHCI"],
        ...["--portcount", "4", "--bootable", "on"],
      ],
      ["createmedium", "disk", "--filename", place.systemDisk, "--diffparent", image],
      ["modifymedium", "disk", place.systemDisk, "--resizebyte", "8589934592"],
      [...attach, "0", "--device", "0", "--type", "hdd", "--medium", place.systemDisk],
      [...attach, "2", "--device", "0", "--type", "hdd", "--medium", dataDisk],
      [...attach, "1", "--device", "0", "--type", "dvddrive", "--medium", place.seed],
    ]);
  });
}

/** VirtualBox's output for the newly created machine, with some lines replaced. */
function shown(
  state: string,
  lines: Readonly<Record<string, string>> = {},
  forward = "port-26443,tcp,127.0.0.1,26443,,6443",
) {
  const { consoleLog, systemDisk, seed } = places.linux;
  const values: Record<string, string> = {
    ...{ VMState: state, memory: "512", cpus: "1", chipset: "piix3", firmware: "BIOS", uart1: "0x03f8,4" },
    ...{ uartmode1: `file,${consoleLog}`, storagecontrollername0: "SATA" },
    ...{ "SATA-0-0": systemDisk, "SATA-1-0": seed, "SATA-2-0": dataDisk, "SATA-3-0": "none" },
    ...{ nic1: "nat", nictype1: "virtio", macaddress1: "52540A00020F", cableconnected1: "on" },
    ...{
      nic2: "intnet",
      intnet2: "gp-lab-dmz",
      nictype2: "virtio",
      macaddress2: "5254C0A83801",
      cableconnected2: "on",
    },
    ...lines,
  };
  const text = Object.entries(values).map(([key, value]) => `"${key}"="${value}"\n`);
  return parseVmInfo(`${text.join("")}nic1="nat"\nForwarding(0)="${forward}"\n`);
}

const medium = (id: string, location: string, rest: Partial<Medium> = {}): Medium => ({
  ...{ uuid: id, parent: undefined, state: "created", type: "normal (base)", location, capacityMiB: 8192 },
  ...rest,
});
const media = [
  medium(image, "/data/image.vdi", { type: "multiattach" }),
  medium("s", places.linux.systemDisk, { parent: image }),
  medium("d", dataDisk),
];
const plan = (info: ReturnType<typeof shown>, change: Partial<MachineSpec> = {}, listed = media) =>
  lines(planChanges(localHost, wantedIn("linux", change), { info, media: listed }));

test("a machine without a difference does not change, running or stopped", () => {
  for (const state of ["running", "poweroff"]) assert.deepEqual(plan(shown(state)), { stopFor: [], calls: [] });
});

test("port-forwards, cables and the CD change while the machine runs", () => {
  const seen = shown("running", { cableconnected2: "off", "SATA-1-0": "/old.iso" }, "other,tcp,127.0.0.1,80,,80");
  const { stopFor, calls } = plan(seen);
  assert.deepEqual(stopFor, []);
  assert.deepEqual(calls, [
    ["controlvm", uuid, "setlinkstate2", "on"],
    ["controlvm", uuid, "natpf1", "delete", "other"],
    ["controlvm", uuid, "natpf1", "port-26443,tcp,127.0.0.1,26443,,6443"],
    commands.attachSeed(uuid, 1, places.linux.seed).argv,
  ]);
});

test("other changes require a stop with a reason, and are one transaction while the machine is stopped", () => {
  const change = { memoryMiB: 1024 };
  assert.deepEqual(plan(shown("running"), change).stopFor, ["memory is 512 instead of 1024"]);
  const still = plan(shown("poweroff", { intnet2: "elsewhere", cableconnected2: "off" }), change);
  assert.deepEqual(still, {
    stopFor: [],
    calls: [
      [
        ...["modifyvm", uuid, "--memory", "1024", "--nic2", "intnet", "--intnet2", "gp-lab-dmz"],
        ...["--cableconnected2", "on"],
      ],
    ],
  });
});

test("a saved state is discarded before settings change", () => {
  const { calls } = plan(shown("saved"), { cpus: 2 });
  assert.deepEqual(calls, [
    ["discardstate", uuid],
    ["modifyvm", uuid, "--cpus", "2"],
  ]);
});

test("a system disk grows, detached disks are attached, and foreign disks are detached", () => {
  const grown = plan(shown("running"), { diskGiB: 16 });
  assert.deepEqual(grown.stopFor, ["its system disk grows to 16 GiB"]);
  assert.deepEqual(grown.calls, [["modifymedium", "disk", places.linux.systemDisk, "--resizebyte", "17179869184"]]);
  const moved = plan(shown("poweroff", { "SATA-2-0": "none", "SATA-3-0": "/foreign.vdi" }));
  assert.deepEqual(moved.calls, [commands.detach(uuid, 3).argv, commands.attachDisk(uuid, 2, dataDisk).argv]);
});

test("a snapshot's layers over the system disk count as the system disk", () => {
  const layer = medium("l", "/data/vms/Snapshots/l.vdi", { parent: "s" });
  assert.deepEqual(plan(shown("poweroff", { "SATA-0-0": layer.location }), {}, [...media, layer]).calls, []);
});

test("manual changes read back as drift", () => {
  const { record, adapters, files } = wantedIn("linux");
  const read = (info: ReturnType<typeof shown>, listed = media) =>
    readBack(localHost, { spec: record.spec, adapters, image, files }, info, listed);
  assert.deepEqual(read(shown("running")), { spec, drift: [] });
  const byHand = read(shown("poweroff", { memory: "640", firmware: "EFI", intnet2: "elsewhere", "SATA-2-0": "none" }));
  assert.equal(byHand.spec.memoryMiB, 640);
  assert.deepEqual(byHand.spec.disks, []);
  assert.deepEqual(byHand.drift, [
    "firmware is efi instead of bios",
    "adapter 2 (dmz) is intnet elsewhere instead of intnet gp-lab-dmz",
  ]);
  const lost = read(shown("poweroff"), [
    medium(image, "/data/image.vdi", { state: "inaccessible" }),
    ...media.slice(1),
  ]);
  assert.deepEqual(lost.drift, ["the image that its system disk is based on is missing"]);
});
