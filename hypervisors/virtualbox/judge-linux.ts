import { isAtLeast, parseVersion, type Version } from "../../model/versions";
import type { HostFinding } from "../hypervisor";
import type { LinuxFacts } from "./host-facts";

/** Whether VirtualBox's kernel module is usable, and if not, how to make it usable on this host. Pure. */
export function judgeKernelModule(version: string, linux: LinuxFacts): readonly HostFinding[] {
  const { vboxdrv, isRoot, kernel } = linux;
  // Only root can open the device. Other users do not need to, because VirtualBox's programs are setuid root.
  if (vboxdrv === "usable" || (vboxdrv === "forbidden" && !isRoot)) {
    return [{ id: "kernel-module", state: "ok", text: `VirtualBox's kernel module is loaded into Linux ${kernel}` }];
  }
  if (vboxdrv === "forbidden") {
    const text = "/dev/vboxdrv exists but cannot be opened, as in a container";
    return [
      {
        id: "kernel-module",
        state: "problem",
        text,
        hint: "run this on the host itself, or give the container the device",
      },
    ];
  }
  const text = `no driver module: /dev/vboxdrv does not exist, so no machine can start (Linux ${kernel})`;
  return [{ id: "kernel-module", state: "problem", text, hint: howToLoad(version, linux) }];
}

function howToLoad(version: string, { moduleBuilt, secureBoot, kernel }: LinuxFacts): string {
  const isDebian = /_(?:Debian|Ubuntu)/.test(version);
  const build = isDebian
    ? `apt-get install virtualbox-dkms linux-headers-${kernel}, then modprobe vboxdrv`
    : `install the headers of Linux ${kernel}, then run /sbin/vboxconfig`;
  if (!secureBoot) return moduleBuilt ? "modprobe vboxdrv; if the kernel refuses it, dmesg says why" : build;
  const sign = "Secure Boot loads only signed modules: sign vboxdrv with an enrolled key of your own";
  const enrol = "(mokutil --import KEY.der, restart, confirm), or switch Secure Boot off";
  return `${moduleBuilt ? "" : `${build}; `}${sign} ${enrol}`;
}

/**
 * VirtualBox and KVM on one Linux host. Since Linux 6.12, KVM reserves the processor's virtualisation when its module
 * is loaded, and not only while a machine runs (`kvm.enable_virt_at_load`). It is only partly known which versions of
 * VirtualBox support this: some user reports contradict each other. The advice is therefore a suggestion. Pure.
 */
export function judgeKvm(release: Version | undefined, linux: LinuxFacts): readonly HostFinding[] {
  const { kvmUsers, kvmModules, kernel, enableVirtAtLoad } = linux;
  if (kvmUsers.length > 0) {
    const text = `machines run with KVM now: ${kvmUsers.join(", ")}; KVM and VirtualBox cannot share a processor`;
    return [{ id: "kvm-in-use", state: "problem", text, hint: "stop them before VirtualBox's machines start" }];
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

/** `undefined` if no problem is known. */
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
  // 6.12 to 6.15 with a version of VirtualBox that supports KVM: reports contradict each other.
  const other = takes ? OFF : ON;
  return { risk: `${FAILS}; reports about this pair differ`, hint: `if they do, try the other value: ${other}` };
}
