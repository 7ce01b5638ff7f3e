import { canOpenDevice, readKernelFile } from "../../host/kernel-files";
import type { Accelerator } from "./commands";

const KVM_DEVICE = "/dev/kvm";

/**
 * KVM runs guests only where the processor can (vmx, svm). The device alone says nothing: under PVM it is there and
 * opens, and the guest's kernel hangs.
 */
export async function isKvmUsable(): Promise<boolean> {
  return hasVirtualization((await readKernelFile("/proc/cpuinfo")) ?? "") && (await canOpenDevice(KVM_DEVICE));
}

/** Whether /proc/cpuinfo tells of a processor that runs virtual machines. Pure. */
export function hasVirtualization(cpuinfo: string): boolean {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(/\s+/) ?? [];
  return flags.includes("vmx") || flags.includes("svm");
}

export const chooseAccelerator = async (): Promise<Accelerator> => ((await isKvmUsable()) ? "kvm" : "tcg");
