import { driverRequirements, installedHypervisor, installHint } from "../../model/driver-requirements";
import { formatVersion, isAtLeast } from "../../model/versions";
import type { HostFinding } from "../hypervisor";
import type { HostFacts, LinuxFacts } from "./host-facts";
import { judgeKernelModule, judgeKvm } from "./judge-linux";

/** All findings from a host's facts, each with its next step. Pure. */
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

const required = driverRequirements.virtualbox.hypervisor;
const INSTALL = `${installHint(required)}: https://www.virtualbox.org/wiki/Downloads`;

function judgeProgram({ program, version: output, platform }: HostFacts): readonly HostFinding[] {
  if (program === undefined) {
    const hint = `${INSTALL}, or name its program in GROUNDPLANE_VBOXMANAGE`;
    return [
      { id: "virtualbox-missing", state: "problem", text: "VirtualBox is not installed: there is no VBoxManage", hint },
    ];
  }
  const id = "virtualbox-version";
  const installed = installedHypervisor(required, output);
  if (installed === undefined) {
    const hint = `look at what \`${program} --version\` says`;
    return [{ id, state: "problem", text: `${program} does not print its version`, hint }];
  }
  const { version, tooOld } = installed;
  const text = `VirtualBox ${installed.text}, ${program}`;
  if (tooOld) {
    const lacks =
      platform === "darwin" ? "have no internal networks on macOS" : "omit port-forwards when they list them";
    const reason = `${text}: versions before ${formatVersion(required.oldest)} ${lacks}`;
    return [{ id, state: "problem", text: reason, hint: INSTALL }];
  }
  if (!isAtLeast([required.newestMajor], version.slice(0, 1))) {
    const hint = "this version has not been tested: run `npx groundplane doctor --smoke` first";
    return [{ id, state: "warning", text, hint }];
  }
  if (platform === "darwin" && isAtLeast(version, [7, 2]) && !isAtLeast(version, [7, 2, 2])) {
    const hint = "install 7.2.2 or newer";
    return [{ id, state: "warning", text: `${text}: 7.2.0 cannot open internal networks on some Macs`, hint }];
  }
  return [{ id, state: "ok", text }];
}

function judgeProcessor({ arch, hostInfo, linux, platform }: HostFacts): readonly HostFinding[] {
  const id = "hardware-virtualisation";
  if (arch !== "x64") {
    const text = `the images are for x86-64, and VirtualBox on ${arch} runs only machines of that architecture`;
    const hint = "use a host with an Intel or AMD processor";
    return [{ id: "processor", state: "problem", text, hint }];
  }
  // Without its kernel module VirtualBox always prints "no". Then the processor's flags in Linux decide.
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
        text: "VirtualBox does not report whether the processor has VT-x or AMD-V",
        hint: firmware,
      },
    ];
  }
  const hyperV = platform === "win32" ? "; Hyper-V may be holding it" : "";
  return [{ id, state: "problem", text: `no VT-x or AMD-V to be seen${hyperV}`, hint: `${firmware}; ${nested}` }];
}

function judgeLinux(facts: HostFacts, linux: LinuxFacts): readonly HostFinding[] {
  const registry = linux.isRoot
    ? "VirtualBox's registry is root's: the machines are not in the manager of another user"
    : "VirtualBox's registry is this user's: run every command of a stack as the same one";
  return [
    ...judgeKernelModule(facts.version, linux),
    ...judgeKvm(installedHypervisor(required, facts.version)?.version, linux),
    { id: "virtualbox-user", state: "ok", text: registry },
  ];
}

function judgeWindows({ platform, windowsHypervisor }: HostFacts): readonly HostFinding[] {
  if (platform !== "win32" || windowsHypervisor === false) return [];
  const hint =
    "if machines are slow or do not start: `bcdedit /set hypervisorlaunchtype off` as administrator, switch off memory " +
    "integrity, restart; this also ends WSL 2 and Docker Desktop until it is set to auto again";
  const text = windowsHypervisor
    ? "Windows' own hypervisor (Hyper-V, WSL 2, memory integrity) runs: VirtualBox works on top of it, slower and less reliably"
    : "whether Windows' own hypervisor runs cannot be seen";
  return [{ id: "hyper-v", state: "warning", text, hint }];
}
