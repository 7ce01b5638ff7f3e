import { driverRequirements } from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import type { HostProblem } from "../hypervisor";
import { MOUNT_VERSION_2 } from "./border";
import { parseCgroupMounts } from "./parse-output";

/** Read-only: changes nothing on the host. */
export async function hostProblems(host: Host): Promise<readonly HostProblem[]> {
  if (host.facts.platform !== "linux") {
    return [
      {
        id: "not-linux",
        problem: "system containers need Linux",
        hint: "run it on a Linux machine, or in a virtual machine with Linux",
      },
    ];
  }
  const checks = await Promise.all([
    checkRoot(host),
    checkPrograms(host),
    checkFileSystems(host),
    checkCgroups(host),
    checkDevices(host),
  ]);
  return checks.flat();
}

async function checkRoot(host: Host): Promise<readonly HostProblem[]> {
  if (host.facts.uid === 0) return [];
  return [{ id: "not-root", problem: "system containers need root", hint: "run the command with sudo" }];
}

async function checkPrograms(host: Host): Promise<readonly HostProblem[]> {
  const checked = await Promise.all(
    driverRequirements.nspawn.programs.map(async (entry) => ({ entry, found: await isInstalled(host, entry.program) })),
  );
  return checked.flatMap(({ entry, found }) => {
    if (found) return [];
    const problem = `${entry.program} is not installed; it ${entry.task}`;
    return [{ id: entry.id, problem, hint: `apt-get install ${entry.package}` }];
  });
}

async function isInstalled(host: Host, program: string): Promise<boolean> {
  const { exitCode } = await host.run(["sh", "-c", 'command -v "$1"', "sh", program], {
    allowedExitCodes: [0, 1, 127],
  });
  return exitCode === 0;
}

async function checkFileSystems(host: Host): Promise<readonly HostProblem[]> {
  const known = ((await host.kernel.read("/proc/filesystems")) ?? "").split(/\s+/);
  if (known.includes("overlay")) return [];
  // Most kernels load the module on the first mount, if it exists.
  if (await hasModule(host, "overlay")) return [];
  return [
    {
      id: "overlay-missing",
      problem: "the kernel has no overlay file system",
      hint: "boot a kernel with CONFIG_OVERLAY_FS",
    },
  ];
}

async function hasModule(host: Host, name: string): Promise<boolean> {
  const release = await host.kernel.read("/proc/sys/kernel/osrelease");
  const list = `${await host.kernel.read(`/lib/modules/${release}/modules.dep`)}\n${await host.kernel.read(`/lib/modules/${release}/modules.builtin`)}`;
  return list.includes(`/${name}.ko`);
}

async function checkCgroups(host: Host): Promise<readonly HostProblem[]> {
  const mounts = parseCgroupMounts((await host.kernel.read("/proc/self/mountinfo")) ?? "");
  if (mounts.length === 0) {
    return [
      {
        id: "cgroups-missing",
        problem: "no cgroups are mounted",
        hint: "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
      },
    ];
  }
  if (!mounts.some((mount) => mount.version === 2)) {
    return [
      {
        id: "cgroup2-missing",
        problem: "the version 2 cgroup hierarchy is not mounted; it keeps machines from the host's devices",
        hint: MOUNT_VERSION_2,
      },
    ];
  }
  const legacy = mounts.some((mount) => mount.version === 1);
  if (!legacy || mounts.some((mount) => mount.controllers.includes("name=systemd"))) return [];
  return [
    {
      id: "systemd-cgroup-missing",
      problem: "this host has version 1 cgroups without the hierarchy name=systemd, which containers' systemd needs",
      hint: "mkdir -p /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd",
    },
  ];
}

async function checkDevices(host: Host): Promise<readonly HostProblem[]> {
  const problems: HostProblem[] = [];
  if (!(await host.files.exists("/dev/net/tun"))) {
    problems.push({
      id: "tun-missing",
      problem: "/dev/net/tun is missing; the gateway's uplink needs it",
      hint: "modprobe tun",
    });
  }
  for (const name of ["bridge", "veth", "vxlan", "nf_tables"]) {
    if (!(await mayHaveFeature(host, name))) {
      problems.push({
        id: `${name.replaceAll("_", "-")}-missing`,
        problem: `the kernel has no ${name}, as far as can be seen without loading anything`,
        hint: `boot a kernel with ${name}, or load it: modprobe ${name}`,
      });
    }
  }
  return problems;
}

/**
 * Loaded, built in or loadable. A kernel without a module folder (on some cloud and container hosts) cannot be checked and
 * counts as having it.
 */
async function mayHaveFeature(host: Host, name: string): Promise<boolean> {
  if (await host.files.exists(`/sys/module/${name}`)) return true;
  const release = await host.kernel.read("/proc/sys/kernel/osrelease");
  return !(await host.files.exists(`/lib/modules/${release}/modules.dep`)) || (await hasModule(host, name));
}
