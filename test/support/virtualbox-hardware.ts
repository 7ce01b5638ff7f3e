import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { MachineSpec } from "../../hypervisors/hypervisor";

/** A machine's firmware: QEMU's own BIOS, or UEFI of the package ovmf. */
export type Firmware = "bios" | "uefi";

const OVMF = "/usr/share/ovmf/OVMF.fd";

/** Every type of network card that VirtualBox and QEMU have in common, in rotation. */
const cardTypes = ["virtio-net-pci", "e1000", "pcnet", "e1000-82545em"] as const;

export interface HardwareFiles {
  /** qcow2 of the system. */
  readonly disk: string;
  readonly seed: string;
  /** qcow2, each on the next port after the seed's. */
  readonly dataDisks: readonly string[];
  readonly consoleLog: string;
}

/** Why machines cannot start with this firmware here. `false` = they can. */
export function firmwareSkipReason(firmware: Firmware): string | false {
  return firmware === "uefi" && !fs.existsSync(OVMF) ? "UEFI needs the package ovmf" : false;
}

/**
 * VirtualBox's hardware in QEMU: PIIX3, an AHCI controller with the system disk, the seed as a CD and the data disks.
 * No serial number identifies a disk. Segments are not connected, and the uplink is QEMU's own NAT.
 */
export function startVirtualboxHardware(spec: MachineSpec, firmware: Firmware, files: HardwareFiles): ChildProcess {
  const log = fs.openSync(path.join(path.dirname(files.consoleLog), `${firmware}.qemu.log`), "a");
  const argv = [
    ...["-nodefaults", "-no-user-config", "-name", `guest=gp-${spec.stack}.${spec.name}`, "-machine", "pc"],
    ...["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-smp", String(spec.cpus), "-m", `${spec.memoryMiB}M`],
    ...["-display", "none", "-serial", `file:${files.consoleLog}`],
    ...(firmware === "uefi" ? ["-bios", OVMF] : []),
    ...["-device", "ahci,id=sata"],
    ...onPort(0, "ide-hd", `file=${files.disk},format=qcow2`),
    ...onPort(1, "ide-cd", `file=${files.seed},format=raw,readonly=on`),
    ...files.dataDisks.flatMap((file, index) => onPort(2 + index, "ide-hd", `file=${file},format=qcow2`)),
    ...cards(spec),
  ];
  const child = spawn("qemu-system-x86_64", argv, { stdio: ["ignore", log, log] });
  fs.closeSync(log);
  return child;
}

const onPort = (port: number, device: string, drive: string): readonly string[] => [
  ...["-drive", `if=none,id=port${port},${drive}`],
  ...["-device", `${device},drive=port${port},bus=sata.${port}`],
];

function cards({ nics, uplink }: MachineSpec): readonly string[] {
  const forwards = uplink?.forwards.map(
    (each) => `,hostfwd=tcp:127.0.0.1:${each.hostPort}-10.0.2.15:${each.guestPort}`,
  );
  return [
    ...nics.map(({ mac }, index) => ({ mac, netdev: `user,id=net${index},restrict=on` })),
    ...(uplink ? [{ mac: uplink.mac, netdev: `user,id=net${nics.length},restrict=on${forwards?.join("")}` }] : []),
  ].flatMap(({ mac, netdev }, index) => [
    ...["-netdev", netdev],
    ...["-device", `${cardTypes[index % cardTypes.length]},netdev=net${index},mac=${mac},romfile=`],
  ]);
}
