import { CommandError } from "../../model/commands";
import { driverRequirements, installedHypervisor, installHint, QEMU_PROGRAM } from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { formatVersion, type Version } from "../../model/versions";
import { hasVirtualisationFlag } from "../choice/detect-hypervisors";
import type { HostProblem } from "../hypervisor";
import { type Accelerator, QEMU_IMG } from "./commands";

const required = driverRequirements.qemu.hypervisor;
const packages = driverRequirements.qemu.programs.map((program) => program.package).join(" ");
const INSTALL = `apt-get install ${packages}`;
const BACKPORTS =
  `on Debian 12 take it from backports: apt-get install -t bookworm-backports ${packages} ` +
  "(https://backports.debian.org/Instructions); Debian 13 and Ubuntu 24.04 have a recent one";

/** Read-only: changes nothing on the host. */
export async function hostProblems(host: Host): Promise<readonly HostProblem[]> {
  if (host.facts.platform !== "linux") {
    return [{ id: "not-linux", problem: "the qemu driver needs Linux", hint: "run it on Linux, or use virtualbox" }];
  }
  const checks = await Promise.all([checkQemu(host), checkQemuImg(host)]);
  return checks.flat();
}

/**
 * The version of the host's QEMU.
 * @throws UserError when there is none that the driver can use
 */
export async function usableVersion(host: Host): Promise<Version> {
  const said = await firstLineOf(host, QEMU_PROGRAM);
  const problem = versionProblem(said, await chooseAccelerator(host));
  if (problem) throw new UserError(problem.id, problem.problem, problem.hint);
  return installedHypervisor(required, said ?? "")?.version ?? [];
}

/** What is wrong with a QEMU whose `--version` prints this; `undefined` when it can be used. Pure. */
export function versionProblem(said: string | undefined, accelerator: Accelerator): HostProblem | undefined {
  if (said === undefined) return { id: "qemu-missing", problem: `${QEMU_PROGRAM} is not installed`, hint: INSTALL };
  const installed = installedHypervisor(required, said);
  if (!installed) {
    return {
      id: "qemu-unknown",
      problem: `the version of ${QEMU_PROGRAM} is unknown: ${said}`,
      hint: installHint(required),
    };
  }
  if (!installed.tooOld) return undefined;
  const reason =
    accelerator === "tcg"
      ? "without KVM it emulates the processor, and it translates guests wrongly: their kernels crash"
      : "its network cables do not reconnect by themselves";
  return {
    id: "qemu-too-old",
    problem: `QEMU ${installed.text} is older than ${formatVersion(required.oldest)}: ${reason}`,
    hint: BACKPORTS,
  };
}

async function checkQemu(host: Host): Promise<readonly HostProblem[]> {
  const said = await firstLineOf(host, QEMU_PROGRAM);
  const problem = versionProblem(said, await chooseAccelerator(host));
  return problem ? [problem] : [];
}

async function checkQemuImg(host: Host): Promise<readonly HostProblem[]> {
  if ((await firstLineOf(host, QEMU_IMG)) !== undefined) return [];
  return [{ id: "qemu-img-missing", problem: `${QEMU_IMG} is not installed; it makes disks`, hint: INSTALL }];
}

/** The first line of a program's `--version`; `undefined` when the program is not installed. */
async function firstLineOf(host: Host, program: string): Promise<string | undefined> {
  const result = await host.run([program, "--version"], { timeoutMs: 30_000 }).catch((error: unknown) => {
    if (error instanceof CommandError && error.exitCode === null) return undefined;
    throw error;
  });
  return result?.stdout.split("\n")[0];
}

/**
 * KVM needs a processor with virtualization extensions (vmx, svm). The device alone is no proof: under PVM it exists and
 * opens, but the guest's kernel hangs.
 */
export async function chooseAccelerator(host: Host): Promise<Accelerator> {
  const able = hasVirtualisationFlag((await host.kernel.read("/proc/cpuinfo")) ?? "");
  return able && (await host.kernel.deviceAccess("/dev/kvm")) === "usable" ? "kvm" : "tcg";
}
