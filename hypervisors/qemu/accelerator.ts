import type { Host } from "../../model/host";
import { hasVirtualisationFlag } from "../choice/detect-hypervisors";
import type { Accelerator } from "./commands";

/**
 * KVM runs guests only where the processor can (vmx, svm). The device alone says nothing: under PVM it is there and
 * opens, and the guest's kernel hangs.
 */
export async function chooseAccelerator(host: Host): Promise<Accelerator> {
  const able = hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? "");
  return able && (await host.kernel.deviceAccess("/dev/kvm")) === "usable" ? "kvm" : "tcg";
}
