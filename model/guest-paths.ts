/** Where the files of a node are, each path once. Scripts get the paths that they need through node.env. */

/** The folder of the commands that seeds install and the provider calls. */
const commandFolder = "/usr/local/lib/groundplane";
/** Settings that the seed writes. */
const settings = "/etc/groundplane";
const kubernetes = "/etc/kubernetes";
/** What a node remembers. */
const state = "/var/lib/groundplane";
const pki = `${kubernetes}/pki`;
/** Mounted into the API server as a whole, read-only. */
const apiServer = `${kubernetes}/api-server`;

export const guestPaths = {
  kubernetes,
  nodeEnvironment: `${settings}/node.env`,
  /** Processors and memory of the plan, for what a system container shows. */
  capacity: `${settings}/capacity`,
  volumes: `${settings}/volumes`,
  dataDisks: `${settings}/data-disks`,
  dhcpHosts: `${settings}/dhcp-hosts`,
  /** What dnsmasq has leased, by default. */
  dhcpLeases: "/var/lib/misc/dnsmasq.leases",
  sshHostKey: "/etc/ssh/ssh_host_ed25519_key",
  /** Its public part, after a rotation. Not beside it, where sshd would read it. */
  presentHostKey: `${settings}/ssh-host-key.pub`,
  state,
  /** The order to start or to join the cluster. */
  clusterOrder: `${state}/order`,
  /** Where workers mount volumes, one folder per volume. */
  volumeMounts: `${state}/volumes`,
  pki,
  etcdPki: `${pki}/etcd`,
  /** On masters whose authority is given: its certificate and those of its issuers. */
  authorityBundle: `${pki}/ca-bundle.crt`,
  /** Those of the cluster that rotations replaced, each with its key, on a master that joins before a rotation has ended. */
  formerAuthorities: `${pki}/former-authorities.pem`,
  etcdData: "/var/lib/etcd",
  /** What Gluster knows of its peers and volumes. */
  glusterState: "/var/lib/glusterd",
  /** Where the data are read while they move to another system disk, until the machine restarts. */
  movedEtcd: "/run/groundplane-moved-etcd",
  /** Where a snapshot of etcd is taken and verified. */
  etcdSnapshot: `${state}/etcd-snapshot`,
  /** The same for a backup that a master takes by itself, which may be at the same time. */
  backupWork: `${state}/backup-work`,
  /** Backups of a master without a data disk, where the stack has no storage machines. */
  backups: `${state}/backups`,
  /** Where a master mounts the volume while it writes a backup. */
  backupMount: `${state}/backup-volume`,
  /** Name and size of the newest backup. */
  backupState: `${state}/newest-backup`,
  /** What etcd's data is restored from. */
  etcdRestore: `${state}/etcd-restore`,
  /** Without its ending: the API server's certificate and key for etcd that has machines of its own. */
  etcdClient: `${pki}/apiserver-etcd-client`,
  /** Which members of etcd the API server may use, where etcd has machines of its own. */
  etcdProxy: `${settings}/etcd-proxy.cfg`,
  adminKubeconfig: `${kubernetes}/admin.conf`,
  apiServer,
  /** Defaults of the API server's admission plugins. */
  admissionConfiguration: `${apiServer}/admission-configuration.yaml`,
  encryptionConfiguration: `${apiServer}/encryption-configuration.yaml`,
  auditPolicy: `${apiServer}/audit-policy.yaml`,
  /** The authorities of the client certificates that the API server accepts. */
  apiClients: `${apiServer}/clients.crt`,
  /** What a rotation brings to a node; removed at its end. */
  newKeys: `${state}/new-keys`,
  authenticationConfiguration: `${apiServer}/authentication-configuration.yaml`,
  /** Manifests of kubeadm: of static pods, or of the services in their place. */
  staticPods: `${kubernetes}/manifests`,
  /** Of the kubelet of a master whose control plane runs as services; stays empty. */
  noStaticPods: `${kubernetes}/static-pods`,
  controllerManagerKubeconfig: `${kubernetes}/controller-manager.conf`,
  schedulerKubeconfig: `${kubernetes}/scheduler.conf`,
  /** The programs of the services, from their container images. */
  programs: `${state}/programs`,
  /** Arguments of the services. */
  preparedComponents: "/run/groundplane-control-plane",
  kubeletConfiguration: "/var/lib/kubelet/config.yaml",
  /** Settings of this node's kubelet, on top of those that kubeadm wrote when the node joined. */
  kubeletSettings: `${kubernetes}/kubelet.conf.d`,
  /** Exists while a fence of another node waits for that node's return. */
  fences: `${state}/fences`,
  auditLogs: "/var/log/kubernetes",
  initConfiguration: `${settings}/kubeadm/init.yaml`,
  /** What `kubeadm init` reads, without its secrets: the control plane of a running master follows it. */
  controlPlaneConfiguration: `${settings}/kubeadm/control-plane.yaml`,
  joinConfiguration: `${settings}/kubeadm/join.yaml`,
  patches: `${settings}/kubeadm/patches`,
  /** On balancers: the authority of the API servers' certificates. */
  balancerAuthority: "/etc/haproxy/cluster-ca.crt",
  /** Pacemaker's complete configuration, where it does not run but may later. */
  futureCluster: `${settings}/cluster.xml`,
  corosyncKey: "/etc/corosync/authkey",
  /** Packet filter rules for what comes from pods. */
  podFilter: `${settings}/pods.nft`,
  /** Certificate and key of the stack's registry, on workers, which may run it. */
  registry: `${settings}/registry`,
  /** What containerd knows about registries, a folder for each. It reads them at each pull. */
  trustedRegistries: "/etc/containerd/certs.d",
  registrySettings: "/etc/containerd/conf.d/20-registries.toml",
  /** How a balancer takes connections over from another one. */
  handOverRules: `${settings}/hand-over.nft`,
  plannedNodes: `${settings}/planned-nodes`,
  /** Lines of name and address. */
  etcdMembers: `${settings}/etcd-members`,
} as const;

