import * as pulumi from "@pulumi/pulumi";
import { renderNodeSeed } from "../cloud-init/render-node-seed";
import { type AddOnRecipe, addOnRecipe, archiveName } from "../image/recipes/add-ons";
import { drivers } from "../model/drivers";
import type { MachineInputs } from "../model/resource-types";
import { imageKindOf, isClusterNode, type Role } from "../model/roles";
import type { NodeSeed } from "../model/seed";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import { keptReleasesOf } from "../stacks/plan/kept-releases";
import { uplinkOf } from "../stacks/plan/plan-uplink";
import { useOfDisk } from "../stacks/plan/plan-volume";
import { followAuthority } from "./follow-authority";
import type { Foundation } from "./foundation";
import { bootstrapMember, guestConnection } from "./guest-connection";
import { factsOfRoll, joinedThrough, minutesOfRoll, peersOf } from "./image-roll-inputs";
import { ContainerImages, Disk, Machine, NodeFiles, NodeImage, type ResourceArgs } from "./resources";
import type { Secrets } from "./secrets";
import { timeLimits } from "./time-limits";

export interface VirtualMachineArgs extends Foundation {
  readonly node: NodePlan;
}

/** One node: its machine, its data disks, and the files that are kept up to date on it. */
export class VirtualMachine extends pulumi.ComponentResource {
  readonly machine: Machine;
  readonly roles: readonly Role[];
  readonly nodeName: string;
  private readonly seed: NodeSeed;

  constructor(
    name: string,
    private readonly args: VirtualMachineArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("groundplane:components:VirtualMachine", name, {}, opts);
    this.roles = args.node.roles;
    this.nodeName = args.node.name;
    this.seed = renderNodeSeed(args.plan, args.node);
    const disks = args.node.dataDisks.map((disk) => this.disk(args, disk));
    this.machine = new Machine(name, machineArgs(args, this.seed), {
      parent: this,
      dependsOn: [...args.network.segments, ...args.baseImage.images, ...disks],
      customTimeouts: timeLimits(args.slowdown, {
        ...{ create: 10, update: 10 },
        delete: 5 + Math.ceil(args.node.shutdownSeconds / 60),
      }),
    });
    this.registerOutputs({});
  }

  /**
   * Keeps the node's files equal to the rendered ones; they wait until the node is ready.
   *
   * @param after resources that must come first, e.g. the files of the previous node in a pool that reloads one node at a time
   */
  keepFiles(after: readonly pulumi.Resource[]): NodeFiles {
    const { plan, node, secrets, slowdown, driver } = this.args;
    const kept = keptReleasesOf(plan, driver)[node.name];
    return new NodeFiles(
      `${node.name}-files`,
      {
        node: node.name,
        connection: guestConnection(this.args, node),
        files: this.seed.files.map((file) => secrets.inFile(file)),
        generation: this.machine.generation,
        ...(kept !== undefined && { kept }),
      },
      {
        parent: this,
        dependsOn: [this.machine, ...after],
        customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
      },
    );
  }

  /**
   * Brings the plan's image to the machine when it has another one.
   *
   * @param after resources that must come first, e.g. the image of the previous node
   * @param others that get it at the same time
   */
  followImage(
    parent: pulumi.Resource,
    after: readonly pulumi.Resource[],
    others: readonly VirtualMachine[] = [],
  ): NodeImage {
    const { plan, node, secrets, slowdown, driver, baseImage } = this.args;
    const { stack, kubernetes } = plan;
    const members = (nodes: readonly NodePlan[]) => nodes.map((one) => bootstrapMember(this.args, one));
    const { keeps, ...facts } = factsOfRoll(plan, node, driver);
    const minutes = minutesOfRoll(node, facts.alone ?? [], others.length, kubernetes.podGraceSeconds);
    const joinsByFormer = plan.rotations["kubernetes-ca"] !== undefined && isClusterNode(node.roles);
    return new NodeImage(
      `${node.name}-image`,
      {
        ...{ driver, stack, node: node.name, roles: node.roles, image: baseImage.nameFor(node.roles) },
        ...(keeps !== undefined && { keeps }),
        ...(imageKindOf(node.roles) === "kubernetes" && { release: kubernetes.version }),
        connection: guestConnection(this.args, node),
        masters: members(joinedThrough(plan, node)),
        peers: members(peersOf(plan, node)),
        ...facts,
        ...(others.length > 0 && { alongside: others.map(({ args }) => args.node.name) }),
        podGraceSeconds: kubernetes.podGraceSeconds,
        // A node that keeps its image gets no new disk, so it needs no seed for one.
        ...(keeps === undefined
          ? {
              ...{ ...seedOf(this.seed, secrets), secrets: secrets.forLaterSeed(this.seed) },
              ...(joinsByFormer && { afterJoin: followAuthority(secrets) }),
            }
          : { seed: noSeed, secrets: {} }),
      },
      {
        parent,
        dependsOn: [this.machine, ...after],
        customTimeouts: timeLimits(slowdown, { create: minutes, update: minutes }),
      },
    );
  }

