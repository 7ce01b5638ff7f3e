import type { DistributionName } from "../../model/distributions";
import type { ImageKind, Volume } from "../../model/volumes";

/** What an image is made of, as plain data: its hash is the image's identity, so everything that matters is in here. */

/** A folder of files plus what is said about systemd units, laid over a root tree. */
export interface LayerRecipe {
  /** Folder below image/layers. */
  readonly folder: string;
  /** Digest of that folder's files, so that the recipe changes with them; see layer-digests.json. */
  readonly files: string;
  /** Units that can never start, whatever asks for them. */
  readonly maskedUnits: readonly string[];
  /** Units that do not start by themselves; a seed may enable them. */
  readonly disabledUnits: readonly string[];
  /** Unit to the target that starts it. */
  readonly enabledUnits: Readonly<Record<string, string>>;
}

export interface RootTreeRecipe {
  /** Debian when absent. */
  readonly distribution?: DistributionName;
  /** Code name of the release. */
  readonly suite: string;
  readonly packages: readonly string[];
  /** Files that are removed: what would be the same secret or identity in all machines, or is the builder's own. */
  readonly forgotten: readonly string[];
  readonly layer: LayerRecipe;
}

/** A set of programs of one version that is fetched or built together. */
export interface ProgramsRecipe {
  readonly name: ProgramsName;
  /** Without `v`. */
  readonly version: string;
  /** File names of the programs; they lie side by side in the part's folder. */
  readonly programs: readonly string[];
}

export type ProgramsName = "kubernetes" | "etcd" | "coredns" | "flannel" | "local-path-provisioner" | "pause";

/** A container image made from programs and files of the root tree; one layer. */
export interface ContainerImageRecipe {
  /** Full name with tag, as kubelet asks for it. */
  readonly name: string;
  /** Path in the container to the program that lies there. */
  readonly programs: Readonly<Record<string, { readonly part: ProgramsName; readonly program: string }>>;
  /** Programs copied from the root tree together with every library they load. */
  readonly fromTree?: readonly string[];
  /** Folders copied from the root tree. */
  readonly foldersFromTree?: readonly string[];
  /** Path in the container to the text of a small file. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Path in the container to what the symbolic link says. */
  readonly links?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  /** `uid:gid`; root when absent. */
  readonly user?: string;
}

export interface KubernetesRecipe {
  /** Without `v`. */
  readonly version: string;
  readonly layer: LayerRecipe;
  /** Programs that the layer has in /usr/local/bin. */
  readonly nodePrograms: readonly { readonly part: ProgramsName; readonly program: string }[];
  readonly parts: readonly ProgramsRecipe[];
  readonly containerImages: readonly ContainerImageRecipe[];
}

/** A disk with LVM for virtual machines, made from the root tree and a layer of its own. */
export interface DiskRecipe {
  /** Installed over the root tree, without what they only recommend. */
  readonly packages: readonly string[];
  readonly layer: LayerRecipe;
  /** The only volume group; its name is in every machine's /dev. */
  readonly volumeGroup: string;
  readonly volumes: readonly Volume[];
  /** GRUB reads kernel and initramfs there: an ext4 of its own beside the volume group. */
  readonly bootMiB: number;
  readonly efiMiB: number;
  /** Seconds since 1970: nothing on the disk is newer, so that one recipe always makes the same disk. */
  readonly sealedAt: number;
}

export interface ImageRecipe {
  /** Goes up when the code that follows the recipe makes something else of the same data. */
  readonly recipeVersion: number;
  readonly name: ImageKind;
  readonly rootTree: RootTreeRecipe;
  /** For system containers; an image has this one or `disk`. */
  readonly container?: LayerRecipe;
  readonly disk?: DiskRecipe;
  readonly kubernetes?: KubernetesRecipe;
}
