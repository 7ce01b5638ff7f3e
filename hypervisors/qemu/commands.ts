import { QEMU_PROGRAM } from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import { isAtLeast, type Version } from "../../model/versions";
import type { MachineSpec, PortForward } from "../hypervisor";
import { cardOf, dataDiskNode, guestName, NAT, qmpSocket, SYSTEM_DISK, socketPath, UPLINK_CARD } from "./names";
import { guestUplinkSocket, natUplinkSocket, segmentSocket } from "./switch/protocol";

/** argv of QEMU's programs. Pure. */

export const QEMU_IMG = "qemu-img";

/** How the guest's processor is provided: by KVM or by emulation. */
export type Accelerator = "kvm" | "tcg";

/** The machine's address in the NAT's network; its router is 10.0.2.2, its name server 10.0.2.3. */
const NAT_NETWORK = "10.0.2.0/24";
const NAT_GUEST = "10.0.2.15";
const HOST_ADDRESS = "127.0.0.1";
/** How soon machines reconnect to a restarted switch. */
const RECONNECT_MS = 500;

export interface MachineFiles {
  readonly disk: string;
  readonly seed: string;
  readonly consoleLog: string;
}

export interface MachineOptions {
  readonly version: Version;
  readonly accelerator: Accelerator;
  readonly files: MachineFiles;
  /** Files of the data disks, in the spec's order. */
  readonly dataDisks: readonly string[];
}

export function runMachine(host: Host, spec: MachineSpec, options: MachineOptions): readonly string[] {
  return [
    ...[QEMU_PROGRAM, "-nodefaults", "-no-user-config", "-name", `guest=${guestName(spec)}`, "-uuid", spec.uuid],
    ...["-machine", "q35", ...processor(spec, options.accelerator), "-m", `${spec.memoryMiB}M`],
    ...["-display", "none", "-vga", "none"],
    // A guest that breaks out of QEMU can neither start programs nor change its user.
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-qmp", qmpOption(host, spec)],
    ...["-chardev", `file,id=console,append=on,path=${value(options.files.consoleLog)}`, "-serial", "chardev:console"],
    ...["-device", "virtio-rng-pci"],
    // Memory that the guest frees returns to the host automatically.
    ...["-device", "virtio-balloon-pci,free-page-reporting=on"],
    ...disks(spec, options),
    ...spec.nics.flatMap(({ segment, mac }) =>
      card(cardOf(segment), mac, socketPath(host, spec.stack, segmentSocket(segment)), options.version),
    ),
    ...uplink(host, spec, options.version),
  ];
}

/** Also identifies a machine's process: no other process has this argument. */
export const qmpOption = (host: Host, machine: { stack: string; name: string }): string =>
  `unix:${value(qmpSocket(host, machine))},server=on,wait=off`;

/** @param accelerator `tcg` emulates: one host thread per processor, and a limit for the translated code */
function processor({ cpus }: MachineSpec, accelerator: Accelerator): readonly string[] {
  const how = accelerator === "kvm" ? ["kvm", "host"] : ["tcg,thread=multi,tb-size=256", "max"];
  return ["-accel", how[0] as string, "-cpu", how[1] as string, "-smp", String(cpus)];
}

function disks(spec: MachineSpec, { files, dataDisks }: MachineOptions): readonly string[] {
  return [
    ...writableDisk(SYSTEM_DISK, files.disk, `serial=${SYSTEM_DISK},bootindex=0`),
    ...dataDisks.flatMap((file, index) =>
      writableDisk(dataDiskNode(index), file, `serial=${value(spec.disks[index]?.disk ?? "")}`),
    ),
    ...[
      "-blockdev",
      JSON.stringify({ driver: "raw", "node-name": "seed", "read-only": true, file: fileNode(files.seed) }),
    ],
    ...["-device", "virtio-blk-pci,drive=seed,serial=seed"],
  ];
}

