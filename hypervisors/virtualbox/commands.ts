import type { PortForward } from "../hypervisor";
import type { Dialect } from "./dialect";
import { CONTROLLER } from "./names";

/** Pure builders of every command of this driver: argv without the program's name. */

export type Argv = readonly string[];

export const showVersion = (): Argv => ["--version"];
export const listVms = (): Argv => ["list", "vms"];
export const listDisks = (): Argv => ["list", "hdds"];
export const listOsTypes = (): Argv => ["list", "ostypes"];
export const showVm = (vm: string): Argv => ["showvminfo", vm, "--machinereadable"];
export const readMark = (vm: string, key: string): Argv => ["getextradata", vm, key];

/** Whether the command changes nothing. */
export const isRead = ([word]: Argv): boolean =>
  ["--version", "list", "showvminfo", "getextradata"].includes(word ?? "");

export interface NewVm {
  readonly name: string;
  readonly uuid: string;
  readonly group: string;
  /** VirtualBox creates the group's folder in it. */
  readonly folder: string;
}

export const createVm = (vm: NewVm, dialect: Dialect): Argv => [
  ...["createvm", "--name", vm.name, ...dialect.architecture, "--ostype", dialect.osType],
  ...["--basefolder", vm.folder, "--groups", vm.group, "--uuid", vm.uuid, "--register"],
];
/** Deletes the machine with its folder, settings, logs and every disk that is still attached. */
export const deleteVm = (vm: string): Argv => ["unregistervm", vm, "--delete"];
/** Deletes only the entry in the registry. */
export const forgetVm = (vm: string): Argv => ["unregistervm", vm];
export const mark = (vm: string, key: string, value: string): Argv => ["setextradata", vm, key, value];
/** One transaction: if one option is wrong, nothing changes. */
export const modifyVm = (vm: string, options: Argv): Argv => ["modifyvm", vm, ...options];

export const addController = (vm: string, ports: number): Argv => [
  ...["storagectl", vm, "--name", CONTROLLER, "--add", "sata", "--controller", "IntelAHCI"],
  ...["--portcount", String(ports), "--bootable", "on"],
];
const attach = (vm: string, port: number, type: string, medium: string): Argv => [
  ...["storageattach", vm, "--storagectl", CONTROLLER, "--port", String(port), "--device", "0"],
  ...["--type", type, "--medium", medium],
];
export const attachDisk = (vm: string, port: number, file: string): Argv => attach(vm, port, "hdd", file);
export const attachSeed = (vm: string, port: number, file: string): Argv => attach(vm, port, "dvddrive", file);
export const detach = (vm: string, port: number): Argv => [
  ...["storageattach", vm, "--storagectl", CONTROLLER, "--port", String(port), "--device", "0", "--medium", "none"],
];

export const convertImage = (raw: string, file: string, uuid: string): Argv => [
  ...["convertfromraw", raw, file, "--format", "VDI", "--variant", "Standard", "--uuid", uuid],
];
/** Machines write to separate linked disks, and the image stays when they are removed. */
export const shareImage = (medium: string): Argv => ["modifymedium", "disk", medium, "--type", "multiattach"];
/** Snapshots exclude the disk, so its data is never rolled back or merged. */
export const keepOutOfSnapshots = (file: string): Argv => ["modifymedium", "disk", file, "--type", "writethrough"];
export const createLinkedDisk = (file: string, image: string): Argv => [
  ...["createmedium", "disk", "--filename", file, "--diffparent", image],
];
export const createDisk = (file: string, sizeGiB: number): Argv => [
  ...["createmedium", "disk", "--filename", file, "--size", String(sizeGiB * 1024)],
  ...["--format", "VDI", "--variant", "Standard"],
];
/** In bytes, because VBoxManage rejects a large growth in MiB as a mistake. */
export const resizeDisk = (file: string, sizeGiB: number): Argv => [
  ...["modifymedium", "disk", file, "--resizebyte", String(sizeGiB * 1024 ** 3)],
];
export const forgetDisk = (medium: string): Argv => ["closemedium", "disk", medium];
export const deleteDisk = (medium: string): Argv => ["closemedium", "disk", medium, "--delete"];
export const forgetSeed = (file: string): Argv => ["closemedium", "dvd", file];

export const startVm = (vm: string): Argv => ["startvm", vm, "--type", "headless"];
export const pressPowerButton = (vm: string): Argv => ["controlvm", vm, "acpipowerbutton"];
export const cutPower = (vm: string): Argv => ["controlvm", vm, "poweroff"];
export const pause = (vm: string): Argv => ["controlvm", vm, "pause"];
export const resume = (vm: string): Argv => ["controlvm", vm, "resume"];
export const discardSavedState = (vm: string): Argv => ["discardstate", vm];
export const setCable = (vm: string, slot: number, up: boolean): Argv => [
  ...["controlvm", vm, `setlinkstate${slot}`, up ? "on" : "off"],
];
export const addLiveForward = (vm: string, slot: number, forward: PortForward): Argv => [
  ...["controlvm", vm, `natpf${slot}`, forwardRule(forward)],
];
export const removeLiveForward = (vm: string, slot: number, rule: string): Argv => [
  ...["controlvm", vm, `natpf${slot}`, "delete", rule],
];

export const forwardName = ({ hostPort }: PortForward): string => `port-${hostPort}`;
/** Listens only on the host's loopback. The guest's address is the one that user-mode NAT assigns. */
export const forwardRule = (forward: PortForward): string =>
  `${forwardName(forward)},tcp,127.0.0.1,${forward.hostPort},,${forward.guestPort}`;

/** One that a user took. */
export const deleteSnapshot = (vm: string, name: string): Argv => ["snapshot", vm, "delete", name];

export const listBridgedAdapters = (): Argv => ["list", "bridgedifs"];
export const listHostOnlyInterfaces = (): Argv => ["list", "hostonlyifs"];
export const createHostOnlyInterface = (): Argv => ["hostonlyif", "create"];
export const addressHostOnlyInterface = (name: string, ip: string, mask: string): Argv => [
  ...["hostonlyif", "ipconfig", name, "--ip", ip, "--netmask", mask],
];
export const removeHostOnlyInterface = (name: string): Argv => ["hostonlyif", "remove", name];
export const removeDhcpServer = (name: string): Argv => ["dhcpserver", "remove", `--interface=${name}`];
/** macOS has host-only networks instead of interfaces. */
export const listHostOnlyNetworks = (): Argv => ["list", "hostonlynets"];
export const addHostOnlyNetwork = (name: string, mask: string, first: string, last: string): Argv => [
  ...["hostonlynet", "add", "--name", name, "--netmask", mask, "--lower-ip", first, "--upper-ip", last, "--enable"],
];
export const removeHostOnlyNetwork = (name: string): Argv => ["hostonlynet", "remove", "--name", name];

/** Connects an adapter to another network while the machine runs. */
export const replugLive = (vm: string, slot: number, kind: string, network: string): Argv => [
  ...["controlvm", vm, `nic${slot}`, kind, network],
];
