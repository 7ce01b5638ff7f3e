import type { DistributionName } from "../../model/distributions";
import type { LockedPackage } from "../../model/package-lock";
import type { ImageKind, Volume } from "../../model/volumes";

/** What an image is made of, as plain data. Its hash is the image's identity, so it contains everything that matters. */

/** A folder of files and the state of systemd units, laid over a root tree. */
export interface LayerRecipe {
  /** Folder below image/layers. */
  readonly folder: string;
  /** Digest of that folder's files, so that the recipe changes with them; see layer-digests.json. */
  readonly files: string;
  /** Files of the layer that only root reads. */
  readonly privateFiles?: readonly string[];
  /** Units that can never start. */
  readonly maskedUnits: readonly string[];
  /** Units that do not start at boot; a seed may enable them. */
  readonly disabledUnits: readonly string[];
  /** By unit: the target that starts it. */
  readonly enabledUnits: Readonly<Record<string, string>>;
}

export interface RootTreeRecipe {
  /** Debian when absent. */
  readonly distribution?: DistributionName;
  /** Code name of the release. */
  readonly suite: string;
  readonly packages: readonly string[];
  /** Exactly these are installed, from a stack's package lock. Absent: what the mirror has when the tree is built. */
  readonly locked?: readonly LockedPackage[];
  /** Files that are removed: secrets and identities that all machines would share, and files of the builder. */
  readonly forgotten: readonly string[];
  readonly layer: LayerRecipe;
}

/** Programs of one version that are fetched or built together. */
export interface ProgramsRecipe {
  readonly name: ProgramsName;
  /** Without `v`. */
  readonly version: string;
  /** File names of the programs in the part's folder. */
  readonly programs: readonly string[];
  /** Digest of what is changed in the module before the build; see change-digests.json. Absent when nothing is. */
  readonly changes?: string;
}

export type ProgramsName =
  | "kubernetes"
  | "etcd"
  /** Only for a restore; no image has it. */
  | "etcdutl"
  | "coredns"
  | "containerd"
  | "runc"
  | "crictl"
  | "cri-dockerd"
  | "flannel"
  | "kube-network-policies"
  | "local-path-provisioner"
  /** Of add-ons; no image of a node has them. */
  | "metrics-server"
  | "metallb"
  | "registry"
  | "pause";

/** A container image made from programs and files of the root tree; one layer. */
export interface ContainerImageRecipe {
  /** Full name with tag, as kubelet asks for it. */
  readonly name: string;
  /** By path in the container: the program. */
  readonly programs: Readonly<Record<string, { readonly part: ProgramsName; readonly program: string }>>;
  /** Programs copied from the root tree together with every library they load. */
  readonly fromTree?: readonly string[];
  /** Folders copied from the root tree. */
  readonly foldersFromTree?: readonly string[];
  /** By path in the container: the text of a small file. */
  readonly texts?: Readonly<Record<string, string>>;
  /** By path in the container: the target of a symbolic link. */
  readonly links?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  /** `uid:gid`; root when absent. */
  readonly user?: string;
}

export interface KubernetesRecipe {
  /** Without `v`. */
  readonly version: string;
  readonly layer: LayerRecipe;
  /** Laid over `layer`, for another container runtime than containerd itself. */
  readonly runtimeLayer?: LayerRecipe;
  /** Programs of the layer in /usr/local/bin. */
  readonly nodePrograms: readonly { readonly part: ProgramsName; readonly program: string }[];
  readonly parts: readonly ProgramsRecipe[];
  readonly containerImages: readonly ContainerImageRecipe[];
  /** The namespace of containerd that the images are in. That of the kubelet's own plugin when absent. */
  readonly imageNamespace?: string;
}

/** A disk with LVM for virtual machines, built from the root tree and a layer of its own. */
export interface DiskRecipe {
  /** Installed over the root tree, without recommended packages. */
  readonly packages: readonly string[];
  /** As that of the root tree, without the packages of the tree. */
  readonly locked?: readonly LockedPackage[];
  readonly layer: LayerRecipe;
  /** The only volume group; its name is in every machine's /dev. */
  readonly volumeGroup: string;
  readonly volumes: readonly Volume[];
  /** GRUB reads kernel and initramfs there: an ext4 of its own beside the volume group. */
  readonly bootMiB: number;
  readonly efiMiB: number;
  /** Seconds since 1970: nothing on the disk is newer, so that one recipe always gives the same disk. */
  readonly sealedAt: number;
}

export interface ImageRecipe {
  /** Increased when the builder gives another result for the same data. */
  readonly recipeVersion: number;
  readonly name: ImageKind;
  readonly rootTree: RootTreeRecipe;
  /** For system containers; an image has either this or `disk`. */
  readonly container?: LayerRecipe;
  readonly disk?: DiskRecipe;
  readonly kubernetes?: KubernetesRecipe;
}
