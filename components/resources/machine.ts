import * as pulumi from "@pulumi/pulumi";
import type { PowerState } from "../../model/hypervisor-objects";
import type { MachineInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** A machine as the hypervisor sees it. */
export class Machine extends pulumi.CustomResource {
  declare readonly power: pulumi.Output<PowerState>;
  declare readonly generation: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<MachineInputs>, opts?: pulumi.CustomResourceOptions) {
    const props = { ...args, secrets: pulumi.secret(args.secrets), power: undefined, generation: undefined };
    super("groundplane:index:Machine", name, props, named(opts));
  }
}
