import type { MachineSpec, NicSpec, UplinkSpec } from "../hypervisor";
import { bridgeName, containerName, machineNamespace, namespacePath, portName, stackNamespace, UPLINK } from "./names";

/** Pure builders of everything this driver runs: argv arrays, and the lines of `ip -batch -`. */

export const addNamespace = (namespace: string): string[] => ["ip", "netns", "add", namespace];
export const deleteNamespace = (namespace: string): string[] => ["ip", "netns", "delete", namespace];

/** Reads `ip` commands from stdin and runs them in a namespace; `force` continues after a failed line. */
export const ipBatch = (namespace: string, force = false): string[] => [
  "ip",
  ...(force ? ["-force"] : []),
  "-n",
  namespace,
  "-batch",
  "-",
];

export const listLinks = (namespace: string): string[] => ["ip", "-n", namespace, "-json", "link", "show"];

/** Runs a command in a network namespace. `ip netns exec` would also remount /sys and hide the cgroups. */
export const inNamespace = (namespace: string, argv: readonly string[]): string[] => [
  "nsenter",
  `--net=${namespacePath(namespace)}`,
  "--",
  ...argv,
];

/** A plain bridge: no spanning tree, and no multicast snooping, which could drop group traffic. */
export const addBridge = (segment: string): string[] => [
  `link add name ${bridgeName(segment)} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
];
export const raiseBridge = (segment: string): string[] => [`link set dev ${bridgeName(segment)} up`];
export const deleteBridge = (segment: string): string[] => [`link delete dev ${bridgeName(segment)}`];

/** The machine's cables, run in the stack's namespace: one end on the bridge, the other in the machine's namespace. */
export function addCables(spec: MachineSpec): string[] {
  return spec.nics.flatMap((nic) => {
    const port = portName(spec.name, nic.segment);
    const peer = `name ${nic.name} address ${nic.mac} netns ${machineNamespace(spec)}`;
    return [
      `link add name ${port} type veth peer ${peer}`,
      `link set dev ${port} alias ${spec.name}/${nic.segment}`,
      `link set dev ${port} master ${bridgeName(nic.segment)} up`,
    ];
  });
}

export const deleteCables = (machine: string, nics: readonly NicSpec[]): string[] =>
  nics.map((nic) => `link delete dev ${portName(machine, nic.segment)}`);

/** Sets links up or down at the bridge's end: the guest loses its carrier, as with a real cable. */
export const setCables = (machine: string, segments: readonly string[], up: boolean): string[] =>
  segments.map((segment) => `link set dev ${portName(machine, segment)} ${up ? "up" : "down"}`);

/** A persistent tap, so that it has its planned MAC before the guest boots and outlives slirp4netns. */
export const addUplinkTap = (uplink: UplinkSpec): string[] => [
  `tuntap add dev ${UPLINK} mode tap`,
  `link set dev ${UPLINK} address ${uplink.mac}`,
];
export const setUplinkCarrier = (up: boolean): string[] => [`link set dev ${UPLINK} carrier ${up ? "on" : "off"}`];

/**
 * Keeps later mounts private. slirp4netns needs this as well: its sandbox unmounts the old root with everything below. On
 * a shared mount, which `ip netns` makes of /run/netns, that propagates to the host and removes every namespace's name.
 */
export const withPrivateMounts = (argv: readonly string[]): string[] => [
  "unshare",
  "--mount",
  "--propagation",
  "private",
  "--",
  ...argv,
];

/**
 * All clients outside of the stack wait while this one process waits for a processor. It needs little time, so it has real-time priority. A kernel
 * without groups of sessions has no such file, and a host may refuse a priority; each of them helps without the others.
 */
const promptly = "{ echo -10 >/proc/$$/autogroup; renice -n -10 -p $$; chrt --rr --pid 1 $$; } >/dev/null 2>&1 || true";

/**
 * User-mode NAT. MTU 1500 although slirp4netns supports 65520: almost all traffic is routed to segments with MTU 1500, and
 * the gateway would fragment larger datagrams.
 */
export const runUplink = (spec: MachineSpec, socket: string, cgroup: string): string[] =>
  withPrivateMounts([
    ...["sh", "-euc", `echo 0 >"$1/cgroup.procs"; shift; ${promptly}; exec "$@"`, "sh", cgroup],
    "slirp4netns",
    "--netns-type=path",
    `--api-socket=${socket}`,
    "--disable-host-loopback",
    "--enable-sandbox",
    "--enable-seccomp",
    "--mtu=1500",
    namespacePath(machineNamespace(spec)),
    UPLINK,
  ]);

/** What containerd, kubelet, nftables and Gluster need beyond nspawn's own set. README.md says for what. */
const ADDED_CAPABILITIES = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_PTRACE", "CAP_MKNOD"];
/** networkd's unit demands it; the system call is only allowed where runc needs it. */
const NETWORKD_CAPABILITIES = ["CAP_BPF", "CAP_IPC_LOCK"];

/** What nspawn grants and no node needs. */
const DROPPED_CAPABILITIES = [
  // Would open every file of a file system by its number, also outside of the machine.
  "CAP_DAC_READ_SEARCH",
  "CAP_LINUX_IMMUTABLE",
  "CAP_SYS_TTY_CONFIG",
  "CAP_LEASE",
];

/** Some of them nspawn refuses by itself; its list differs between its versions. */
const REFUSED_CALLS = [
  // Since Linux 6.11 also without a capability: a folder's number leads to every file of the host's disk.
  "open_by_handle_at",
  // Would change the options of a file system for all its mounts.
  "fspick",
  ...["@module", "@swap", "@raw-io", "kexec_load", "kexec_file_load"],
  ...["syslog", "perf_event_open", "quotactl", "quotactl_fd", "userfaultfd"],
];

export interface ContainerOptions {
  /** The mounted root, relative to the working folder. */
  readonly root: string;
  /** Source on the host, target in the guest. */
  readonly binds: readonly { readonly source: string; readonly target: string; readonly readOnly?: boolean }[];
  /** A host with cgroup v1: the guest's systemd (257) boots on it only with this variable. */
  readonly legacyCgroups: boolean;
}

/** systemd-nspawn for one machine, whose cgroups, namespace and root exist. */
export function runContainer(spec: MachineSpec, options: ContainerOptions): string[] {
  return [
    "systemd-nspawn",
    "--quiet",
    `--directory=${options.root}`,
    "--boot",
    `--machine=${containerName(spec)}`,
    `--hostname=${spec.name}`,
    `--uuid=${spec.uuid}`,
    // Use neither machined nor a unit of the host's systemd: the host may not run systemd.
    "--register=no",
    "--keep-unit",
    "--settings=no",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--console=read-only",
    `--network-namespace-path=${namespacePath(machineNamespace(spec))}`,
    `--capability=${[...ADDED_CAPABILITIES, ...NETWORKD_CAPABILITIES].join(",")}`,
    `--drop-capability=${DROPPED_CAPABILITIES.join(",")}`,
    // containerd and runc need system calls that nspawn's filter rejects by default.
    "--system-call-filter=@keyring",
    // On version 2, runc restricts devices by programs.
    ...(options.legacyCgroups ? [] : ["--system-call-filter=bpf"]),
    `--system-call-filter=~${REFUSED_CALLS.join(" ")}`,
    ...(options.legacyCgroups ? ["--setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"] : []),
    ...options.binds.map(({ source, target, readOnly }) => {
      return `--bind${readOnly ? "-ro" : ""}=${escapeBind(source)}:${escapeBind(target)}`;
    }),
  ];
}

const escapeBind = (file: string): string => file.replaceAll("\\", "\\\\").replaceAll(":", "\\:");

/** Options of an overlay mount, layers from top to bottom; `upper` and `work` are relative to the working folder. */
export function overlayOptions(layers: readonly string[], upper: string, work: string): string {
  const escaped = layers.map((layer) => layer.replace(/[\\:,]/g, "\\$&"));
  return `lowerdir=${escaped.join(":")},upperdir=${upper},workdir=${work}`;
}

/** Attaches the programs in stdin to a cgroup. */
export const attachPrograms = (kernelCalls: string, cgroup: string) => ["perl", kernelCalls, "attach", cgroup];

/** Lets more new connections wait at a process's sockets. */
export const lengthenQueues = (kernelCalls: string, pid: number) => ["perl", kernelCalls, "lengthen-queues", `${pid}`];

/** Prefix of an argv that then sees folders mounted read-only at other places. */
export const mountSealed = (
  kernelCalls: string,
  mounts: readonly { readonly source: string; readonly target: string }[],
): string[] => [
  ...["perl", kernelCalls, "mount-sealed"],
  ...mounts.flatMap(({ source, target }) => [source, target]),
  "--",
];

/** Creates a sparse file, or makes it larger; never smaller. */
export const growFile = (file: string, gibibytes: number): string[] => [
  "truncate",
  `--size=>${gibibytes}G`,
  "--",
  file,
];
/** Its tables are written when they are used, and no space is kept for root. */
export const makeExt4 = (file: string): string[] => [
  ...["mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096"],
  ...["-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", file],
];

/** With owners, holes, hard links and all attributes: those of overlayfs and Gluster are lost without an error otherwise. */
export const copyTree = (from: string, to: string): string[] => [
  ...["cp", "--archive", "--preserve=xattr", "--reflink=auto", "--no-target-directory", "--", from, to],
];
export const syncFileSystem = (folder: string): string[] => ["sync", "--file-system", folder];

export const stackBatch = (stack: string, force = false): string[] => ipBatch(stackNamespace(stack), force);
