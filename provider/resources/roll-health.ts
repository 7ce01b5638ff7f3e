import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { guestCommand } from "../../model/guest-paths";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { MembershipInputs } from "../../model/resource-types";
import { isClusterNode } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { requireMaster } from "./cluster-node";
import { etcdProblem } from "./etcd-problem";
import { endTransition } from "./guard-record";
import { ask, bootedGuest, deadlineMs, inGuest, progress, readyGuest, reasonOf } from "./guest-waiting";
import { volumeProblem } from "./volume-problem";

const POLL_MS = 1_000;

type Check = () => Promise<string | undefined>;

/** What must be healthy before a node is away, and when it is back. */
export class RollHealth {
  constructor(
    private readonly connect: ConnectGuest,
    private readonly inputs: NodeImageInputs,
    private readonly membership: MembershipInputs,
    private readonly context: Context,
  ) {}

  /**
   * The node works. Of a cluster node, so do the network and the DNS of the cluster, on nodes that do not change at the same time; of a
   * member of etcd, all members; of a storage machine, all copies of the volume.
   *
   * @param whenReady what its services must have before the other checks
   */
  async ofNode(waitMs: number, whenReady?: () => Promise<void>): Promise<void> {
    const { node, connection, roles, etcd = [] } = this.inputs;
    const end = Date.now() + Math.min(waitMs, deadlineMs(this.context));
    await readyGuest(this.connect, connection, node, this.context, waitMs);
    await whenReady?.();
    const checks: readonly Check[] = [
      ...(etcd.length > 0 ? [() => this.etcd(etcd)] : []),
      ...(isClusterNode(roles) ? [() => this.cluster()] : []),
      ...(roles.includes("storage") ? [() => this.volume()] : []),
    ];
    for (const check of checks) await this.until(check, end);
  }

  /** Those that do its work, or that only this node connects. */
  async ofPeers(waitMs: number): Promise<void> {
    const { stack, peers } = this.inputs;
    const end = Date.now() + waitMs;
    for (const { name, connection } of peers) {
      await readyGuest(this.connect, connection, name, this.context, Math.max(0, end - Date.now()));
      endTransition({ stack, name });
    }
  }

  /** All members of etcd vote and are healthy. */
  async ofEtcd(waitMs: number): Promise<void> {
    const { etcd = [] } = this.inputs;
    if (etcd.length > 0) await this.until(() => this.etcd(etcd), Date.now() + waitMs);
  }

  /** The same, except for this one. */
  async ofOtherMembers(waitMs: number): Promise<void> {
    const others = (this.inputs.etcd ?? []).filter((name) => name !== this.inputs.node);
    await this.until(() => this.etcd(others), Date.now() + waitMs);
  }

  private async until(check: Check, end: number): Promise<void> {
    const show = progress(this.context, this.inputs.node);
    for (;;) {
      const problem = await check();
      if (problem === undefined) return;
      if (Date.now() >= end) throw new Error(problem);
      show(problem.split("\n")[0] ?? "");
      await sleep(POLL_MS, undefined, { signal: this.context.signal });
    }
  }

  private onMaster<T>(act: (guest: Guest) => Promise<T>): Promise<T> {
    return inGuest(async () => (await requireMaster(this.connect, this.membership, this.context)).guest, act);
  }

  private etcd(names: readonly string[]): Promise<string | undefined> {
    return this.onMaster((guest) => etcdProblem(guest, names, this.context));
  }

  private async cluster(): Promise<string | undefined> {
    const { node, alongside = [] } = this.inputs;
    const argv = [guestCommand("cluster-ready"), ...alongside.map((name) => `--except=${name}`), node] as const;
    const result = await this.onMaster((guest) => ask(guest, argv, this.context));
    return result.code === 0 ? undefined : `the cluster is not healthy: ${reasonOf(result)}`;
  }

  private volume(): Promise<string | undefined> {
    const { node, connection, alone = [] } = this.inputs;
    return inGuest(
      () => bootedGuest(this.connect, connection, node, this.context),
      (guest) => volumeProblem(guest, this.context, !alone.includes("storage")),
    );
  }
}
