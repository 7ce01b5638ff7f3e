import { guestPaths } from "../../model/guest-paths";
import type { FileExplanation } from "./explanation";

/** Files of every machine and of storage machines, by path. The last part of some depends on the node. */
export const commonFiles: Readonly<Record<string, FileExplanation>> = {
  "/etc/hosts": {
    why: "The machines that all others need are found without DNS, also while the gateway is away.",
    shown: "getent hosts api",
    stanzas: {
      "127.0.0.1": "This machine.",
      "::1": "This machine.",
      "*": "Address, full name and name of each machine.",
    },
  },
  "/etc/resolv.conf": {
    why: "All other names come from the gateway. A short time-out, because it is one hop away.",
    shown: "getent hosts gateway",
    stanzas: {
      search: "`master-1` means `master-1.<domain>`.",
      nameserver: "The gateway.",
      options: "Ask three times, one second each.",
    },
  },
  "/etc/chrony/conf.d/groundplane.conf": {
    why: "Time comes from the gateway, so that all machines have the same, even if it is not the true one.",
    unit: "chrony.service",
    stanzas: {
      allow: "The gateway answers the machines of the data centre.",
      local: "It does so even without a source of its own.",
      server: "The source of this machine.",
    },
  },
  [guestPaths.nodeEnvironment]: {
    why: "What the scripts of this machine need to know of the plan. They have no other configuration.",
    shown: `cat ${guestPaths.nodeEnvironment}`,
    stanzas: { "STACK=": "Variables of the shell, one per line." },
  },
  [guestPaths.capacity]: {
    why: "Processors and memory of the plan, which a system container shows instead of those of the host.",
    unit: "groundplane-capacity.service",
    stanzas: { "CPUS=": "As planned for this machine." },
  },
  [guestPaths.volumes]: {
    why: "The sizes that the volumes of the system disk grow to at each boot. A system container has no disk of its own and ignores them.",
    shown: "df -h",
    stanzas: { "#": "A full /var must not keep the system from booting, so each has a volume of its own." },
  },
  [guestPaths.dataDisks]: {
    why: "The disks that outlive the machine, each with the file system that is made on an empty one, and where it is mounted.",
    shown: "findmnt --types xfs,ext4",
    stanzas: { "#": "A disk is known by its serial number, whatever the order in which the kernel finds it." },
  },
  [guestPaths.sshHostKey]: {
    why: "The key by which SSH clients know this machine. It follows from the stack's seed and the node's name, so that a machine that is recreated is the same one.",
    unit: "ssh.service",
  },
  [guestPaths.presentHostKey]: {
    why: "The public part of the host key that sshd has read, after a rotation.",
    unit: "ssh.service",
  },
  "/etc/ssh/sshd_config.d/10-groundplane.conf": {
    why: "Only keys open a machine, and no password ever does.",
    unit: "ssh.service",
    stanzas: {
      "# The first value": "Root with a key, and nothing else.",
      X11Forwarding:
        "What a connection may not do. The gateway is a bastion, so it may open connections to other nodes.",
      UseDNS: "No question to DNS before a login.",
      "# All connections come": "Many connections at once: those of `up` and of `status`.",
    },
  },
  "/root/.ssh/authorized_keys": {
    why: "The public key of the administrator of this stack. Its private part is on this host only.",
    unit: "ssh.service",
  },
  "/var/lib/glusterd/glusterd.info": {
    why: "The identity of this storage machine in the pool. It follows from the plan, so that a machine that is recreated is the same peer.",
    unit: "glusterd.service",
    stanzas: { "UUID=": "Known to all peers." },
  },
  "/var/lib/glusterd/peers/*": {
    why: "Another storage machine of the pool. Each machine knows all others from its first boot, so no command has to introduce them.",
    unit: "glusterd.service",
    stanzas: { "uuid=": "Identity, state (3: befriended) and address of the peer." },
  },
  "/etc/systemd/system/glusterd.service.d/10-groundplane.conf": {
    why: "Gluster starts only when its data disk is mounted. Without this it would write its copy to the system disk.",
    unit: "glusterd.service",
  },
};
