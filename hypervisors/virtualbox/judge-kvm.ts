import { isAtLeast, parseVersion, type Version } from "../../model/versions";
import type { HostFinding } from "../hypervisor";
import type { LinuxFacts } from "./host-facts";

/**
 * VirtualBox and KVM on one Linux host. From 6.12 on, KVM takes the processor's virtualisation when its module is
 * loaded, and not only while a machine runs (`kvm.enable_virt_at_load`). Which VirtualBox copes with that is known in
 * parts only: what users reported contradicts itself in between, so advice is given as what to try. Pure.
 */
export function judgeKvm(release: Version | undefined, linux: LinuxFacts): readonly HostFinding[] {
  const { kvmUsers, kvmModules, kernel, enableVirtAtLoad } = linux;
  if (kvmUsers.length > 0) {
    const text = `machines run with KVM now: ${kvmUsers.join(", ")}; KVM and VirtualBox cannot share a processor`;
    return [{ id: "kvm-in-use", state: "problem", text, hint: "stop them before VirtualBox' machines start" }];
  }
  const builtIn = enableVirtAtLoad === undefined ? "not loaded" : "built into the kernel";
  const kvm = kvmModules.length > 0 ? `loaded (${kvmModules.join(", ")})` : builtIn;
  const facts = `Linux ${kernel}, KVM ${kvm}, kvm.enable_virt_at_load ${enableVirtAtLoad ?? "not there"}`;
  const advice = release && adviceFor(release, linux);
  if (!advice) return [{ id: "kvm", state: "ok", text: facts }];
  return [{ id: "kvm", state: "warning", text: `${facts}: ${advice.risk}`, hint: advice.hint }];
}

const OFF = "`modprobe -r kvm_intel kvm_amd kvm`, or boot with kvm.enable_virt_at_load=0";
const ON = "boot with kvm.enable_virt_at_load=1";
const FAILS = "machines may fail to start with VERR_VMX_IN_VMX_ROOT_MODE or VERR_SVM_IN_USE";

interface Advice {
  readonly risk: string;
  readonly hint: string;
}

/** `undefined`: nothing is known to go wrong. */
function adviceFor(release: Version, { kernel, kvmModules, enableVirtAtLoad }: LinuxFacts): Advice | undefined {
  const isKernelFrom = (minor: number): boolean => isAtLeast(parseVersion(kernel) ?? [], [6, minor]);
  if (!isKernelFrom(12)) return undefined;
  const takes = (kvmModules.length > 0 || enableVirtAtLoad !== undefined) && enableVirtAtLoad !== "N";
  if (isKernelFrom(16) && isAtLeast(release, [7, 2, 22])) return undefined;
  if (!isAtLeast(release, [7, 2, 10])) return takes ? { risk: FAILS, hint: `before that: ${OFF}` } : undefined;
  if (isKernelFrom(16)) {
    return takes
      ? undefined
      : { risk: "this VirtualBox wants KVM to have taken the processor", hint: `if machines do not start: ${ON}` };
  }
  // 6.12 to 6.15 with a VirtualBox that knows of KVM: reports say both.
  const other = takes ? OFF : ON;
  return { risk: `${FAILS}; reports about this pair differ`, hint: `if they do, try the other value: ${other}` };
}
