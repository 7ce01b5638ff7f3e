import type { HostFinding } from "../hypervisor";
import type { HostFacts, LinuxFacts } from "./host-facts";
import { judgeKvm } from "./judge-kvm";
import { judgeKernelModule } from "./judge-module";
import { isFrom, parseRelease } from "./release";

/** What a host's facts mean for VirtualBox, all at once, each with its next step. Pure. */
export function judgeHost(facts: HostFacts): readonly HostFinding[] {
  const program = judgeProgram(facts);
  if (program.some(({ id }) => id === "virtualbox-missing")) return program;
  return [
    ...program,
    ...judgeProcessor(facts),
    ...(facts.linux ? judgeLinux(facts, facts.linux) : []),
    ...judgeWindows(facts),
  ];
}

const INSTALL = "install VirtualBox 7.1 or newer: https://www.virtualbox.org/wiki/Downloads";

function judgeProgram({ program, version, platform }: HostFacts): readonly HostFinding[] {
  if (program === undefined) {
    const hint = `${INSTALL}, or name its program in GROUNDPLANE_VBOXMANAGE`;
    return [
      { id: "virtualbox-missing", state: "problem", text: "VirtualBox is not installed: there is no VBoxManage", hint },
    ];
  }
  const release = parseRelease(version);
  const name = /^\d+\.\d+\.\d+\S*/m.exec(version)?.[0] ?? "of an unknown version";
  const text = `VirtualBox ${name}, ${program}`;
  const id = "virtualbox-version";
  if (release === undefined) {
    const hint = `look at what \`${program} --version\` says`;
    return [{ id, state: "problem", text: `${program} does not tell its version`, hint }];
  }
  if (!isFrom(release, 7, 0)) return [{ id, state: "problem", text: `${text}: older than 7.0`, hint: INSTALL }];
  if (release.major > 7) {
    const hint = "nothing is known of this one: try `npx groundplane doctor --smoke` first";
    return [{ id, state: "warning", text, hint }];
  }
  if (!isFrom(release, 7, 0, 2)) {
    const lacks =
      platform === "darwin" ? "has no internal networks on macOS" : "forgets port-forwards when it lists them";
    return [{ id, state: "problem", text: `${text}: 7.0.0 ${lacks}`, hint: INSTALL }];
  }
  if (platform === "darwin" && isFrom(release, 7, 2) && !isFrom(release, 7, 2, 2)) {
    const hint = "install 7.2.2 or newer";
    return [{ id, state: "warning", text: `${text}: 7.2.0 cannot open internal networks on some Macs`, hint }];
  }
  return [{ id, state: "ok", text }];
}

function judgeProcessor({ arch, hostInfo, linux, platform }: HostFacts): readonly HostFinding[] {
  const id = "hardware-virtualisation";
  if (arch !== "x64") {
    const text = `the images are for x86-64, and VirtualBox on ${arch} runs machines of its own kind alone`;
    const hint = "use a host with an Intel or AMD processor";
    return [{ id: "processor", state: "problem", text, hint }];
  }
  // Without its kernel module VirtualBox says no whatever the processor can: Linux knows better.
  const said = /^Processor supports HW virtualization: (yes|no)$/m.exec(hostInfo)?.[1];
  const isThere = said === "yes" || (linux ? linux.virtualisation : said === undefined ? undefined : false);
  if (isThere) return [{ id, state: "ok", text: "the processor has VT-x or AMD-V" }];
  const firmware = "switch on VT-x or AMD-V (SVM) in the firmware's settings";
  const nested = "where this host is itself a virtual machine, switch on nested virtualisation for it";
  if (isThere === undefined) {
    return [
      {
        id,
        state: "warning",
        text: "VirtualBox does not tell whether the processor has VT-x or AMD-V",
        hint: firmware,
      },
    ];
  }
  const hyperV = platform === "win32" ? "; Hyper-V may be holding it" : "";
  return [{ id, state: "problem", text: `no VT-x or AMD-V to be seen${hyperV}`, hint: `${firmware}; ${nested}` }];
}

function judgeLinux(facts: HostFacts, linux: LinuxFacts): readonly HostFinding[] {
  const registry = linux.isRoot
    ? "VirtualBox' registry is root's: the machines are not in the manager of another user"
    : "VirtualBox' registry is this user's: run every command of a stack as the same one";
  return [
    ...judgeKernelModule(facts.version, linux),
    ...judgeKvm(parseRelease(facts.version), linux),
    { id: "virtualbox-user", state: "ok", text: registry },
  ];
}

function judgeWindows({ platform, windowsHypervisor }: HostFacts): readonly HostFinding[] {
  if (platform !== "win32" || windowsHypervisor === false) return [];
  const hint =
    "if machines are slow or do not start: `bcdedit /set hypervisorlaunchtype off` as administrator, switch off memory " +
    "integrity, restart; this also ends WSL 2 and Docker Desktop until it is set to auto again";
  const text = windowsHypervisor
    ? "Windows' own hypervisor (Hyper-V, WSL 2, memory integrity) runs: VirtualBox works on top of it, slower, at its mercy"
    : "whether Windows' own hypervisor runs cannot be seen";
  return [{ id: "hyper-v", state: "warning", text, hint }];
}
