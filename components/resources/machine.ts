import * as pulumi from "@pulumi/pulumi";
import type { PowerState } from "../../provider/hypervisor";
import type { MachineInputs } from "../../provider/resource-types";
import type { ResourceArgs } from "./deep-input";

/** A machine as the hypervisor sees it. */
export class Machine extends pulumi.CustomResource {
  declare readonly power: pulumi.Output<PowerState>;
  declare readonly generation: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<MachineInputs>, opts?: pulumi.CustomResourceOptions) {
    // A seed is hundreds of lines, and what of it matters to a running machine shows in the diff of its NodeFiles.
    const own: pulumi.CustomResourceOptions = {
      hideDiffs: ["seed", "secrets"],
      additionalSecretOutputs: ["secrets"],
    };
    const props = { ...args, secrets: pulumi.secret(args.secrets), power: undefined, generation: undefined };
    super("groundplane:index:Machine", name, props, pulumi.mergeOptions(own, opts));
  }
}
