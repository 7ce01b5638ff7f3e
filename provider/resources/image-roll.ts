import type { ConnectGuest } from "../../guests/guest";
import { forgetGuest } from "../../guests/guest-ssh";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { Hypervisor, MachineName, MachineState, SystemDisks } from "../../hypervisors/hypervisor";
import type { NodeImageInputs } from "../../model/node-image-types";
import { poolOf } from "../../model/pool-change";
import type { MembershipInputs } from "../../model/resource-types";
import { isClusterNode } from "../../model/roles";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { bringAddOnImages } from "./add-on-images";
import { clusterStatus, KUBECONFIG, type LivingMaster, mustRun } from "./cluster-command";
import { requireMaster, waitForNodeReady } from "./cluster-node";
import { fillSecrets } from "./fill-secrets";
import { refuseUnsafeLoss, withStackLock } from "./guard-record";
import { bootedGuest, deadlineMs, inGuest, progress, readyGuest } from "./guest-waiting";
import { forgetKept, giveBackForChecks, giveBackToDisk, keepFromDisk } from "./kept-from-disk";
import { forgetMarks, keepMarks, restoreMarks } from "./kept-marks";
import { drain } from "./leave-cluster";
import { forgetLeft, noteLeft, readLeft } from "./left-members";
import { followRoles } from "./master-workloads";
import { rejoin } from "./rejoin";
import { messageOf, rollRefused } from "./roll-errors";
import { RollHealth } from "./roll-health";

/** How long a cluster that was healthy before may take to look healthy again. */
const GATE_MS = 120_000;
/** The part of the time that a new disk may take. The rest belongs to the former one, if it must return. */
const shares = { others: 1 / 2, alone: 1 / 4 };

export interface RollSurroundings {
  readonly connect: ConnectGuest;
  readonly driverByName: DriverByName;
}

/** The steps of one node's roll. Each may be killed and repeated. */
export class ImageRoll {
  private readonly machine: MachineName;
  private readonly hypervisor: Hypervisor;
  private readonly disks: SystemDisks;
  private readonly membership: MembershipInputs;
  private readonly health: RollHealth;

  /** @param former the image that it returns to */
  constructor(
    private readonly surroundings: RollSurroundings,
    private readonly inputs: NodeImageInputs,
    private readonly context: Context,
    private readonly found: MachineState,
    private readonly former: string,
  ) {
    const { driver, stack, node, roles, connection, masters, podGraceSeconds } = inputs;
    this.machine = { stack, name: node };
    this.hypervisor = surroundings.driverByName(driver);
    if (!this.hypervisor.systemDisks) {
      throw new UserError("no-exchange", `the driver ${driver} cannot exchange system disks`, `recreate ${node}`);
    }
    this.disks = this.hypervisor.systemDisks;
    const { generation } = found;
    this.membership = { driver, stack, node, roles, connection, masters, generation, podGraceSeconds };
    this.health = new RollHealth(surroundings.connect, inputs, this.membership, context);
  }

  /** Nothing is changed before all of them are healthy. */
  async handOver(): Promise<void> {
    const { node, roles } = this.inputs;
    const { connect } = this.surroundings;
    const { stack } = this.machine;
    let master: LivingMaster | undefined;
    try {
      await this.health.ofNode(GATE_MS);
      await this.health.ofPeers(GATE_MS);
      if (poolOf(roles) !== undefined)
        await withStackLock(stack, () => refuseUnsafeLoss(this.hypervisor, this.machine));
      if (this.isNode) master = await requireMaster(connect, this.membership, this.context);
      await keepFromDisk(this.connectNode, this.inputs, this.context);
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw rollRefused(this.inputs, this.found.spec.image, error);
    }
    if (master === undefined) return;
    await keepMarks(master.guest, stack, node, this.context);
    // A drain that is killed leaves the node cordoned; the next `up` goes on with it.
    await drain(master, this.inputs, this.context);
    progress(this.context, node)("drained");
  }

  /** All of it is the same when it is repeated. */
  async exchange(image: string): Promise<void> {
    const { node, seed, secrets, connection, roles, alone = [] } = this.inputs;
    progress(this.context, node)(`exchanging the system disk for one of ${image}`);
    this.context.signal.throwIfAborted();
    await this.dropDiskOfFormerMember(image);
    await this.disks.exchangeSystemDisk(this.machine, image, fillSecrets(seed, secrets), this.found.owner);
    forgetGuest(connection);
    // Its work is not left interrupted until the next `up`: after a cancellation it runs again from one of its disks.
    if (alone.length === 0 || !(await readLeft(this.machine))) this.context.signal.throwIfAborted();
    await this.hypervisor.startMachine(this.machine);
    const share = shares[alone.length === 0 ? "others" : "alone"];
    const context = { ...this.context, timeoutSeconds: Math.ceil((deadlineMs(this.context) * share) / 1000) };
    if (this.isNode) await bringAddOnImages(this.surroundings.connect, this.membership, context);
    if (roles.includes("etcd")) await this.leaveEtcd(context);
    await rejoin(this.surroundings.connect, this.membership, this.inputs, context);
    if (this.isNode) await this.followRoles(context);
    await this.health.ofNode(deadlineMs(context), () => giveBackForChecks(this.connectNode, this.inputs, context));
    // It may respond and let nothing through.
    if (roles.includes("gateway")) await this.health.ofPeers(deadlineMs(context));
  }

