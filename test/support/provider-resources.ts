import * as pulumi from "@pulumi/pulumi";
import type { MachineInputs, SegmentInputs } from "../../model/resource-types";
import { type Role, storedRoles } from "../../model/roles";

/** Resources of the provider with plain inputs, for the programs of tests. */

const stack = "tested";
const driver = "fake";

export class Segment extends pulumi.CustomResource {
  /** @param segment its name, if the resource has another one */
  constructor(name: string, opts?: pulumi.CustomResourceOptions, segment = name) {
    const args: SegmentInputs = { driver, stack, name: segment };
    super("groundplane:index:Segment", name, { ...args }, opts);
  }
}

export class Image extends pulumi.CustomResource {
  constructor(name: string, image: string) {
    super("groundplane:index:Image", name, { driver, name: image, digest: undefined });
  }
}

export class Machine extends pulumi.CustomResource {
  declare readonly power: pulumi.Output<string>;
  declare readonly generation: pulumi.Output<string>;

  constructor(name: string, args: Partial<pulumi.Inputs> = {}, opts?: pulumi.CustomResourceOptions) {
    super(
      "groundplane:index:Machine",
      name,
      { ...machineInputs(name), power: undefined, generation: undefined, ...args },
      opts,
    );
  }
}

export class ClusterSecrets extends pulumi.CustomResource {
  declare readonly values: pulumi.Output<Record<string, string>>;

  constructor(name: string, version: number) {
    super("groundplane:index:ClusterSecrets", name, { stack, version, values: undefined });
  }
}

/** Any other resource type of the provider. */
export class Resource extends pulumi.CustomResource {
  constructor(type: string, name: string, args: pulumi.Inputs, opts?: pulumi.CustomResourceOptions) {
    super(`groundplane:index:${type}`, name, { bootstrappedWith: undefined, clusterId: undefined, ...args }, opts);
  }
}

/** The roles of a machine by its planned name. */
export const rolesOf = (name: string): readonly Role[] => storedRoles({ role: name.replace(/-\d+$/, "") });

export function machineInputs(name: string): MachineInputs {
  return {
    driver,
    stack,
    name,
    roles: rolesOf(name),
    uuid: "6f1b1c1e-8f0e-5a0e-9c1e-0d5f8e1b2c3d",
    image: "infrastructure-1",
    cpus: 1,
    memoryMiB: 256,
    diskGiB: 4,
    nics: [{ segment: "dmz", name: "dmz", mac: "02:00:00:00:00:01" }],
    disks: [],
    seed: {
      userData: `#cloud-config\nhostname: ${name}\n`,
      metaData: `instance-id: ${name}\n`,
      networkConfig: "version: 2\n",
    },
    secrets: {},
  };
}
