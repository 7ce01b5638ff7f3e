import * as path from "node:path";
import {
  driverRequirements,
  type HypervisorRequirement,
  installedHypervisor,
  QEMU_PROGRAM,
} from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import { formatVersion } from "../../model/versions";
import { findVBoxManage } from "./vboxmanage-program";

/**
 * What `driver: auto` needs to know about this host. Every `pulumi preview` of a stack that does not exist yet asks for it,
 * so it checks files, and starts one short program only if VirtualBox is installed.
 */
export interface HypervisorHere {
  readonly usable: boolean;
  /** For users: what was found, or why it is not usable. */
  readonly reason: string;
}

const VERSION_TIMEOUT_MS = 30_000;

/** Does Linux report VT-x or AMD-V for the processor? In a virtual machine it often does not. */
export const hasVirtualisationFlag = (cpuinfo: string): boolean => /^flags\s*:.*\b(?:vmx|svm)\b/m.test(cpuinfo);

export async function virtualBoxHere(host: Host): Promise<HypervisorHere> {
  const program = await findVBoxManage(host);
  if (program === undefined) return no("VirtualBox is not installed");
  if (host.facts.arch !== "x64") return no(`VirtualBox on ${host.facts.arch} processors runs no x86 machines`);
  if (host.facts.platform === "linux") {
    const device = await host.kernel.deviceAccess("/dev/vboxdrv");
    if (device === "absent") return no("VirtualBox's kernel module is not loaded");
    if (!hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? ""))
      return no("the processor has no VT-x or AMD-V");
  }
  return judgeVersion(driverRequirements.virtualbox.hypervisor, program, await versionOutput(host, program));
}

/** Does the driver support the version that a program prints? Pure. */
export function judgeVersion(requirement: HypervisorRequirement, program: string, output: string): HypervisorHere {
  const { product, oldest } = requirement;
  const installed = installedHypervisor(requirement, output);
  if (installed === undefined) return no(`${program} does not print its version`);
  if (installed.tooOld) return no(`${product} ${installed.text} is older than ${formatVersion(oldest)}`);
  return { usable: true, reason: `${product} ${installed.text}` };
}

/** Empty when the program fails. */
async function versionOutput(host: Host, program: string): Promise<string> {
  const options = { env: { LC_ALL: "C.UTF-8" }, timeoutMs: VERSION_TIMEOUT_MS };
  const reply = await host.run([program, "--version"], options).catch(() => undefined);
  return reply?.stdout ?? "";
}

/** QEMU with KVM. Without KVM, machines are emulated and many times slower. */
export async function kvmHere(host: Host): Promise<HypervisorHere> {
  if (host.facts.platform !== "linux") return no("KVM is a part of Linux");
  const device = await host.kernel.deviceAccess("/dev/kvm");
  if (device !== "usable") return no(device === "absent" ? "there is no /dev/kvm" : "/dev/kvm may not be opened");
  if (!hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? ""))
    return no("the processor has no VT-x or AMD-V");
  const program = await findOnPath(host, QEMU_PROGRAM);
  if (program === undefined) return no(`${QEMU_PROGRAM} is not installed`);
  const found = judgeVersion(driverRequirements.qemu.hypervisor, program, await versionOutput(host, program));
  return found.usable ? { usable: true, reason: `${found.reason} with KVM` } : found;
}

async function findOnPath(host: Host, program: string): Promise<string | undefined> {
  for (const folder of (host.facts.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)) {
    // A folder on PATH may be closed to this user.
    if (await host.files.exists(path.join(folder, program)).catch(() => false)) return path.join(folder, program);
  }
  return undefined;
}

const no = (reason: string): HypervisorHere => ({ usable: false, reason });
