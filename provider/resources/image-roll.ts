import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest } from "../../guests/guest";
import { forgetGuest } from "../../guests/guest-ssh";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { Hypervisor, MachineState, SystemDisks } from "../../hypervisors/hypervisor";
import { guestCommand } from "../../model/guest-paths";
import type { NodeImageInputs } from "../../model/node-image-types";
import { poolOf } from "../../model/pool-change";
import type { MembershipInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, type LivingMaster, mustRun } from "./cluster-command";
import { requireMaster, waitForNodeReady } from "./cluster-node";
import { fillSecrets } from "./fill-secrets";
import { refuseUnsafeLoss, withStackLock } from "./guard-record";
import { bootedGuest, deadlineMs, inGuest, progress, readyGuest, reasonOf } from "./guest-waiting";
import { forgetMarks, keepMarks, restoreMarks } from "./kept-marks";
import { drain } from "./leave-cluster";
import { joinInTurn } from "./membership";
import { volumeProblem } from "./volume-problem";

/** How long a cluster that was healthy before may take to look healthy again. */
const GATE_MS = 120_000;
const POLL_MS = 1_000;

export interface RollSurroundings {
  readonly connect: ConnectGuest;
  readonly driverByName: DriverByName;
}

/** The steps of one node's roll. Each may be killed and repeated. */
export class ImageRoll {
  private readonly machine: { readonly stack: string; readonly name: string };
  private readonly hypervisor: Hypervisor;
  private readonly disks: SystemDisks;
  private readonly membership: MembershipInputs;

  constructor(
    private readonly surroundings: RollSurroundings,
    private readonly inputs: NodeImageInputs,
    private readonly context: Context,
    private readonly found: MachineState,
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
  }

  /** Nothing is changed before all of them are healthy. */
  async handOver(): Promise<void> {
    const { node, peers, roles } = this.inputs;
    const { connect } = this.surroundings;
    let master: LivingMaster | undefined;
    try {
      await this.healthy(GATE_MS);
      for (const { name, connection } of peers) await readyGuest(connect, connection, name, this.context, GATE_MS);
      if (poolOf(roles) !== undefined)
        await withStackLock(this.machine.stack, () => refuseUnsafeLoss(this.hypervisor, this.machine));
      if (this.isInCluster) master = await requireMaster(connect, this.membership, this.context);
    } catch (error) {
      this.context.signal.throwIfAborted();
      throw rollRefused(this.inputs, this.found.spec.image, error);
    }
    if (master === undefined) return;
    await keepMarks(master.guest, this.machine.stack, node, this.context);
    // A drain that is killed leaves the node cordoned; the next `up` goes on with it.
    await drain(master, this.inputs, this.context);
    progress(this.context, node)("drained");
  }

  /** All of it is the same when it is repeated. */
  async exchange(): Promise<void> {
    const { node, image, seed, secrets, connection } = this.inputs;
    const show = progress(this.context, node);
    show(`exchanging the system disk for one of ${image}`);
    this.context.signal.throwIfAborted();
    await this.disks.exchangeSystemDisk(this.machine, image, fillSecrets(seed, secrets), this.found.owner);
    forgetGuest(connection);
    this.context.signal.throwIfAborted();
    await this.hypervisor.startMachine(this.machine);
    // The rest of the time belongs to the former disk, if it must return.
    const context = { ...this.context, timeoutSeconds: Math.ceil(deadlineMs(this.context) / 2000) };
    if (this.isInCluster) await joinInTurn(this.surroundings.connect, this.membership, context);
    await this.healthy(deadlineMs(context));
  }

  async confirm(): Promise<void> {
    if (this.isInCluster) await this.returnMarks();
    await this.disks.dropFormerSystemDisk(this.machine, this.found.owner);
  }

  /** What failed while the former disk returned; empty on success. */
  async takeBack(): Promise<string> {
    const { node, connection } = this.inputs;
    const { connect } = this.surroundings;
    try {
      progress(this.context, node)("going back to the former system disk");
      await this.disks.restoreSystemDisk(this.machine, this.found.owner);
      forgetGuest(connection);
      await this.hypervisor.startMachine(this.machine);
      await readyGuest(connect, connection, node, this.context);
      if (!this.isInCluster) return "";
      // Its kubelet registers the Node again, if the join has removed it.
      await waitForNodeReady(connect, this.membership, this.context);
      const { guest } = await requireMaster(connect, this.membership, this.context);
      await mustRun(guest, ["kubectl", KUBECONFIG, "uncordon", node], `uncordon ${node}`, this.context);
      await this.returnMarks();
      return "";
    } catch (error) {
      this.context.signal.throwIfAborted();
      return messageOf(error);
    }
  }

  private async returnMarks(): Promise<void> {
    const { stack, name } = this.machine;
    const { guest } = await requireMaster(this.surroundings.connect, this.membership, this.context);
    await restoreMarks(guest, stack, name, this.context);
    await forgetMarks(stack, name);
  }

  private get isInCluster(): boolean {
    return this.inputs.masters.length > 0;
  }

  /** The node works; of a cluster node, also the network and the DNS of the cluster, of a storage machine all copies of the volume. */
  private async healthy(waitMs: number): Promise<void> {
    const { node, connection, roles } = this.inputs;
    const end = Date.now() + Math.min(waitMs, deadlineMs(this.context));
    await readyGuest(this.surroundings.connect, connection, node, this.context, waitMs);
    const show = progress(this.context, node);
    for (;;) {
      const ofCluster = this.isInCluster ? await this.clusterProblem() : undefined;
      const problem = ofCluster ?? (roles.includes("storage") ? await this.volumeProblem() : undefined);
      if (problem === undefined) return;
      if (Date.now() >= end) throw new Error(problem);
      show(problem.split("\n")[0] ?? "");
      await sleep(POLL_MS, undefined, { signal: this.context.signal });
    }
  }

  private async clusterProblem(): Promise<string | undefined> {
    const { signal } = this.context;
    const connectMaster = async () =>
      (await requireMaster(this.surroundings.connect, this.membership, this.context)).guest;
    const argv = [guestCommand("cluster-ready"), this.inputs.node];
    const result = await inGuest(connectMaster, (guest) => guest.run(argv, { signal, timeoutMs: 30_000 }));
    return result.code === 0 ? undefined : `the cluster is not healthy: ${reasonOf(result)}`;
  }

  private volumeProblem(): Promise<string | undefined> {
    const { node, connection } = this.inputs;
    const connectNode = () => bootedGuest(this.surroundings.connect, connection, node, this.context, GATE_MS);
    return inGuest(connectNode, (guest) => volumeProblem(guest, this.context));
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof UserError ? error.problem : error instanceof Error ? error.message : String(error);

const rollRefused = ({ node, image }: NodeImageInputs, former: string, error: unknown): UserError =>
  new UserError(
    "image-roll-refused",
    `${node} keeps the image ${former} and does not move to ${image} now: ${messageOf(error)}`,
    "repair what is unhealthy and run `up` again; see `npx groundplane status`",
  );
