import type { DistributionName } from "../../model/distributions";
import digests from "./layer-digests.json";
import type { RootTreeRecipe } from "./recipe";

/**
 * Packages by the role that needs them; one tree serves all roles, so that it is downloaded and kept once. Without
 * libpam-systemd: a command by SSH would start a systemd of the user's own each time.
 */
const packages: Readonly<Record<string, readonly string[]>> = {
  system: ["systemd", "systemd-sysv", "udev", "dbus", "kmod", "procps", "netbase", "tzdata", "less"],
  access: ["cloud-init", "python3-yaml", "openssh-server", "sudo", "ca-certificates", "curl", "jq", "openssl"],
  network: ["iproute2", "nftables", "iptables", "iputils-ping", "conntrack", "ethtool", "socat"],
  time: ["chrony"],
  disks: ["lvm2", "e2fsprogs", "xfsprogs"],
  gateway: ["dnsmasq"],
  balancer: ["haproxy", "corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents", "keepalived"],
  storage: ["glusterfs-server", "glusterfs-client"],
  kubernetes: ["containerd", "runc", "containernetworking-plugins", "busybox-static"],
};

/** Services of roles, and chores of a Debian that is kept up to date by hand: a node is replaced instead. */
const disabledUnits = [
  "containerd.service",
  "corosync.service",
  "dnsmasq.service",
  "glusterd.service",
  "haproxy.service",
  "keepalived.service",
  "logd.service",
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
    // Made by the package's installation; the only file that differed between two trees of the same packages.
    "etc/pacemaker/authkey",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
  ],
  layer: {
    folder: "base",
    files: digests.base,
    // Host keys come with the seed: what is made in the machine would be pinned by nobody.
    maskedUnits: ["sshd-keygen.service"],
    disabledUnits,
    enabledUnits: { "systemd-networkd.service": "multi-user.target", "ssh.service": "multi-user.target" },
  },
};

/** Where Ubuntu calls or splits a package differently, and what Debian's smallest tree has without being asked. */
const ubuntuPackages: Readonly<Record<string, readonly string[]>> = {
  "resource-agents": ["resource-agents-base"],
};

/** Ubuntu 24.04. It would listen for SSH by a socket, fetch news for who logs in, and offer pcs, which pacemaker brings. */
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
