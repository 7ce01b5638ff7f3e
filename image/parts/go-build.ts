import type { ProgramsName } from "../recipes/recipe";

/** How the programs of a part are built from its Go module in image/parts/source. */
export interface GoBuild {
  /** Program to the package it is built from; `.` is the module's own main package. */
  readonly packages: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
  /** The module's main package is another module's main.go without these lines. */
  readonly mainFrom?: { readonly module: string; readonly without: RegExp };
}

const SMALL = "-s -w";

/** @param version without `v` */
export function goBuild(part: ProgramsName, version: string, programs: readonly string[]): GoBuild | undefined {
  switch (part) {
    case "kubernetes":
      return {
        packages: Object.fromEntries(programs.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
        linkerFlags: `${SMALL} ${kubernetesVersionFlags(version)}`,
      };
    case "etcd":
      return {
        packages: { etcd: "go.etcd.io/etcd/server/v3", etcdctl: "go.etcd.io/etcd/etcdctl/v3" },
        linkerFlags: SMALL,
      };
    case "coredns":
      return { packages: { coredns: "github.com/coredns/coredns" }, linkerFlags: SMALL };
    case "flannel":
      return {
        packages: { flanneld: "." },
        linkerFlags: `${SMALL} -X github.com/flannel-io/flannel/pkg/version.Version=v${version}`,
        mainFrom: {
          module: "github.com/flannel-io/flannel",
          // Back-ends for clouds and tunnels that no data centre here uses; one needs a module that is not served.
          without: /backend\/(tencentvpc|udp|ipsec|wireguard)"/,
        },
      };
    case "local-path-provisioner":
      return {
        packages: { "local-path-provisioner": "github.com/rancher/local-path-provisioner" },
        linkerFlags: `${SMALL} -X main.VERSION=v${version}`,
      };
    default:
      return undefined;
  }
}

/** A program built without these calls itself v0.0.0, and kubeadm refuses to work with it. */
function kubernetesVersionFlags(version: string): string {
  const [major, minor] = version.split(".");
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return Object.entries(fields)
    .map(([field, value]) => `-X k8s.io/component-base/version.${field}=${value}`)
    .join(" ");
}
