import type { GuestConnection } from "./resource-types";

/**
 * Container images of add-ons on one node. They are not in the image of its system disk, so that no stack without the add-ons has them.
 * Read from archives of this host when the node lacks them.
 */
export interface ContainerImagesInputs {
  readonly stack: string;
  readonly node: string;
  readonly connection: GuestConnection;
  /** By full name: the folder of its archive among the parts of this host, which depends on what the image is made of. */
  readonly images: Readonly<Record<string, string>>;
  readonly generation: string;
  /** The image of the system disk: a new one has none of them. */
  readonly nodeImage: string;
}
export type ContainerImagesOutputs = ContainerImagesInputs;
