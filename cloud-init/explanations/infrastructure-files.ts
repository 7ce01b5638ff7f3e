import { balancers } from "../../model/balancers";
import { guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { FileExplanation, Stanzas } from "./explanation";
import { handOverFiles } from "./hand-over-files";

const corosyncConf: Stanzas = {
  "totem {": "How members talk: encrypted and signed, and how soon silence counts as death (token and consensus, ms).",
  "interface {": "The link is pinged this often, and counts as lost after the time-out.",
  "nodelist {": "The members, each with one vote. Two of three are a majority.",
  "quorum {": "Votes are counted: a minority may do nothing.",
  "logging {": "Messages go to the journal of the machine.",
};

const clusterInformationBase: Stanzas = {
  "<?xml": "Pacemaker's configuration as its members share it.",
  "<crm_config>":
    "Without a quorum every resource stops. No fencing device exists: quorum-guard releases the floating IP instead.",
  "<nodes>": "The members. The gateway only votes: standby keeps all resources away from it.",
  "<clone": "The program that forwards connections runs on every balancer, not only on the holder of the floating IP.",
  '<primitive id="floating-ip"': "The floating IP, an address that the resource agent adds to the interface.",
  "<constraints>":
    "Where resources may run: not on the gateway, and the floating IP only where the program beside it works.",
};

const nftables: Stanzas = {
  "table inet groundplane":
    "The table is created, deleted and written again in one transaction: there is no moment without rules.",
  "set balancer": "Addresses by role. Ranges cover what pools may grow to.",
  "set closed": "Networks of this host and its neighbours, which no machine of the data centre reaches.",
  "set reachable": "Exceptions of the configuration.",
  "set echoes": "Packets that a uplink in user space repeats are counted here and dropped.",
  "chain input {": "What the gateway itself answers. Everything else is dropped.",
  "chain forward {":
    "What passes from one segment to another: known connections, then the table of flows. Everything else is refused.",
  "chain prerouting {": "Connections from this host to the API get the floating IP as their destination.",
  "chain postrouting {": "Connections to the world get the gateway's address (NAT).",
};

const dnsmasqConf: Stanzas = {
  "# Only the segments": "Where it listens.",
  "# Names of the data centre": "Names: the data centre's own from /etc/hosts, all others from outside.",
  "dhcp-authoritative": "Addresses: planned machines get theirs from a file, other hosts one of a range for 12 hours.",
  "# A host that calls itself wpad": "A known attack on browsers.",
};

const haproxyCfg: Stanzas = {
  global:
    "The process: a user without rights in an empty folder. The socket is for reloads without a gap, and for questions.",
  defaults: "TCP, not HTTP: TLS ends at the API server. A watch may be silent for hours.",
  "frontend api": "Where clients arrive: on the floating IP, or on the balancer's own address.",
  frontend: "A NodePort that this host forwards.",
  "backend masters":
    "Where connections go: to masters whose /readyz is 200 by a certificate that is right for their name.",
  backend: "Where connections to the NodePort go: to every worker that answers.",
};

const nginxConf: Stanzas = {
  load_module: "The process: a worker for each processor.",
  "events {": "How many connections each worker has room for.",
  "upstream masters {": "The masters. One that refuses a connection gets none for fail_timeout.",
  [`listen ${ports.api}`]:
    "Where clients arrive. A master that does not accept within proxy_connect_timeout is replaced by the next one.",
  "listen unix:": "A socket on which it answers by itself, so that a check costs the masters nothing.",
};

const keepalivedConf: Stanzas = {
  "global_defs {": "VRRP version 3, and how often a new holder announces the address to its neighbours.",
  vrrp_script: "A balancer whose program does not answer gives way.",
  vrrp_instance:
    "The floating IP: the holder sends an advertisement every advert_int seconds. After three missing ones the other balancer takes it.",
};

const etcdProxyCfg: Stanzas = {
  global: "The process: a user without rights in an empty folder.",
  defaults: "TCP: the API server's TLS with etcd passes through.",
  "frontend api_server": "Where the API server of this master connects: etcd looks local to it.",
  "backend etcd": "One member at a time. When it fails, its connections end at once and the next one is used.",
};

const onGateway = "dnsmasq.service";

/** Files of gateway and balancers, by path. */
export const infrastructureFiles: Readonly<Record<string, FileExplanation>> = {
  ...handOverFiles,
  "/etc/nftables.conf": {
    why: "The firewall between segments. It is written from the table of flows: what is not listed there does not pass.",
    unit: "nftables.service",
    stanzas: nftables,
  },
  "/etc/systemd/system/sysinit.target.d/10-firewall.conf": {
    why: "The firewall is loaded before the network is up, also when nftables.service is not enabled by the distribution.",
    unit: "nftables.service",
  },
  "/etc/dnsmasq.d/groundplane.conf": {
    why: "Names and addresses for all segments, from one program.",
    unit: onGateway,
    stanzas: dnsmasqConf,
  },
  [guestPaths.dhcpHosts]: {
    why: "The planned address of each machine, by the hardware address of its network card. So a machine that is recreated gets the same one.",
    unit: onGateway,
    stanzas: { "*": "Hardware address, address, name, and a lease that does not end." },
  },
  "/etc/sysctl.d/90-groundplane.conf": {
    why: "A machine that is no router drops packets that are not for itself. This makes the gateway a router.",
    shown: "sysctl net.ipv4.ip_forward",
    stanzas: { "net.ipv4.ip_forward": "Forward packets between interfaces." },
  },
  "/etc/corosync/corosync.conf": {
    why: "Who the members are that agree on the floating IP, and how soon silence counts as death.",
    unit: "corosync.service",
    stanzas: corosyncConf,
  },
  [guestPaths.corosyncKey]: {
    why: "The key with which members sign and encrypt what they tell each other. A process without it cannot pretend to be a member.",
    unit: "corosync.service",
  },
  "/var/lib/pacemaker/cib/cib.xml": {
    why: "What Pacemaker manages. It is complete from the first boot on, so that no command has to configure a running cluster.",
    unit: "pacemaker.service",
    stanzas: clusterInformationBase,
  },
  [guestPaths.futureCluster]: {
    why: "The same configuration where another program moves the floating IP, for the day on which the stack changes to Pacemaker.",
    shown: `cat ${guestPaths.futureCluster}`,
    stanzas: clusterInformationBase,
  },
  "/usr/lib/ocf/resource.d/groundplane/floating-ip": {
    why: "How Pacemaker adds and removes the floating IP: a short script, because the API is away between the stop and the next start.",
    unit: "pacemaker.service",
  },
  "/etc/systemd/system/corosync.service.d/20-restarts.conf": {
    why: "A member that crashes comes back, however often.",
    unit: "corosync.service",
  },
  "/etc/systemd/system/pacemaker.service.d/20-restarts.conf": {
    why: "A Pacemaker that crashes comes back, however often.",
    unit: "pacemaker.service",
  },
  "/etc/systemd/system/pacemaker.service.d/10-haproxy-first.conf": {
    why: "HAProxy serves before Pacemaker may put the floating IP here.",
    unit: "pacemaker.service",
  },
  "/etc/systemd/system/pacemaker.service.d/10-nginx-first.conf": {
    why: "nginx serves before Pacemaker may put the floating IP here.",
    unit: "pacemaker.service",
  },
  "/etc/keepalived/keepalived.conf": {
    why: "Which balancer holds the floating IP, and when the other one takes it.",
    unit: "keepalived.service",
    stanzas: keepalivedConf,
  },
  "/etc/systemd/system/keepalived.service.d/10-floating-ip.conf": {
    why: "keepalived and Pacemaker never run together: both would move the same address.",
    unit: "keepalived.service",
  },
  [balancers.haproxy.configuration]: {
    why: "How a connection to the API finds a master that is ready.",
    unit: "haproxy.service",
    stanzas: haproxyCfg,
  },
  "/etc/systemd/system/haproxy.service.d/90-restart.conf": {
    why: "A HAProxy that crashes serves again after 0.1 s: that is sooner than a move of the floating IP.",
    unit: "haproxy.service",
  },
  [balancers.nginx.configuration]: {
    why: "How a connection to the API finds a master.",
    unit: "nginx.service",
    stanzas: nginxConf,
  },
  "/etc/systemd/system/nginx.service.d/90-restart.conf": {
    why: "An nginx that crashes serves again after 0.1 s, also when its former socket is left.",
    unit: "nginx.service",
  },
  "/etc/sysctl.d/90-nginx.conf": {
    why: "nginx does not check masters, so the kernel must notice soon that one is dead and end its connections.",
    shown: "sysctl net.ipv4.tcp_retries2",
    stanzas: {
      "net.ipv4.tcp_keepalive": "Idle connections are probed.",
      "net.ipv4.tcp_retries2": "Data without an answer ends a connection.",
    },
  },
  "/etc/sysctl.d/90-floating-ip.conf": {
    why: "This machine is a master as well: its API server listens on one address only, and programs may bind an address that is not here yet.",
    shown: "sysctl net.ipv4.ip_nonlocal_bind",
    stanzas: { "net.ipv4.ip_nonlocal_bind": "The floating IP may come later than the program that serves it." },
  },
  [guestPaths.balancerAuthority]: {
    why: "By this certificate a balancer verifies that what answers on a master's address is that master. It is no secret.",
    unit: "haproxy.service",
  },
  [guestPaths.etcdProxy]: {
    why: "How the API server of this master finds a member of etcd that works, where etcd has machines of its own.",
    unit: "groundplane-etcd-proxy.service",
    stanzas: etcdProxyCfg,
  },
};
