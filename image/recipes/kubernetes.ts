import { type ContainerRuntimeName, containerRuntimes, defaultContainerRuntime } from "../../model/container-runtimes";
import { busyboxImage, containerImageNames, type Release, releaseOf } from "../../model/releases";
import changes from "./change-digests.json";
import digests from "./layer-digests.json";
import type { ContainerImageRecipe, KubernetesRecipe, ProgramsName, ProgramsRecipe } from "./recipe";

/** @throws UserError `kubernetes-version` for a version without a release */
export function kubernetesRecipe(
  version: string,
  runtime: ContainerRuntimeName = defaultContainerRuntime,
): KubernetesRecipe {
  const release = releaseOf(version);
  const recipe = containerdRecipe(version, release);
  return runtime === "docker" ? withDocker(recipe, release) : recipe;
}

/** Docker Engine is a package. It uses the same containerd and runc, in which its images are unpacked as well. */
function withDocker(recipe: KubernetesRecipe, release: Release): KubernetesRecipe {
  return {
    ...recipe,
    runtimeLayer: {
      folder: "docker",
      files: digests.docker,
      maskedUnits: [],
      disabledUnits: [],
      enabledUnits: { "docker.service": "multi-user.target", "cri-dockerd.service": "multi-user.target" },
    },
    nodePrograms: [...recipe.nodePrograms, { part: "cri-dockerd", program: "cri-dockerd" }],
    parts: [...recipe.parts, { name: "cri-dockerd", version: release.criDockerd, programs: ["cri-dockerd"] }],
    imageNamespace: containerRuntimes.docker.namespace,
  };
}

function containerdRecipe(version: string, release: Release): KubernetesRecipe {
  return {
    version,
    layer: {
      folder: "kubernetes",
      files: digests.kubernetes,
      privateFiles: ["etc/systemd/system/kubelet.service"],
      maskedUnits: [],
      disabledUnits: [],
      enabledUnits: {
        "containerd.service": "multi-user.target",
        "kubelet.service": "multi-user.target",
        "groundplane-pods.service": "multi-user.target",
      },
    },
    nodePrograms: [
      ...["kubeadm", "kubelet", "kubectl"].map((program) => ({ part: "kubernetes" as const, program })),
      { part: "etcd", program: "etcdctl" },
      ...runtimePrograms.map((program) => ({ part: "containerd" as const, program })),
      { part: "runc", program: "runc" },
      { part: "crictl", program: "crictl" },
    ],
    parts: [
      { name: "kubernetes", version, programs: [...nodeTools, ...servers, "kube-proxy"] },
      { name: "etcd", version: release.etcd, programs: ["etcd", "etcdctl"] },
      { name: "coredns", version: release.coredns, programs: ["coredns"] },
      { name: "containerd", version: release.containerd, programs: runtimePrograms },
      { name: "runc", version: release.runc, programs: ["runc"] },
      { name: "crictl", version: release.crictl, programs: ["crictl"] },
      { name: "flannel", version: release.flannel, programs: ["flanneld"] },
      changedPart("kube-network-policies", release.kubeNetworkPolicies),
      changedPart("local-path-provisioner", release.localPathProvisioner),
      { name: "pause", version: release.pause, programs: ["pause"] },
    ],
    containerImages: containerImages(version),
  };
}

/** For restores: no image has it. Its version is that of the release's etcd. */
export const etcdutlRecipe = (version: string): ProgramsRecipe => ({ name: "etcdutl", version, programs: ["etcdutl"] });

/** What a host needs for the images of a release, and to restore a backup of a stack with it. */
export const programsOf = ({ parts }: Pick<KubernetesRecipe, "parts">): readonly ProgramsRecipe[] => [
  ...parts,
  ...parts.filter(({ name }) => name === "etcd").map(({ version }) => etcdutlRecipe(version)),
];

