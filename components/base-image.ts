import * as pulumi from "@pulumi/pulumi";
import { imageFor } from "../image/recipes/image-names";
import type { ContainerRuntimeName } from "../model/container-runtimes";
import type { DistributionName } from "../model/distributions";
import { type DriverName, drivers } from "../model/drivers";
import type { PackageLock } from "../model/package-lock";
import { imageKindOf, type Role } from "../model/roles";
import type { ImageKind } from "../model/volumes";
import { Image } from "./resources";

export interface BaseImageArgs {
  readonly driver: DriverName;
  /** Without `v`. */
  readonly kubernetesVersion: string;
  /** Debian when absent. */
  readonly distribution?: DistributionName;
  /** containerd when absent. */
  readonly runtime?: ContainerRuntimeName;
  readonly packageLock?: PackageLock;
}

/** The two images of the machines: `infrastructure` and `kubernetes`. */
export class BaseImage extends pulumi.ComponentResource {
  readonly images: readonly Image[];
  private readonly names: Readonly<Record<ImageKind, string>>;

  constructor(name: string, args: BaseImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:BaseImage", name, {}, opts);
    const { driver, kubernetesVersion, distribution, runtime, packageLock } = args;
    const nameOf = (kind: ImageKind): string =>
      imageFor(kind, kubernetesVersion, drivers[driver].imageForm, distribution, runtime, packageLock);
    this.names = { infrastructure: nameOf("infrastructure"), kubernetes: nameOf("kubernetes") };
    const image = (kind: ImageKind) =>
      new Image(`${name}-${kind}`, { driver, name: this.names[kind] }, { parent: this });
    this.images = [image("infrastructure"), image("kubernetes")];
    this.registerOutputs({});
  }

  /** Name of the image that a machine with these roles boots from. */
  nameFor(roles: readonly Role[]): string {
    return this.names[imageKindOf(roles)];
  }
}
