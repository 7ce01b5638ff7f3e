import * as pulumi from "@pulumi/pulumi";
import type { AuthorityFiles } from "../model/cluster-secrets-types";
import { type DriverName, drivers } from "../model/drivers";
import type { PackageLock } from "../model/package-lock";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import { hasRegistry, registryNames } from "../stacks/plan/plan-registry";
import { bringAddOns } from "./add-on-images";
import { BalancerPair } from "./balancer-pair";
import { BaseImage } from "./base-image";
import { keepAddOns, keepJoinObjects } from "./cluster-objects";
import { ControlPlane } from "./control-plane";
import { type DataCenterOutputs, dataCenterOutputs } from "./data-center-outputs";
import { followHostKeys } from "./follow-host-keys";
import type { Foundation } from "./foundation";
import { Gateway } from "./gateway";
import { guardedMembers } from "./guarded-members";
import { areGuestsSimulated } from "./guest-connection";
import { Network } from "./network";
import { NodeImages } from "./node-images";
import { Ready } from "./ready";
import { Dismantling, Guard } from "./resources";
import { rotateAuthorities } from "./rotate-authorities";
import { Secrets } from "./secrets";
import { StoragePool } from "./storage-pool";
import type { VirtualMachine } from "./virtual-machine";
import { WorkerPool } from "./worker-pool";

export interface DataCenterArgs {
  readonly plan: DataCenterPlan;
  /** Already chosen, never `auto`. */
  readonly driver: DriverName;
  /** Factor by which the driver's machines are slower than native; 1 by default. */
  readonly slowdown?: number;
  /** Of the stack, if it has one. */
  readonly packageLock?: PackageLock;
  /** Of the cluster's authority, if it is given; absolute paths. */
  readonly authority?: AuthorityFiles;
}

/** A complete data centre: everything in the plan, in the order of creation. */
export class DataCenter extends pulumi.ComponentResource {
  readonly outputs: DataCenterOutputs;

  constructor(name: string, args: DataCenterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:DataCenter", name, {}, opts);
    const { plan } = args;
    this.warnOfVolumes(args);
    const foundation = this.layFoundation(args);
    const gateway = new Gateway("gateway", foundation, { parent: this });
    const pool = { ...foundation, gateway };
    const balancers = new BalancerPair("balancers", pool, { parent: this });
    // Simulated guests serve no API.
    const isSimulated = areGuestsSimulated(args.driver);
    const keepObjects = (cluster: Pick<ControlPlane, "bootstrap" | "administrators">) =>
      isSimulated ? [] : [keepJoinObjects(foundation, cluster, this)];
    const masters = new ControlPlane("control-plane", { ...pool, balancers, keepObjects }, { parent: this });
    const { bootstrap, objects, joinable } = masters;
    const workers = new WorkerPool("workers", { ...pool, cluster: [bootstrap, ...joinable] }, { parent: this });
    const storage = new StoragePool("storage", pool, { parent: this });
    const nodes = [gateway, balancers, masters, workers, storage];
    const others = [balancers, storage, masters, workers].flatMap((pool) => pool.machines);
    // The gateway's machine may be that of the master.
    const all = [...new Set([gateway.machine, ...masters.etcdMachines, ...others])];
    // Nodes that get the image of another release join by its configuration.
    const { maxUnavailableWorkers } = plan;
    const machineOf = ({ name }: NodePlan): VirtualMachine =>
      all.find(({ nodeName }) => nodeName === name) ?? gateway.machine;
    const authorities = {
      ...{ ...pool, authorities: ["kubernetes-ca"] as const, machineOf },
      after: [...masters.complete, ...workers.memberships, ...objects],
    };
    const rotated = rotateAuthorities(authorities, this);
    const rolled = { machines: all, maxUnavailableWorkers, after: [...nodes, ...objects, ...rotated] };
    const images = new NodeImages("node-images", rolled, { parent: this });
    const brought = isSimulated ? [] : bringAddOns(plan, machineOf, [images], this);
    const addOns = isSimulated ? [] : [keepAddOns(foundation, bootstrap, [images, ...brought], this)];
    const followed = followHostKeys(foundation, [...nodes, images], this);
    const parts = [...nodes, images, ...brought, ...rotated, ...objects, ...addOns, ...followed];
    const machines = [...masters.machines, ...workers.machines];
    const { secrets, slowdown, network, baseImage, guard } = foundation;
    const ready = new Ready("ready", { plan, secrets, slowdown, machines, after: parts }, { parent: this });
    new Dismantling(
      "dismantling",
      { stack: plan.stack },
      { parent: this, dependsOn: [guard, network, baseImage, secrets, ...parts, ready] },
    );
    this.outputs = dataCenterOutputs(plan, secrets, rotated);
    this.registerOutputs({});
  }

  private warnOfVolumes({ plan, driver }: DataCenterArgs): void {
    const isNamed = plan.nodes.some(({ volumes }) => volumes.some(({ named }) => named));
    if (drivers[driver].imageForm === "disk" || !isNamed) return;
    void pulumi.log.warn(`volumes are ignored: machines of the driver ${driver} share the host's file system`, this);
  }

  private layFoundation({ plan, driver, slowdown = 1, packageLock, authority }: DataCenterArgs): Foundation {
    const own = { parent: this };
    const { stack, segments, kubernetes, distribution } = plan;
    const { version: kubernetesVersion, runtime } = kubernetes;
    const image = { driver, kubernetesVersion, distribution, runtime, packageLock };
    const baseImage = new BaseImage("base-image", image, own);
    const servers = hasRegistry(plan) ? { registry: registryNames(plan) } : undefined;
    const guard = new Guard("guard", guardedMembers(plan, driver), own);
    return {
      plan,
      driver,
      slowdown,
      secrets: new Secrets("secrets", { stack, version: 1, rotations: plan.rotations, authority, servers }, own),
      baseImage,
      guard,
      network: new Network("network", { stack, driver, segments, guard }, own),
    };
  }
}
