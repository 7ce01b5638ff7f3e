import type { HostFinding } from "../hypervisor";
import type { LinuxFacts } from "./host-facts";

/** Can VirtualBox' kernel module be used, and if not, what makes it usable on this very host? Pure. */
export function judgeKernelModule(version: string, linux: LinuxFacts): readonly HostFinding[] {
  const { vboxdrv, isRoot, kernel } = linux;
  // The device is root's alone, and VirtualBox' programs are setuid root: nobody else can or need open it.
  if (vboxdrv === "usable" || (vboxdrv === "forbidden" && !isRoot)) {
    return [{ id: "kernel-module", state: "ok", text: `VirtualBox' kernel module is loaded into Linux ${kernel}` }];
  }
  if (vboxdrv === "forbidden") {
    const text = "/dev/vboxdrv is there and may not be opened, as in a container";
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
  const sign = "Secure Boot is on and loads signed modules only: sign vboxdrv with a key of yours that is enrolled";
  const enrol = "(mokutil --import KEY.der, restart, confirm), or switch Secure Boot off";
  return `${moduleBuilt ? "" : `${build}; `}${sign} ${enrol}`;
}
