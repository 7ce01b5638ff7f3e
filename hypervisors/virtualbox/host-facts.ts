import type { Host } from "../../model/host";
import type { DeviceAccess } from "../../model/host-files";
import { hasVirtualisationFlag } from "../choice/detect-hypervisors";
import { findVBoxManage } from "../choice/vboxmanage-program";
import { NETWORKS_CONF } from "./networks-conf";
import { withRegistryLock } from "./registry-lock";

/** Facts about a host; judge-host.ts interprets them. */
export interface HostFacts {
  /** `process.platform` and `process.arch` */
  readonly platform: string;
  readonly arch: string;
  /** Path of VBoxManage; `undefined` if VirtualBox is not installed. */
  readonly program: string | undefined;
  /** Output of `VBoxManage --version` and `list hostinfo`; empty if the command fails. */
  readonly version: string;
  readonly hostInfo: string;
  readonly linux?: LinuxFacts;
  /** Whether Windows runs a hypervisor (Hyper-V, WSL 2, memory integrity); `undefined` if it does not report that. */
  readonly windowsHypervisor?: boolean | undefined;
  /** The text of `NETWORKS_CONF`; `undefined` if the file does not exist. */
  readonly networksConf: string | undefined;
}

export interface LinuxFacts {
  /** e.g. `6.1.0-25-amd64` */
  readonly kernel: string;
  readonly isRoot: boolean;
  readonly virtualisation: boolean;
  readonly vboxdrv: DeviceAccess;
  /** Whether a module for this kernel exists and can be loaded. */
  readonly moduleBuilt: boolean;
  readonly secureBoot: boolean;
  readonly kvmModules: readonly string[];
  /** `Y` or `N`; `undefined` if KVM is not loaded or has no such setting. */
  readonly enableVirtAtLoad: string | undefined;
  /** Programs other than VirtualBox that currently run machines with KVM: `qemu-system-x86 (process 4711)`. */
  readonly kvmUsers: readonly string[];
}

const TIMEOUT_MS = 60_000;

/** Changes nothing on the host. */
export async function gatherHostFacts(host: Host): Promise<HostFacts> {
  const { platform, arch } = host.facts;
  const program = await findVBoxManage(host);
  const [version, networksConf] = await Promise.all([
    program ? output(host, [program, "--version"]) : "",
    platform === "win32" ? undefined : host.files.readText(NETWORKS_CONF),
  ]);
  const askHost = () => output(host, [program as string, "list", "hostinfo"]);
  const hostInfo = version ? await withRegistryLock(host, askHost) : "";
  const facts = { platform, arch, program, version, hostInfo, networksConf };
  if (platform === "linux") return { ...facts, linux: await gatherLinuxFacts(host) };
  return platform === "win32" ? { ...facts, windowsHypervisor: await windowsHypervisor(host) } : facts;
}

async function gatherLinuxFacts(host: Host): Promise<LinuxFacts> {
  const kernel = host.facts.kernelRelease;
  const [cpuinfo, vboxdrv, moduleBuilt, secureBoot, modules, enableVirtAtLoad, kvmUsers] = await Promise.all([
    host.kernel.read("/proc/cpuinfo"),
    host.kernel.deviceAccess("/dev/vboxdrv"),
    hasModule(host, kernel),
    isSecureBoot(host),
    host.kernel.read("/proc/modules"),
    host.kernel.read("/sys/module/kvm/parameters/enable_virt_at_load"),
    host.processes.holdersOf("/dev/kvm"),
  ]);
  return {
    ...{ kernel, vboxdrv, moduleBuilt, secureBoot, enableVirtAtLoad },
    isRoot: host.facts.uid === 0,
    virtualisation: hasVirtualisationFlag(cpuinfo ?? ""),
    kvmModules: parseKvmModules(modules ?? ""),
    // Newer versions of VirtualBox open the device too, to reserve the processor through KVM.
    kvmUsers: kvmUsers.filter((holder) => !/^(?:VBox|VirtualBox)/.test(holder)),
  };
}

/** Names of the KVM modules in /proc/modules. */
export const parseKvmModules = (text: string): readonly string[] =>
  text.split("\n").flatMap((line) => /^kvm(?:_intel|_amd)?(?= )/.exec(line) ?? []);

/** The locations that dkms, Oracle's vboxconfig and distributions use. */
async function hasModule(host: Host, kernel: string): Promise<boolean> {
  for (const folder of ["updates", "misc", "extra", "extramodules", "kernel/misc"]) {
    const files = await host.files.filesBelow(`/lib/modules/${kernel}/${folder}`).catch(() => []);
    if (files.some((file) => /(?:^|\/)vboxdrv\.ko/.test(file))) return true;
  }
  return false;
}

/** A firmware variable: four bytes of attributes, then the value. */
async function isSecureBoot(host: Host): Promise<boolean> {
  const folder = "/sys/firmware/efi/efivars";
  const name = (await host.files.list(folder).catch(() => [])).find((file) => file.startsWith("SecureBoot-"));
  const bytes = name === undefined ? undefined : await host.kernel.readBytes(`${folder}/${name}`);
  return bytes?.[4] === 1;
}

async function windowsHypervisor(host: Host): Promise<boolean | undefined> {
  const question = "(Get-CimInstance -ClassName Win32_ComputerSystem).HypervisorPresent";
  const answer = await output(host, ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", question]);
  return { True: true, False: false }[answer.trim()];
}

/** A command's output; empty if the command fails. The checks detect the failure by the missing values. */
async function output(host: Host, argv: readonly string[]): Promise<string> {
  const reply = await host.run(argv, { env: { LC_ALL: "C.UTF-8" }, timeoutMs: TIMEOUT_MS }).catch(() => undefined);
  return (reply?.stdout ?? "").replaceAll("\r", "");
}