  /**
   * Brings the container images of the stack's add-ons to the running node. Each version of each has a resource of its own: the engine
   * deletes them last, when the cluster no longer has the objects that use them.
   *
   * @param after resources that must come first: an exchange of the system disk would lose them
   */
  keepContainerImages(parent: pulumi.Resource, after: readonly pulumi.Resource[]): readonly ContainerImages[] {
    const { kubernetes, addOns } = this.args.plan;
    const recipes = addOns.map((name) => addOnRecipe(name, kubernetes.version));
    return recipes.map((recipe) => this.keepContainerImage(recipe, parent, after));
  }

  private keepContainerImage(
    recipe: AddOnRecipe,
    parent: pulumi.Resource,
    after: readonly pulumi.Resource[],
  ): ContainerImages {
    const { plan, node, slowdown, baseImage } = this.args;
    const { name } = recipe.image;
    return new ContainerImages(
      `${node.name}-container-image-${name.slice(name.lastIndexOf("/") + 1).replace(":", "-")}`,
      {
        stack: plan.stack,
        node: node.name,
        connection: guestConnection(this.args, node),
        images: { [name]: archiveName(recipe) },
        generation: this.machine.generation,
        nodeImage: baseImage.nameFor(node.roles),
      },
      {
        parent,
        dependsOn: [this.machine, ...after],
        // They are removed with the machine.
        deletedWith: this.machine,
        customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
      },
    );
  }

  private disk(args: VirtualMachineArgs, disk: NodePlan["dataDisks"][number]): Disk {
    const { driver, plan, node, guard } = args;
    const { name, uuid, sizeGiB } = disk;
    const use = useOfDisk(plan, node, disk);
    return new Disk(
      name,
      { driver, stack: plan.stack, name, uuid, sizeGiB, use, keep: plan.keepDataDisks },
      { parent: this, dependsOn: guard },
    );
  }
}

const noSeed = { userData: "", metaData: "", networkConfig: "" };

const seedOf = (seed: NodeSeed, secrets: Secrets) => ({
  seed: { userData: seed.userData, metaData: seed.metaData, networkConfig: seed.networkConfig },
  secrets: secrets.forSeed(seed),
});

function machineArgs(args: VirtualMachineArgs, seed: NodeSeed): ResourceArgs<MachineInputs> {
  const { node, plan } = args;
  const spec = {
    driver: args.driver,
    stack: plan.stack,
    name: node.name,
    roles: node.roles,
    uuid: node.uuid,
    image: args.baseImage.nameFor(node.roles),
    cpus: node.cpus,
    memoryMiB: node.memoryMiB,
    diskGiB: node.diskGiB,
    // Not an input of system containers, which have no volumes that could grow.
    ...(drivers[args.driver].imageForm === "disk" ? { volumes: node.volumes } : {}),
    nics: node.interfaces.map(({ name, segment, mac }) => ({ name, segment, mac })),
    disks: node.dataDisks.map(({ name, mountPoint }) => ({ disk: name, mountPoint })),
    shutdownSeconds: node.shutdownSeconds,
    ...seedOf(seed, args.secrets),
  };
  return node.roles.includes("gateway") ? { ...spec, uplink: uplinkOf(plan) } : spec;
}
