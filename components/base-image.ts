import * as pulumi from "@pulumi/pulumi";
import { imageFor } from "../image/recipes/image-names";
import type { ContainerRuntimeName } from "../model/container-runtimes";
import type { DistributionName } from "../model/distributions";
import { type DriverName, drivers } from "../model/drivers";
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
}

/** The two images of the machines: `infrastructure` and `kubernetes`. */
export class BaseImage extends pulumi.ComponentResource {
  readonly images: readonly Image[];

  constructor(
    name: string,
    private readonly args: BaseImageArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("groundplane:components:BaseImage", name, {}, opts);
    const image = (kind: ImageKind) =>
      new Image(`${name}-${kind}`, { driver: args.driver, name: this.nameOf(kind) }, { parent: this });
    this.images = [image("infrastructure"), image("kubernetes")];
    this.registerOutputs({});
  }

  /** Name of the image that a machine with these roles boots from. */
  nameFor(roles: readonly Role[]): string {
    return this.nameOf(imageKindOf(roles));
  }

  private nameOf(kind: ImageKind): string {
    const { driver, kubernetesVersion, distribution, runtime } = this.args;
    return imageFor(kind, kubernetesVersion, drivers[driver].imageForm, distribution, runtime);
  }
}
