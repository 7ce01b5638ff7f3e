import { guestPaths, volumeName } from "../../model/guest-paths";
import type { UnitExplanation } from "./explanation";
import { kubernetesUnits } from "./kubernetes-units";

const services = "services" as const;
const volumePath = `${guestPaths.volumeMounts}/${volumeName}`;

/** Every unit that seeds write or start, by name: those of packages and our own. */
export const unitExplanations: Readonly<Record<string, UnitExplanation>> = {
  ...kubernetesUnits,
  "groundplane.target": {
    why: "It wants the units of the machine's roles, so that one name starts all of them at every boot.",
    shown: "systemctl list-dependencies groundplane.target",
    checks: [services],
  },
  "groundplane-capacity.service": {
    why: "A system container sees the processors and memory of the host. This unit shows those of the plan, which the kubelet reports as the node's capacity.",
    shown: "free -m",
    checks: ["failed-units"],
  },
  "groundplane-limit-logs.service": {
    why: "A log that grows forever fills the disk, and a full disk stops etcd.",
    checks: ["disk-room"],
  },
  "groundplane-limit-logs.timer": {
    why: "It starts groundplane-limit-logs.service every hour.",
    shown: "systemctl list-timers groundplane-limit-logs.timer",
    checks: ["disk-room"],
  },
  "chrony.service": {
    why: "It keeps the clock of a virtual machine right: certificates and leases are valid for a time that all machines must agree about.",
    shown: "chronyc tracking",
    masked: "A system container has the clock of this host, which only this host sets.",
    checks: ["clock", "clock-source"],
  },
  "nftables.service": {
    why: "It loads the firewall before the network is up, so that there is no moment without rules.",
    shown: "nft list ruleset",
    checks: ["firewall"],
    faults: ["gateway-kill"],
  },
  "dnsmasq.service": {
    why: "It answers names and gives addresses in all segments: one program, because a name belongs to an address.",
    checks: ["dns", "dhcp"],
    faults: ["gateway-kill"],
  },
  "corosync.service": {
    why: "Its members agree on who is alive. Two of three votes are a majority, and only a majority may have the floating IP.",
    shown: "corosync-quorumtool",
    checks: ["corosync"],
    faults: ["balancer-kill", "isolation", "partition"],
  },
  "pacemaker.service": {
    why: "It decides, by what Corosync knows, on which balancer the floating IP is, and watches the program beside it.",
    shown: "crm_mon --one-shot",
    checks: ["pacemaker", "floating-ip"],
    faults: ["balancer-kill", "planned-move"],
  },
  "quorum-guard.service": {
    why: "A balancer that loses the majority must release the floating IP before the other one takes it. Pacemaker does so as well, but later.",
    checks: ["floating-ip"],
    faults: ["isolation", "partition"],
  },
  "groundplane-hand-over.service": {
    why: "A stop that is planned should cost no connection. Before this balancer stops, new connections to the floating IP go on to the other balancer, open ones complete what is in flight, and then the address moves.",
    shown: "journalctl --unit groundplane-hand-over.service",
    checks: ["floating-ip"],
    faults: ["planned-move"],
  },
  "keepalived.service": {
    why: "It moves the floating IP by VRRP: the holder announces itself, and silence makes the other balancer the holder. There is no quorum.",
    shown: "ip -brief address show dev dmz",
    checks: ["floating-ip"],
    faults: ["balancer-kill", "planned-move", "isolation", "partition"],
  },
  "haproxy.service": {
    why: "It accepts connections to the API and forwards each to a master that is ready. TLS passes through, so it has no key of the cluster.",
    shown: "echo 'show servers state' | socat - UNIX-CONNECT:/run/haproxy/admin.sock",
    checks: ["backends", "api"],
    faults: ["haproxy-crash"],
  },
  "nginx.service": {
    why: "It accepts connections to the API and forwards each to a master. It does not check masters, but leaves one out after a refused connection.",
    shown: "socat -u UNIX-CONNECT:/run/nginx-answers.sock -",
    checks: ["backends", "api"],
    faults: ["nginx-crash"],
  },
  "glusterd.service": {
    why: "It manages the volume on this machine and starts the program that serves the brick.",
    shown: "gluster volume status",
    checks: ["bricks", "heals", "split-brain"],
    faults: ["storage-kill"],
  },
  "groundplane-brick.service": {
    why: "A storage machine with a new data disk must not serve an empty copy as if it were complete: the other copies fill it first.",
    checks: ["bricks", "heals"],
    faults: ["storage-kill"],
  },
  "groundplane-volume.service": {
    why: "It keeps the volume mounted on this worker and tells the cluster, so that pods with a claim start only where it is.",
    checks: ["mounts"],
    faults: ["storage-kill"],
  },
  "var-lib-groundplane-volumes.mount": {
    why: "The folder of mounts is a tiny file system of its own: a program that writes where no volume is mounted fails, instead of filling the system disk.",
    checks: ["mounts"],
  },
  "var-lib-groundplane-volumes-data.mount": {
    why: "The volume of the storage machines, as a folder of this worker. The claims of pods are folders in it.",
    shown: `findmnt ${volumePath}`,
    checks: ["mounts"],
    faults: ["storage-kill"],
  },
};