/** Space that the guest discards is freed in the file as well. */
function writableDisk(node: string, file: string, properties: string): readonly string[] {
  const options = { driver: "qcow2", "node-name": node, discard: "unmap", "detect-zeroes": "unmap" };
  const blockdev = { ...options, file: { ...fileNode(file), discard: "unmap" } };
  return [
    "-blockdev",
    JSON.stringify(blockdev),
    "-device",
    `virtio-blk-pci,drive=${node},id=disk-${node},${properties}`,
  ];
}

const fileNode = (filename: string) => ({ driver: "file", filename });

/** A network card and its cable. Without a boot ROM: nothing boots from the network. */
function card(id: string, mac: string, socket: string, version: Version): readonly string[] {
  return [
    ...cable(`${id}-cable`, socket, version),
    "-device",
    `virtio-net-pci,id=${id},netdev=${id}-cable,mac=${mac},romfile=`,
  ];
}

function cable(id: string, socket: string, version: Version): readonly string[] {
  const reconnect = isAtLeast(version, [9, 2]) ? `reconnect-ms=${RECONNECT_MS}` : "reconnect=1";
  return ["-netdev", `stream,id=${id},server=off,addr.type=unix,addr.path=${value(socket)},${reconnect}`];
}

/**
 * The card and the NAT are both connected to the stack's switch, which filters between them (uplink-filter.ts). Within
 * QEMU, two ports of a hub connect the NAT to its cable.
 */
function uplink(host: Host, { stack, name, uplink }: MachineSpec, version: Version): readonly string[] {
  if (!uplink) return [];
  const forwards = uplink.forwards.map((forward) => `hostfwd=${hostForward(forward)}`);
  return [
    ...card(UPLINK_CARD, uplink.mac, socketPath(host, stack, guestUplinkSocket(name)), version),
    ...["-netdev", [`user,id=${NAT},net=${NAT_NETWORK},dhcpstart=${NAT_GUEST},ipv6=off`, ...forwards].join(",")],
    ...cable(`${NAT}-cable`, socketPath(host, stack, natUplinkSocket(name)), version),
    ...["-netdev", `hubport,id=${NAT}-port,hubid=0,netdev=${NAT}`],
    ...["-netdev", `hubport,id=${NAT}-cable-port,hubid=0,netdev=${NAT}-cable`],
  ];
}

/** A port-forward in the syntax of `-netdev user` and of `hostfwd_add`. */
export const hostForward = ({ hostPort, guestPort }: PortForward): string =>
  `tcp:${HOST_ADDRESS}:${hostPort}-${NAT_GUEST}:${guestPort}`;
/** The same for `hostfwd_remove`. */
export const hostSide = ({ hostPort }: Pick<PortForward, "hostPort">): string => `tcp:${HOST_ADDRESS}:${hostPort}`;

/** @param backing absolute path of the overlay's backing image */
export const makeOverlay = (file: string, backing: string, bytes: number): readonly string[] => [
  ...[QEMU_IMG, "create", "-q", "-f", "qcow2", "-b", backing, "-F", "qcow2", file, String(bytes)],
];

export const makeDisk = (file: string, bytes: number): readonly string[] => [
  ...[QEMU_IMG, "create", "-q", "-f", "qcow2", file, String(bytes)],
];

export const convertRaw = (raw: string, target: string): readonly string[] => [
  ...[QEMU_IMG, "convert", "-f", "raw", "-O", "qcow2", "-S", "64k", raw, target],
];

export const describeDisk = (file: string): readonly string[] => [
  ...[QEMU_IMG, "info", "--force-share", "--output=json", "-f", "qcow2", file],
];

export const resizeDisk = (file: string, bytes: number): readonly string[] => [
  ...[QEMU_IMG, "resize", "-q", "-f", "qcow2", file, String(bytes)],
];

export const snapshotDisk = (action: "-c" | "-a" | "-d", name: string, file: string): readonly string[] => [
  ...[QEMU_IMG, "snapshot", "-q", action, name, file],
];

/** QEMU's option lists escape a comma within a value by doubling it. */
const value = (text: string): string => text.replaceAll(",", ",,");
