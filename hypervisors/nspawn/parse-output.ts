/** Pure parsers for the output of the kernel and of the driver's programs. */

/** One line of /proc/<pid>/cgroup. */
export interface CgroupMembership {
  /** e.g. `["cpu", "cpuacct"]`, `["name=systemd"]`, `[]` for version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

export function parseCgroups(text: string): readonly CgroupMembership[] {
  return lines(text).map((line) => {
    const [, controllers = "", ...rest] = line.split(":");
    return { controllers: controllers.split(",").filter((name) => name !== ""), path: rest.join(":") };
  });
}

export interface CgroupMount {
  readonly version: 1 | 2;
  /** Controllers and names of a version 1 hierarchy; none for version 2. */
  readonly controllers: readonly string[];
  /** The part of the hierarchy that is mounted, `/` outside of containers. */
  readonly root: string;
  readonly mountPoint: string;
}

/** The cgroup mounts in /proc/self/mountinfo. */
export function parseCgroupMounts(text: string): readonly CgroupMount[] {
  return lines(text).flatMap((line): readonly CgroupMount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, controllers: [], root, mountPoint }];
    if (type !== "cgroup") return [];
    const controllers = options.split(",").filter((option) => option !== "rw" && option !== "ro");
    return [{ version: 1, controllers, root, mountPoint }];
  });
}

/** Pids in each pid namespace that a process is in, outermost first, from /proc/<pid>/status. */
export function parseNamespacePids(status: string): readonly number[] {
  const line = lines(status).find((candidate) => candidate.startsWith("NSpid:"));
  return line === undefined ? [] : line.split(/\s+/).slice(1).map(Number);
}

export interface UplinkForward {
  readonly id: number;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** Answer of slirp4netns to `list_hostfwd`. */
export function parseForwards(answer: string): readonly UplinkForward[] {
  const parsed = JSON.parse(answer) as {
    readonly entries?: readonly { readonly id: number; readonly host_port: number; readonly guest_port: number }[];
  };
  return (parsed.entries ?? []).map((entry) => ({
    id: entry.id,
    hostPort: entry.host_port,
    guestPort: entry.guest_port,
  }));
}

/** The error in an answer of slirp4netns; `undefined` on success. */
export function parseUplinkError(answer: string): string | undefined {
  return (JSON.parse(answer) as { readonly error?: { readonly desc?: string } }).error?.desc;
}

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
