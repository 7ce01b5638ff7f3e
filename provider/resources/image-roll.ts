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
import type { LivingMaster } from "./cluster-command";
import { endDrain, requireMaster, uncordon, waitForNodeReady } from "./cluster-node";
import { fillSecrets } from "./fill-secrets";
import { refuseUnsafeLoss, withStackLock } from "./guard-record";
import { bootedGuest, deadlineMs, progress, readyGuest } from "./guest-waiting";
import { putFormerDiskBack } from "./interrupted-roll";
import { forgetKept, giveBackForChecks, giveBackToDisk, keepFromDisk } from "./kept-from-disk";
import { forgetMarks, hasKeptMarks, keepMarks, restoreMarks } from "./kept-marks";
import { drain } from "./leave-cluster";
import { GATE_MS, leaveEtcd } from "./leave-etcd";
import { forgetLeft, readLeft } from "./left-members";
import { followRoles } from "./master-workloads";
import { forgetMoved } from "./moved-etcd";
import { freeDisks, isOnlyMember, startAlone } from "./only-member";
import { rejoin } from "./rejoin";
import { messageOf, rollRefused } from "./roll-errors";
import { RollHealth } from "./roll-health";

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

  /**
   * Nothing is changed before all of them are healthy.
   *
   * @param next the release of the image, if it is another one
   */
  async handOver(next?: string): Promise<void> {
    const { node, roles } = this.inputs;
    const { connect } = this.surroundings;
    const { stack } = this.machine;
    let master: LivingMaster | undefined;
    try {
      if (this.isNode && (await hasKeptMarks(stack, node)))
        await endDrain(connect, this.membership, this.context, GATE_MS);
      await this.health.ofNode(GATE_MS);
      await this.health.ofPeers(GATE_MS);
      if (poolOf(roles) !== undefined && !isOnlyMember(this.inputs))
        await withStackLock(stack, () => refuseUnsafeLoss(this.hypervisor, this.machine));
      if (this.isNode) master = await requireMaster(connect, this.membership, this.context);
      await keepFromDisk(this.connectNode, this.inputs, this.context, next);
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw rollRefused(this.inputs, this.found.spec.image, error);
    }
    if (master === undefined) return;
    await keepMarks(master.guest, stack, node, this.context);
    await drain(master, this.inputs, this.context);
    progress(this.context, node)("drained");
  }

  /** All of it is the same when it is repeated. */
  async exchange(image: string): Promise<void> {
    const { node, seed, secrets, connection, alone = [] } = this.inputs;
    progress(this.context, node)(`exchanging the system disk for one of ${image}`);
    this.context.signal.throwIfAborted();
    await freeDisks(this.surroundings.connect, this.hypervisor, this.inputs, this.found.owner, image, this.context);
    await this.disks.exchangeSystemDisk(this.machine, image, fillSecrets(seed, secrets), this.found.owner);
    forgetGuest(connection);
    // Its work is not left interrupted until the next `up`: after a cancellation it runs again from one of its disks.
    if (alone.length === 0 || !(await readLeft(this.machine))) this.context.signal.throwIfAborted();
    await this.hypervisor.startMachine(this.machine);
    const share = shares[alone.length === 0 ? "others" : "alone"];
    const context = { ...this.context, timeoutSeconds: Math.ceil((deadlineMs(this.context) * share) / 1000) };
    await this.work(context);
  }

  /** On its new disk. */
  private async work(context: Context): Promise<void> {
    const { inputs, membership } = this;
    const { connect } = this.surroundings;
    const { roles } = inputs;
    if (isOnlyMember(inputs)) await startAlone(connect, inputs, this.former, context);
    if (this.isNode) await bringAddOnImages(connect, membership, context);
    if (roles.includes("etcd") && !isOnlyMember(inputs))
      await leaveEtcd(connect, inputs, this.health, this.former, context);
    await rejoin(connect, membership, inputs, context);
    if (this.isNode) await this.followRoles(context);
    // The Node of a member that joins is a new one. Pods that may run on no other node wait for this one.
    if (isOnlyMember(inputs)) await uncordon(connect, membership, context);
    await this.health.ofNode(deadlineMs(context), () => giveBackForChecks(this.connectNode, this.inputs, context));
    // It may respond and let nothing through.
    if (roles.includes("gateway")) await this.health.ofPeers(deadlineMs(context));
  }

  async confirm(): Promise<void> {
    await this.returnKept();
    await this.disks.dropFormerSystemDisk(this.machine, this.found.owner);
    await forgetLeft(this.machine);
    await forgetMoved(this.machine);
    await forgetKept(this.machine.stack, this.machine.name);
  }

  /** The node has its own disk, and nothing is planned for it any more; or all but the last step was done. */
  async callOff(): Promise<void> {
    const { stack, name } = this.machine;
    if (this.isNode) await uncordon(this.surroundings.connect, this.membership, this.context);
    await this.returnKept();
    await forgetMoved(this.machine);
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
    await putFormerDiskBack(this.hypervisor, this.found);
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