/** In the root of a data disk or of the volume; no name of a claim's folder. */
export const backupFolderName = "groundplane-backups";

/** Gluster's name of the volume of the storage machines, and the folder of its mount. */
export const volumeName = "data";

/** The commands that seeds install, see cloud-init/scripts/. */
export type GuestCommand =
  | "adopt-brick"
  | "apply-control-plane"
  | "approve-serving-certificates"
  | "approver-identity"
  | "authority-stages"
  | "certificate-ends"
  | "check-serving-request"
  | "cluster-id"
  | "cluster-ready"
  | "cluster-state"
  | "cluster-status"
  | "cluster-wait"
  | "cluster-work"
  | "drain-node"
  | "end-pods"
  | "etcd-authority"
  | "etcd-command"
  | "etcd-complete"
  | "etcd-membership"
  | "fence-node"
  | "follow-authority"
  | "follow-clients"
  | "follow-corosync-key"
  | "follow-keys"
  | "forget-node"
  | "front-proxy-authority"
  | "hand-over"
  | "follow-manifests"
  | "form-storage-pool"
  | "bootstrap-cluster"
  | "change-balancing"
  | "join-cluster"
  | "keep-volume-mounted"
  | "kubernetes-authority"
  | "limit-logs"
  | "label-namespaces"
  | "may-leave"
  | "node-ready"
  | "patient-configuration"
  | "prepare-component"
  | "prepare-volumes"
  | "provide-programs"
  | "quorum-guard"
  | "release-fences"
  | "reload-haproxy"
  | "reload-nginx"
  | "renew-certificates"
  | "renew-secrets"
  | "renew-token"
  | "renew-tokens"
  | "role-ready"
  | "run-component"
  | "serve-chain"
  | "show-capacity"
  | "take-backup"
  | "take-snapshot";

/** The command's path in the guest. */
export const guestCommand = (name: GuestCommand): string => `${commandFolder}/${name}`;
