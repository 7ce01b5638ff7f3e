import { deviceAccess, readKernelFile } from "../../host/kernel-files";
import { hasVirtualisationFlag } from "../choice/detect-hypervisors";
import type { Accelerator } from "./commands";

/**
 * KVM runs guests only where the processor can (vmx, svm). The device alone says nothing: under PVM it is there and
 * opens, and the guest's kernel hangs.
 */
export async function chooseAccelerator(): Promise<Accelerator> {
  const able = hasVirtualisationFlag((await readKernelFile("/proc/cpuinfo")) ?? "");
  return able && (await deviceAccess("/dev/kvm")) === "usable" ? "kvm" : "tcg";
}
