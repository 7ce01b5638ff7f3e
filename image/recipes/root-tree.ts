import { balancerNames, balancers } from "../../model/balancers";
import { type ContainerRuntimeName, containerRuntimes } from "../../model/container-runtimes";
import type { DistributionName } from "../../model/distributions";
import digests from "./layer-digests.json";
import type { RootTreeRecipe } from "./recipe";

/**
 * Packages by the role that needs them; one tree serves all roles, so that it is downloaded and kept once. Without
 * libpam-systemd: every command by SSH would start a systemd instance for the user.
 */
const packages: Readonly<Record<string, readonly string[]>> = {
  system: ["systemd", "systemd-sysv", "udev", "dbus", "kmod", "procps", "netbase", "tzdata", "less"],
  access: ["cloud-init", "python3-yaml", "openssh-server", "sudo", "ca-certificates", "curl", "jq", "openssl"],
  network: ["iproute2", "nftables", "iptables", "iputils-ping", "conntrack", "ethtool", "socat"],
  time: ["chrony"],
  disks: ["lvm2", "e2fsprogs", "xfsprogs"],
  gateway: ["dnsmasq"],
  balancer: [
    ...balancerNames.flatMap((name) => balancers[name].packages),
    "corosync",
    "pacemaker",
    "pacemaker-cli-utils",
    "resource-agents",
    "keepalived",
  ],
  storage: ["glusterfs-server", "glusterfs-client"],
  kubernetes: ["containernetworking-plugins", "busybox-static"],
};

/** Services of roles, and maintenance of a Debian that is updated in place: nodes are replaced instead. */
const disabledUnits = [
  "corosync.service",
  "dnsmasq.service",
  "glusterd.service",
  "haproxy.service",
  "keepalived.service",
  "logd.service",
  "nginx.service",
  "pacemaker.service",
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "cloud-init-hotplugd.socket",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "xfs_scrub_all.timer",
];

const debian: RootTreeRecipe = {
  suite: "trixie",
  packages: Object.values(packages).flat().sort(),
  forgotten: [
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/hostname",
    // Created by the package's installation; the only file that differed between two trees of the same packages.
    "etc/pacemaker/authkey",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
  ],
  layer: {
    folder: "base",
    files: digests.base,
    // Host keys come with the seed: keys generated in the machine could not be pinned.
    maskedUnits: ["sshd-keygen.service"],
    disabledUnits,
    enabledUnits: { "systemd-networkd.service": "multi-user.target", "ssh.service": "multi-user.target" },
  },
};

/** Packages that Ubuntu names or splits differently. */
const ubuntuPackages: Readonly<Record<string, readonly string[]>> = {
  "resource-agents": ["resource-agents-base"],
};

/** Ubuntu 24.04. By default it has a socket for SSH, fetches news for logins, and runs pcs, a dependency of pacemaker. */
const ubuntu: RootTreeRecipe = {
  ...debian,
  distribution: "ubuntu",
  suite: "noble",
  packages: ["apt", ...debian.packages.flatMap((name) => ubuntuPackages[name] ?? [name])].sort(),
  layer: {
    ...debian.layer,
    maskedUnits: [...debian.layer.maskedUnits, "ssh.socket"],
    disabledUnits: [...debian.layer.disabledUnits, "motd-news.timer", "pcsd.service", "pcsd-ruby.service"],
  },
};

export const rootTrees: Readonly<Record<DistributionName, RootTreeRecipe>> = { debian, ubuntu };

export const rootTree = rootTrees.debian;

/** Packages that Docker Engine depends on, whose programs are those of the release instead. */
const replacedPrograms = ["containerd", "containerd-shim-runc-v2", "containerd-stress", "ctr", "runc"];

/** The tree of nodes with this container runtime. Packages make a tree of its own. */
export function rootTreeWith(distribution: DistributionName, runtime: ContainerRuntimeName): RootTreeRecipe {
  const tree = rootTrees[distribution];
  const packages: readonly string[] = containerRuntimes[runtime].packages[distribution];
  if (packages.length === 0) return tree;
  return {
    ...tree,
    packages: [...tree.packages, ...packages].sort(),
    forgotten: [...tree.forgotten, ...replacedPrograms.flatMap((name) => [`usr/bin/${name}`, `usr/sbin/${name}`])],
    // Everything that talks to it is root, and it starts before the kubelet anyway.
    layer: { ...tree.layer, maskedUnits: [...tree.layer.maskedUnits, "docker.socket"] },
  };
}