  async confirm(): Promise<void> {
    await this.returnKept();
    await this.disks.dropFormerSystemDisk(this.machine, this.found.owner);
    await forgetLeft(this.machine);
    await forgetKept(this.machine.stack, this.machine.name);
  }

  /** The node has its own disk, and nothing is planned for it any more; or all but the last step was done. */
  async callOff(): Promise<void> {
    const { stack, name } = this.machine;
    if (this.isNode) {
      const { guest } = await requireMaster(this.surroundings.connect, this.membership, this.context);
      await mustRun(guest, ["kubectl", KUBECONFIG, "uncordon", name], `uncordon ${name}`, this.context);
    }
    await this.returnKept();
    await forgetKept(stack, name);
  }

  /** What failed while the former image returned; empty on success. */
  async takeBack(): Promise<string> {
    try {
      progress(this.context, this.inputs.node)("going back to the former system disk");
      if (await readLeft(this.machine)) await this.joinFromFormerImage();
      else await this.restoreFormerDisk();
      return "";
    } catch (error) {
      this.context.signal.throwIfAborted();
      return messageOf(error);
    }
  }

  private async restoreFormerDisk(): Promise<void> {
    const { node, connection } = this.inputs;
    const { connect } = this.surroundings;
    await this.disks.restoreSystemDisk(this.machine, this.found.owner);
    forgetGuest(connection);
    await this.hypervisor.startMachine(this.machine);
    await readyGuest(connect, connection, node, this.context);
    await this.health.ofEtcd(deadlineMs(this.context));
    // Its kubelet registers the Node again, if the join has removed it.
    if (this.isNode) await waitForNodeReady(connect, this.membership, this.context);
    await this.callOff();
  }

  /** A new disk of the former image: the former one has the data of a member that etcd has removed. */
  private async joinFromFormerImage(): Promise<void> {
    await this.hypervisor.ensureImage({ name: this.former });
    await this.exchange(this.former);
    await this.confirm();
  }

  /** The driver would take it back when its image is wanted. */
  private async dropDiskOfFormerMember(image: string): Promise<void> {
    if (!(await readLeft(this.machine))) return;
    const present = await this.hypervisor.inspectMachine(this.machine);
    if (present?.formerImage === image) await this.disks.dropFormerSystemDisk(this.machine, this.found.owner);
  }

  /**
   * A member of etcd joins as a new one, and gets the data from the others. Until then it only was away, and may return to its former disk.
   * So it leaves when the new disk works, and the others can do without it.
   */
  private async leaveEtcd(context: Context): Promise<void> {
    const { node, connection } = this.inputs;
    const { phase, order } = await inGuest(this.connectNode, (guest) => clusterStatus(guest, context));
    // It has begun to join from this disk.
    if (phase === "member" || order !== "none") return;
    await readyGuest(this.surroundings.connect, connection, node, context);
    await this.health.ofOtherMembers(Math.min(GATE_MS, deadlineMs(context)));
    if (!(await readLeft(this.machine))) await noteLeft(this.machine, { from: this.former });
  }

  private async followRoles(context: Context): Promise<void> {
    const { node, roles } = this.inputs;
    const onMaster = async () => (await requireMaster(this.surroundings.connect, this.membership, context)).guest;
    await followRoles({ onNode: this.connectNode, onMaster }, node, undefined, roles, 0, context);
  }

  private async returnKept(): Promise<void> {
    const { stack, name } = this.machine;
    await giveBackToDisk(this.connectNode, this.inputs, this.context);
    if (!this.isNode) return;
    const { guest } = await requireMaster(this.surroundings.connect, this.membership, this.context);
    await restoreMarks(guest, stack, name, this.context);
    await forgetMarks(stack, name);
  }

  private get isNode(): boolean {
    return isClusterNode(this.inputs.roles);
  }

  private readonly connectNode = () =>
    bootedGuest(this.surroundings.connect, this.inputs.connection, this.inputs.node, this.context, GATE_MS);
}
