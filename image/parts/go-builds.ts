import type { ProgramsName } from "../recipes/recipe";

/** How the programs of a part are built from its Go module in image/parts/source. */
export interface GoBuild {
  /** By program: the package that it is built from. `.` is the module's own main package. */
  readonly packages: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
  readonly tags?: readonly string[];
  /** The module's main package is the main.go of another module without these lines. */
  readonly mainFrom?: { readonly module: string; readonly without: RegExp };
  /**
   * Another module is changed before the build: files of the part's folder `added` are laid over it, and texts are
   * replaced. A text that is not found as often as stated fails the build.
   */
  readonly changed?: { readonly module: string; readonly edits: readonly Edit[] };
  /** Contains C code that calls libseccomp. The program is linked statically, so that it runs in every root tree. */
  readonly withSeccomp?: true;
}

export interface Edit {
  /** Path in the module. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** How often `from` occurs; default: once. */
  readonly times?: number;
}

const SMALL = "-s -w";

/** @param version without `v` */
export function goBuild(part: ProgramsName, version: string, programs: readonly string[]): GoBuild | undefined {
  switch (part) {
    case "kubernetes":
      return {
        packages: packagesIn("k8s.io/kubernetes/cmd", programs),
        linkerFlags: `${SMALL} ${kubernetesVersionFlags(version)}`,
      };
    case "etcd":
      return {
        packages: { etcd: "go.etcd.io/etcd/server/v3", etcdctl: "go.etcd.io/etcd/etcdctl/v3" },
        linkerFlags: SMALL,
      };
    case "etcdutl":
      return { packages: { etcdutl: "go.etcd.io/etcd/etcdutl/v3" }, linkerFlags: SMALL };
    case "coredns":
      return { packages: { coredns: "github.com/coredns/coredns" }, linkerFlags: SMALL };
    case "containerd":
      return {
        packages: packagesIn("github.com/containerd/containerd/v2/cmd", programs),
        linkerFlags: `${SMALL} -X github.com/containerd/containerd/v2/version.Version=v${version}`,
        // Snapshotters that no node uses.
        tags: ["no_btrfs", "no_devmapper", "no_zfs"],
      };
    case "runc":
      return {
        packages: { runc: "github.com/opencontainers/runc" },
        linkerFlags: `${SMALL} -linkmode=external -extldflags=-static`,
        tags: ["seccomp", "netgo", "osusergo", "urfave_cli_no_docs"],
        withSeccomp: true,
      };
    case "crictl":
      return {
        packages: { crictl: "sigs.k8s.io/cri-tools/cmd/crictl" },
        linkerFlags: `${SMALL} -X sigs.k8s.io/cri-tools/pkg/version.Version=v${version}`,
      };
    case "cri-dockerd":
      return {
        packages: { "cri-dockerd": "github.com/Mirantis/cri-dockerd" },
        linkerFlags: `${SMALL} -X github.com/Mirantis/cri-dockerd/cmd/version.Version=${version}`,
      };
    case "flannel":
      return {
        packages: { flanneld: "." },
        linkerFlags: `${SMALL} -X github.com/flannel-io/flannel/pkg/version.Version=v${version}`,
        mainFrom: {
          module: "github.com/flannel-io/flannel",
          // Back ends for clouds and tunnels that are not used here; one needs a module that proxies do not serve.
          without: /backend\/(tencentvpc|udp|ipsec|wireguard)"/,
        },
      };
    case "kube-network-policies":
      return { packages: { "kube-network-policies": "." }, linkerFlags: SMALL, changed: networkPolicies };
    case "local-path-provisioner":
      return {
        packages: { "local-path-provisioner": "github.com/rancher/local-path-provisioner" },
        linkerFlags: `${SMALL} -X main.VERSION=v${version}`,
        changed: volumeProvisioner,
      };
    case "metrics-server":
      return { packages: { "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server" }, linkerFlags: SMALL };
    case "metallb":
      return { packages: packagesIn("go.universe.tf/metallb", programs), linkerFlags: SMALL };
    case "registry":
      return {
        // Its main package has the file system as the only store: those of clouds are most of upstream's program.
        packages: { registry: "." },
        linkerFlags: `${SMALL} -X github.com/distribution/distribution/v3/version.version=v${version}`,
      };
    case "pause":
      return undefined;
  }
}

/** Works on kernels without nftables' own queues, and never leaves a pod open whose policies cannot be enforced. */
const networkPolicies: GoBuild["changed"] = {
  module: "sigs.k8s.io/kube-network-policies",
  edits: [
    {
      file: "pkg/networkpolicy/controller.go",
      from: `queue := &expr.Queue{Num: uint16(c.config.QueueID)}
	if c.config.FailOpen {
		queue.Flag = expr.QueueFlagBypass
	}`,
      to: "queue := queueTarget(c.config)",
      times: 2,
    },
    {
      file: "pkg/networkpolicy/controller.go",
      // The rules stay while the program is replaced: new connections of pods with policies wait for the next one.
      from: `_ = c.syncNFTablesRules(ctx)
	defer c.cleanNFTablesRules(ctx)`,
      to: `if err := c.syncNFTablesRules(ctx); err != nil {
		return err
	}`,
    },
    {
      file: "pkg/networkpolicy/controller.go",
      from: `klog.InfoS("Dropping out of the queue", "error", err, "key", key)`,
      to: `klog.ErrorS(err, "the rules cannot be written")
	klog.FlushAndExit(klog.ExitFlushTimeout, 1)`,
    },
    {
      file: "pkg/networkpolicy/controller.go",
      from: `	<-ctx.Done()

	return nil
}`,
      to: `	enforced.Store(true)
	<-ctx.Done()

	return nil
}`,
    },
  ],
};

/** Records the larger size of claims that grow. */
const volumeProvisioner: GoBuild["changed"] = {
  module: "github.com/rancher/local-path-provisioner",
  edits: [
    {
      file: "main.go",
      from: "	pc.Run(ctx)",
      to: "	go growClaims(ctx, kubeClient, provisionerName)\n	pc.Run(ctx)",
    },
  ],
};

const packagesIn = (folder: string, programs: readonly string[]): GoBuild["packages"] =>
  Object.fromEntries(programs.map((name) => [name, `${folder}/${name}`]));

/** Without these flags a program reports version v0.0.0, and kubeadm refuses it. */
function kubernetesVersionFlags(version: string): string {
  const [major, minor] = version.split(".");
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return Object.entries(fields)
    .map(([field, value]) => `-X k8s.io/component-base/version.${field}=${value}`)
    .join(" ");
}