/** A part with one program, whose module is changed before the build. */
function changedPart(name: ProgramsName, version: string): ProgramsRecipe {
  const digests: Readonly<Record<string, string>> = changes;
  return { name, version, programs: [name], changes: digests[changesKey(name, version)] ?? "" };
}

export const changesKey = (name: ProgramsName, version: string): string => `${name}-${version}`;

const nodeTools = ["kubeadm", "kubelet", "kubectl"];
const runtimePrograms = ["containerd", "containerd-shim-runc-v2", "ctr"];
const servers = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/** Programs that write packet filter rules load libraries and plugins, so both are copied from the tree. */
const packetFilter = {
  fromTree: ["/usr/sbin/nft", "/usr/sbin/xtables-nft-multi"],
  foldersFromTree: ["/usr/lib/x86_64-linux-gnu/xtables"],
  texts: { "etc/protocols": "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nsctp 132 SCTP\n" },
  links: Object.fromEntries(
    ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"].map(
      (name) => [`usr/sbin/${name}`, "xtables-nft-multi"],
    ),
  ),
};

function containerImages(version: string): readonly ContainerImageRecipe[] {
  const names = containerImageNames(version);
  return [
    ...servers.map((name) => ({
      name: `registry.k8s.io/${name}:v${version}`,
      programs: program(`usr/local/bin/${name}`, "kubernetes", name),
      entrypoint: [`/usr/local/bin/${name}`],
    })),
    {
      name: `registry.k8s.io/kube-proxy:v${version}`,
      programs: program("usr/local/bin/kube-proxy", "kubernetes", "kube-proxy"),
      ...packetFilter,
      entrypoint: ["/usr/local/bin/kube-proxy"],
    },
    {
      name: names.etcd,
      programs: {
        ...program("usr/local/bin/etcd", "etcd", "etcd"),
        ...program("usr/local/bin/etcdctl", "etcd", "etcdctl"),
      },
      entrypoint: ["/usr/local/bin/etcd"],
    },
    {
      name: names.coredns,
      programs: program("coredns", "coredns", "coredns"),
      entrypoint: ["/coredns"],
    },
    {
      name: names.pause,
      programs: program("pause", "pause", "pause"),
      entrypoint: ["/pause"],
      user: "65535:65535",
    },
    {
      name: names.flannel,
      programs: program("opt/bin/flanneld", "flannel", "flanneld"),
      ...packetFilter,
      entrypoint: ["/opt/bin/flanneld"],
    },
    {
      name: names.localPathProvisioner,
      programs: program("usr/bin/local-path-provisioner", "local-path-provisioner", "local-path-provisioner"),
      entrypoint: ["/usr/bin/local-path-provisioner"],
    },
    {
      name: names.kubeNetworkPolicies,
      programs: program("usr/bin/kube-network-policies", "kube-network-policies", "kube-network-policies"),
      entrypoint: ["/usr/bin/kube-network-policies"],
    },
    { name: busyboxImage, programs: {}, ...busybox },
  ];
}

/** A shell and its tools without a registry, for a user's first pods and for tests. */
const busybox = {
  fromTree: ["/usr/bin/busybox"],
  texts: { "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n" },
  links: Object.fromEntries(
    (
      "awk base64 basename cat chmod cp cut date dd df dirname du echo env expr false find free grep gunzip gzip head " +
      "hostname httpd id ip kill killall ln ls md5sum mkdir mktemp more mount mv nc netstat nslookup od ping pidof " +
      "printf ps pwd readlink rm rmdir route sed seq sh sha256sum sleep sort stat stty sync tail tar tee telnet test " +
      "time timeout top touch tr traceroute true tty udhcpc umount uname uniq uptime vi watch wc wget which whoami xargs yes"
    )
      .split(" ")
      .map((name) => [`usr/bin/${name}`, "busybox"]),
  ),
};

function program(path: string, part: ProgramsName, name: string): ContainerImageRecipe["programs"] {
  return { [path]: { part, program: name } };
}
