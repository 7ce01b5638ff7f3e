import * as path from "node:path";
import type { Host } from "../../model/host";
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

export async function virtualBoxHere(host: Host): Promise<HypervisorHere> {
  const program = await findVBoxManage(host);
  if (program === undefined) return no("VirtualBox is not installed");
  if (host.facts.arch !== "x64") return no(`VirtualBox on ${host.facts.arch} processors runs no x86 machines`);
  if (host.facts.platform === "linux") {
    const device = await host.kernel.deviceAccess("/dev/vboxdrv");
    if (device === "absent") return no("VirtualBox' kernel module is not loaded");
    if (!hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? ""))
      return no("the processor has no VT-x or AMD-V");
  }
  const version = await virtualBoxVersion(host, program);
  if (version === undefined) return no(`${program} does not tell its version`);
  if (Number(version.split(".")[0]) < 7) return no(`VirtualBox ${version} is older than 7.0`);
  return { usable: true, reason: `VirtualBox ${version}` };
}

/** e.g. `7.2.22_Debianr175245`, also behind a warning of Debian's wrapper script. */
export async function virtualBoxVersion(host: Host, program: string): Promise<string | undefined> {
  const reply = await host
    .run([program, "--version"], {
      env: { LC_ALL: "C.UTF-8" },
      timeoutMs: VERSION_TIMEOUT_MS,
    })
    .catch(() => undefined);
  return /^\d+\.\d+\.\d+\S*/m.exec(reply?.stdout ?? "")?.[0];
}

/** QEMU with the kernel's help; without it machines are emulated, a hundred times slower. */
export async function kvmHere(host: Host): Promise<HypervisorHere> {
  if (host.facts.platform !== "linux") return no("KVM is a part of Linux");
  const device = await host.kernel.deviceAccess("/dev/kvm");
  if (device !== "usable") return no(device === "absent" ? "there is no /dev/kvm" : "/dev/kvm may not be opened");
  if (!hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? ""))
    return no("the processor has no VT-x or AMD-V");
  const program = await findOnPath(host, "qemu-system-x86_64");
  if (program === undefined) return no("qemu-system-x86_64 is not installed");
  const version = await qemuVersion(host, program);
  if (version === undefined) return no(`${program} does not tell its version`);
  if (Number(version.split(".")[0]) < 8) return no(`QEMU ${version} is older than 8.0`);
  return { usable: true, reason: `QEMU ${version} with KVM` };
}

async function qemuVersion(host: Host, program: string): Promise<string | undefined> {
  const reply = await host.run([program, "--version"], { timeoutMs: VERSION_TIMEOUT_MS }).catch(() => undefined);
  return /^QEMU emulator version (\d+\.\d+\S*)/m.exec(reply?.stdout ?? "")?.[1];
}

async function findOnPath(host: Host, program: string): Promise<string | undefined> {
  for (const folder of (host.facts.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)) {
    if (await host.files.exists(path.join(folder, program))) return path.join(folder, program);
  }
  return undefined;
}

const no = (reason: string): HypervisorHere => ({ usable: false, reason });
