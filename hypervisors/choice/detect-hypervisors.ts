import * as path from "node:path";
import { exists } from "../../host/file-store";
import { deviceAccess, readKernelFile } from "../../host/kernel-files";
import { runCommand } from "../../host/run-command";
import { findVBoxManage } from "./vboxmanage-program";

/**
 * What `driver: auto` has to know about this host. It is asked in each `pulumi preview` of a stack that is not there
 * yet, so it looks at files, and starts one short program only where VirtualBox is installed.
 */
export interface HypervisorHere {
  readonly usable: boolean;
  /** For people: what it is, or why it is not usable. */
  readonly reason: string;
}

const VERSION_TIMEOUT_MS = 30_000;

/** Does the processor have VT-x or AMD-V, as far as Linux can see? In a virtual machine it often has not. */
export const hasVirtualisationFlag = (cpuinfo: string): boolean => /^flags\s*:.*\b(?:vmx|svm)\b/m.test(cpuinfo);

export async function virtualBoxHere(): Promise<HypervisorHere> {
  const program = await findVBoxManage();
  if (program === undefined) return no("VirtualBox is not installed");
  if (process.arch !== "x64") return no(`VirtualBox on ${process.arch} processors runs no x86 machines`);
  if (process.platform === "linux") {
    const device = await deviceAccess("/dev/vboxdrv");
    if (device === "absent") return no("VirtualBox' kernel module is not loaded");
    if (!hasVirtualisationFlag((await readKernelFile("/proc/cpuinfo")) ?? ""))
      return no("the processor has no VT-x or AMD-V");
  }
  const version = await virtualBoxVersion(program);
  if (version === undefined) return no(`${program} does not tell its version`);
  if (Number(version.split(".")[0]) < 7) return no(`VirtualBox ${version} is older than 7.0`);
  return { usable: true, reason: `VirtualBox ${version}` };
}

/** e.g. `7.2.22_Debianr175245`, also behind a warning of Debian's wrapper script. */
export async function virtualBoxVersion(program: string): Promise<string | undefined> {
  const reply = await runCommand([program, "--version"], {
    env: { LC_ALL: "C.UTF-8" },
    timeoutMs: VERSION_TIMEOUT_MS,
  }).catch(() => undefined);
  return /^\d+\.\d+\.\d+\S*/m.exec(reply?.stdout ?? "")?.[0];
}

/** QEMU with the kernel's help; without it machines are emulated, a hundred times slower. */
export async function kvmHere(): Promise<HypervisorHere> {
  if (process.platform !== "linux") return no("KVM is a part of Linux");
  const device = await deviceAccess("/dev/kvm");
  if (device !== "usable") return no(device === "absent" ? "there is no /dev/kvm" : "/dev/kvm may not be opened");
  if (!hasVirtualisationFlag((await readKernelFile("/proc/cpuinfo")) ?? ""))
    return no("the processor has no VT-x or AMD-V");
  const program = await findOnPath("qemu-system-x86_64");
  if (program === undefined) return no("qemu-system-x86_64 is not installed");
  const version = await qemuVersion(program);
  if (version === undefined) return no(`${program} does not tell its version`);
  if (Number(version.split(".")[0]) < 8) return no(`QEMU ${version} is older than 8.0`);
  return { usable: true, reason: `QEMU ${version} with KVM` };
}

async function qemuVersion(program: string): Promise<string | undefined> {
  const reply = await runCommand([program, "--version"], { timeoutMs: VERSION_TIMEOUT_MS }).catch(() => undefined);
  return /^QEMU emulator version (\d+\.\d+\S*)/m.exec(reply?.stdout ?? "")?.[1];
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)) {
    if (await exists(path.join(folder, program))) return path.join(folder, program);
  }
  return undefined;
}

const no = (reason: string): HypervisorHere => ({ usable: false, reason });
