import * as pulumi from "@pulumi/pulumi";
import { imageFor } from "../image/recipes/image-names";
import type { DistributionName } from "../model/distributions";
import { type DriverName, drivers } from "../model/drivers";
import type { Role } from "../stacks/plan/data-center-plan";
import { Image } from "./resources/image";

export interface BaseImageArgs {
  readonly driver: DriverName;
  /** Without `v`. */
  readonly kubernetesVersion: string;
  /** Debian when absent. */
  readonly distribution?: DistributionName;
}

/** The two images that machines are made of: `infrastructure` and `kubernetes`. */
export class BaseImage extends pulumi.ComponentResource {
  readonly images: readonly Image[];

  constructor(
    name: string,
    private readonly args: BaseImageArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("groundplane:components:BaseImage", name, {}, opts);
    const image = (kind: string, role: Role) =>
      new Image(`${name}-${kind}`, { driver: args.driver, name: this.nameFor(role) }, { parent: this });
    this.images = [image("infrastructure", "gateway"), image("kubernetes", "master")];
    this.registerOutputs({});
  }

  /** Name of the image that machines of a role boot from. */
  nameFor(role: Role): string {
    const { driver, kubernetesVersion, distribution } = this.args;
    return imageFor(role, kubernetesVersion, drivers[driver].imageForm, distribution);
  }
}
