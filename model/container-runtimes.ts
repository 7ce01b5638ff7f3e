import type { DistributionName } from "./distributions";

/** What runs the containers of pods on a node: what differs between the runtimes, beside their settings in image/layers. */
export interface ContainerRuntimeFacts {
  readonly title: string;
  /** Where the kubelet reaches it. */
  readonly socket: string;
  /** The systemd unit that serves it. */
  readonly unit: string;
  /** Succeeds in a node's shell when it can run containers. */
  readonly answers: string;
  /** Packages of the distribution. */
  readonly packages: Readonly<Record<DistributionName, readonly string[]>>;
  /** The namespace of containerd with its images and containers. */
  readonly namespace: string;
  /** Does the kubelet learn which images it must not delete, although no container uses them? */
  readonly keepsPinnedImages: boolean;
  /** The socket on which it tells of pods before the API does (NRI). */
  readonly announcesPods: boolean;
  /** What a user loses with it, compared with the others. */
  readonly lacks: readonly string[];
}

const containerdSocket = "/run/containerd/containerd.sock";
const dockerSocket = "/run/cri-dockerd.sock";

export const containerRuntimes = {
  containerd: {
    title: "containerd",
    socket: containerdSocket,
    unit: "containerd.service",
    answers: `[ -S ${containerdSocket} ]`,
    packages: { debian: [], ubuntu: [] },
    namespace: "k8s.io",
    keepsPinnedImages: true,
    announcesPods: true,
    lacks: [],
  },
  docker: {
    title: "Docker Engine with cri-dockerd",
    socket: dockerSocket,
    unit: "cri-dockerd.service",
    answers: `[ -S ${dockerSocket} ] && curl -sf --max-time 2 --unix-socket /run/docker.sock -o /dev/null http://docker/_ping`,
    packages: { debian: ["docker-cli", "docker.io"], ubuntu: ["docker.io"] },
    namespace: "moby",
    keepsPinnedImages: false,
    announcesPods: false,
    lacks: [
      "Pods cannot have user namespaces of their own (`hostUsers: false`) or volumes made from images.",
      "NetworkPolicies of a new pod apply when the API reports its address, not before it starts.",
      "The control plane cannot run as services (`options.controlPlane: services`).",
      "Each node runs two more programs, Docker Engine and cri-dockerd.",
    ],
  },
} as const satisfies Readonly<Record<string, ContainerRuntimeFacts>>;

export type ContainerRuntimeName = keyof typeof containerRuntimes;
export const containerRuntimeNames = Object.keys(containerRuntimes) as readonly ContainerRuntimeName[];

/** That of stacks whose configuration does not say it. */
export const defaultContainerRuntime: ContainerRuntimeName = "containerd";
