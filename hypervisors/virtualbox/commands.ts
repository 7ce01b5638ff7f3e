import type { PortForward } from "../hypervisor";
import {
  type Argv,
  isRegistered,
  type Once,
  once,
  type Read,
  type Repeatable,
  read,
  repeatable,
} from "./command-kinds";
import type { Dialect } from "./dialect";
import { areForwardsChanged, type ForwardChanges, forwardRule } from "./forwards";
import { CONTROLLER } from "./names";
import type { VmInfo } from "./parse-output";
import { hasController, isReadable, isSameFile, mediumAt, occupiedSlots } from "./storage";
import { isBusy, isPaused, isRunning, isSaved, isStopping } from "./vm-state";

/** Pure builders of every command of this driver. */

export const showVersion = (): Read => read("--version");
export const listVms = (): Read => read("list", "vms");
export const listDisks = (): Read => read("list", "hdds");
export const listCds = (): Read => read("list", "dvds");
export const listOsTypes = (): Read => read("list", "ostypes");
export const showVm = (vm: string): Read => read("showvminfo", vm, "--machinereadable");
export const readMark = (vm: string, key: string): Read => read("getextradata", vm, key);

type Done = Once["done"];
/** Whether the machine is registered and in this state. */
const is =
  (vm: string, isAsWanted: (info: VmInfo) => boolean): Done =>
  async (now) => {
    const info = await now.vm(vm);
    return info !== undefined && isAsWanted(info);
  };

export interface NewVm {
  readonly name: string;
  readonly uuid: string;
  readonly group: string;
  /** VirtualBox creates the group's folder in it. */
  readonly folder: string;
}

export const createVm = (vm: NewVm, dialect: Dialect): Once =>
  once(
    [
      ...["createvm", "--name", vm.name, ...dialect.architecture, "--ostype", dialect.osType],
      ...["--basefolder", vm.folder, "--groups", vm.group, "--uuid", vm.uuid, "--register"],
    ],
    (now) => isRegistered(now, vm.uuid),
  );
const isUnregistered =
  (vm: string): Done =>
  async (now) =>
    !(await isRegistered(now, vm));
/** Deletes the machine with its folder, settings, logs and every disk that is still attached. */
export const deleteVm = (vm: string): Once => once(["unregistervm", vm, "--delete"], isUnregistered(vm));
/** Deletes only the entry in the registry. */
export const forgetVm = (vm: string): Once => once(["unregistervm", vm], isUnregistered(vm));
export const mark = (vm: string, key: string, value: string): Repeatable => repeatable("setextradata", vm, key, value);
/** One transaction: if one option is wrong, nothing changes. Forwards need the other command. */
export const modifyVm = (vm: string, options: Argv): Repeatable => repeatable("modifyvm", vm, ...options);
/** One transaction as well. VirtualBox refuses a rule that exists, and the removal of one that does not. */
export const modifyVmAndForwards = (vm: string, options: Argv, changes: ForwardChanges): Once =>
  once(
    [
      ...["modifyvm", vm, ...options],
      ...changes.remove.flatMap((rule) => [`--natpf${changes.slot}`, "delete", rule]),
      ...changes.add.flatMap((forward) => [`--natpf${changes.slot}`, forwardRule(forward)]),
    ],
    is(vm, (info) => areForwardsChanged(info, changes)),
  );

export const addController = (vm: string, ports: number): Once =>
  once(
    [
      ...["storagectl", vm, "--name", CONTROLLER, "--add", "sata", "--controller", "IntelAHCI"],
      ...["--portcount", String(ports), "--bootable", "on"],
    ],
    is(vm, hasController),
  );
const slot = (vm: string, port: number): Argv => [
  ...["storageattach", vm, "--storagectl", CONTROLLER, "--port", String(port), "--device", "0"],
];
export const attachDisk = (vm: string, port: number, file: string): Repeatable =>
  repeatable(...slot(vm, port), "--type", "hdd", "--medium", file);
export const attachSeed = (vm: string, port: number, file: string): Repeatable =>
  repeatable(...slot(vm, port), "--type", "dvddrive", "--medium", file);
export const detach = (vm: string, port: number): Once =>
  once(
    [...slot(vm, port), "--medium", "none"],
    is(vm, (info) => !occupiedSlots(info).some((occupied) => occupied.port === port)),
  );

