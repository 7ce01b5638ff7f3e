import * as pulumi from "@pulumi/pulumi";
import type { ClusterObjectsInputs } from "../model/cluster-objects-types";
import type { ClusterSecretsInputs } from "../model/cluster-secrets-types";
import type { ContainerImagesInputs } from "../model/container-images-types";
import { formerResourceNames } from "../model/former-names";
import type { PowerState } from "../model/hypervisor-objects";
import type { NodeImageInputs } from "../model/node-image-types";
import type {
  BootstrapInputs,
  DiskInputs,
  DismantlingInputs,
  GuardInputs,
  ImageInputs,
  MachineInputs,
  MembershipInputs,
  NodeFilesInputs,
  NodeTaskInputs,
  SegmentInputs,
} from "../model/resource-types";

/** The resource types of the provider, as the program asks for them. */

/** `T` in which every part, at any depth, may be an output. */
export type DeepInput<T> = pulumi.Input<
  T extends readonly (infer Element)[]
    ? readonly DeepInput<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepInput<T[Key]> }
      : T
>;

/** Arguments of a resource: a plain object whose fields may be outputs. */
export type ResourceArgs<T> = { readonly [Key in keyof T]: DeepInput<T[Key]> };

/**
 * Options of a resource with a planned physical name: the old object is deleted before the new one is created. The provider's
 * differences request that as well, but `--replace` ignores them.
 */
export const named = (opts?: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions => ({
  deleteBeforeReplace: true,
  ...opts,
});

/** One layer-2 network. */
export class Segment extends pulumi.CustomResource {
  // `declare`: a plain field would be initialised after the base class has set it, and lose its value.
  declare readonly name: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<SegmentInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Segment", name, { ...args }, named(opts));
  }
}

/** A sealed image on this host. It is verified, never changed. */
export class Image extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<ImageInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Image", name, { ...args, digest: undefined }, named(opts));
  }
}

/** A data disk. It outlives its machine and, unless configured otherwise, the stack. */
export class Disk extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<DiskInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Disk", name, { ...args }, named(opts));
  }
}

/** A machine as the hypervisor sees it. */
export class Machine extends pulumi.CustomResource {
  declare readonly power: pulumi.Output<PowerState>;
  declare readonly generation: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<MachineInputs>, opts?: pulumi.CustomResourceOptions) {
    const props = { ...args, secrets: pulumi.secret(args.secrets), power: undefined, generation: undefined };
    super("groundplane:index:Machine", name, props, named(opts));
  }
}

/** All keys of a stack, created before any machine. */
export class ClusterSecrets extends pulumi.CustomResource {
  /** By `SecretName`, without those derived per node. */
  declare readonly values: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ResourceArgs<ClusterSecretsInputs>, opts?: pulumi.CustomResourceOptions) {
    const own: pulumi.CustomResourceOptions = { additionalSecretOutputs: ["values"] };
    super("groundplane:index:ClusterSecrets", name, { ...args, values: undefined }, pulumi.mergeOptions(own, opts));
  }
}

const former = formerResourceNames.Bootstrap;

/** The one-time start of the cluster on its first masters. */
export class Bootstrap extends pulumi.CustomResource {
  declare readonly bootstrappedWith: pulumi.Output<readonly string[]>;
  declare readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<BootstrapInputs>, opts?: pulumi.CustomResourceOptions) {
    // Without it, the bootstrap of an existing stack would be replaced.
    const alias = { type: `groundplane:index:${former.type}`, name: former.name };
    const props = { ...args, bootstrappedWith: undefined, clusterId: undefined };
    super("groundplane:index:Bootstrap", name, props, named({ ...opts, aliases: [alias] }));
  }
}

/** One node's membership in the cluster: creation joins the node, deletion drains and removes it. */
export class Membership extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<MembershipInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Membership", name, { ...args }, named(opts));
  }
}

/** The files of a running node that may change. */
export class NodeFiles extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<NodeFilesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:NodeFiles", name, { ...args }, named(opts));
  }
}

/** The image of one node's system disk. */
export class NodeImage extends pulumi.CustomResource {
  constructor(name: string, args: ResourceArgs<NodeImageInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:NodeImage", name, { ...args, secrets: pulumi.secret(args.secrets) }, named(opts));
  }
}

/** The data centre's own objects in the cluster. */
export class ClusterObjects extends pulumi.CustomResource {
  constructor(name: string, args: ResourceArgs<ClusterObjectsInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:ClusterObjects", name, { ...args }, named(opts));
  }
}

/** Container images of add-ons on one node. */
export class ContainerImages extends pulumi.CustomResource {
  constructor(name: string, args: ResourceArgs<ContainerImagesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:ContainerImages", name, { ...args }, named(opts));
  }
}

/** A command on a node that is repeated until it succeeds. */
export class NodeTask extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<NodeTaskInputs>, opts?: pulumi.CustomResourceOptions) {
    const { stdin } = args;
    const props = { ...args, ...(stdin !== undefined && { stdin: pulumi.secret(stdin) }) };
    super("groundplane:index:NodeTask", name, props, named(opts));
  }
}

/** Refuses a plan that the cluster would not survive. Its arguments are plain values, because a preview needs all of them. */
export class Guard extends pulumi.CustomResource {
  constructor(name: string, args: GuardInputs, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Guard", name, { ...args, standing: undefined }, named(opts));
  }
}

/** The first resource that `destroy` deletes; from then on nothing drains or guards. */
export class Dismantling extends pulumi.CustomResource {
  constructor(name: string, args: ResourceArgs<DismantlingInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Dismantling", name, { ...args }, named(opts));
  }
}