/** Does not use VBoxSVC, and is never repeated. */
export const convertImage = (raw: string, file: string, uuid: string): Argv => [
  ...["convertfromraw", raw, file, "--format", "VDI", "--variant", "Standard", "--uuid", uuid],
];
/** Machines write to separate linked disks, and the image stays when they are removed. */
export const shareImage = (medium: string): Repeatable =>
  repeatable("modifymedium", "disk", medium, "--type", "multiattach");
/** Snapshots exclude the disk, so its data is never rolled back or merged. */
export const keepOutOfSnapshots = (file: string): Repeatable =>
  repeatable("modifymedium", "disk", file, "--type", "writethrough");
/** @param image its parent, which the disk of a former machine may not have */
const isCreated =
  (file: string, image?: string): Done =>
  async (now) => {
    const medium = mediumAt(await now.media(), file);
    return medium !== undefined && isReadable(medium) && medium.parent === image;
  };
export const createLinkedDisk = (file: string, image: string): Once =>
  once(["createmedium", "disk", "--filename", file, "--diffparent", image], isCreated(file, image));
export const createDisk = (file: string, sizeGiB: number): Once =>
  once(
    [
      ...["createmedium", "disk", "--filename", file, "--size", String(sizeGiB * 1024)],
      ...["--format", "VDI", "--variant", "Standard"],
    ],
    isCreated(file),
  );
/** In bytes, because VBoxManage rejects a large growth in MiB as a mistake. */
export const resizeDisk = (file: string, sizeGiB: number): Repeatable =>
  repeatable("modifymedium", "disk", file, "--resizebyte", String(sizeGiB * 1024 ** 3));
export const forgetDisk = (medium: string): Once =>
  once(["closemedium", "disk", medium], async (now) => !(await now.media()).some(({ uuid }) => uuid === medium));
export const forgetSeed = (file: string): Once =>
  once(["closemedium", "dvd", file], async (now) => {
    const seeds = await now.list(listCds());
    return !seeds.some((seed) => isSameFile(seed.get("Location") ?? "", file));
  });

export const startVm = (vm: string): Once => once(["startvm", vm, "--type", "headless"], is(vm, isRunning));
/** An unregistered machine has ended too. A machine that stops accepts neither its button nor a power-off. */
const isEnding =
  (vm: string): Done =>
  async (now) => {
    const info = await now.vm(vm);
    return info === undefined || !isBusy(info) || isStopping(info);
  };
export const pressPowerButton = (vm: string): Once => once(["controlvm", vm, "acpipowerbutton"], isEnding(vm));
export const cutPower = (vm: string): Once => once(["controlvm", vm, "poweroff"], isEnding(vm));
export const pause = (vm: string): Once => once(["controlvm", vm, "pause"], is(vm, isPaused));
export const resume = (vm: string): Once => once(["controlvm", vm, "resume"], is(vm, isRunning));
export const discardSavedState = (vm: string): Once =>
  once(
    ["discardstate", vm],
    is(vm, (info) => !isSaved(info)),
  );
export const setCable = (vm: string, slot: number, up: boolean): Repeatable =>
  repeatable("controlvm", vm, `setlinkstate${slot}`, up ? "on" : "off");
export const addLiveForward = (vm: string, slot: number, forward: PortForward): Once =>
  once(
    ["controlvm", vm, `natpf${slot}`, forwardRule(forward)],
    is(vm, (info) => areForwardsChanged(info, { slot, remove: [], add: [forward] })),
  );
export const removeLiveForward = (vm: string, slot: number, rule: string): Once =>
  once(
    ["controlvm", vm, `natpf${slot}`, "delete", rule],
    is(vm, (info) => areForwardsChanged(info, { slot, remove: [rule], add: [] })),
  );
/** Connects an adapter to another network while the machine runs. */
export const replugLive = (vm: string, slot: number, kind: string, network: string): Repeatable =>
  repeatable("controlvm", vm, `nic${slot}`, kind, network);

/** One that a user took, by its UUID. */
export const deleteSnapshot = (vm: string, snapshot: string): Once =>
  once(
    ["snapshot", vm, "delete", snapshot],
    is(vm, ({ values }) => ![...values].some(([key, value]) => key.startsWith("SnapshotUUID") && value === snapshot)),
  );
