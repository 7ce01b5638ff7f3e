import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest } from "../../guests/guest";
import { UnreachableError } from "../../guests/guest-ssh";
import type { MembershipInputs } from "../../model/resource-types";
import { isClusterNode } from "../../model/roles";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { awaitedMaster, KUBECONFIG, type LivingMaster, mustRun } from "./cluster-command";
import { deadlineMs, progress, readyGuest, reasonOf } from "./guest-waiting";

/** A node as the other nodes of its cluster see it. */

/** Timeout of one request; the next request may go to another master. */
const READY_SECONDS = 30;
const POLL_MS = 500;

/** Returns the id of the cluster. */
export async function waitForNodeReady(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  context: Context,
): Promise<string> {
  const { node } = inputs;
  const show = progress(context, node);
  const end = Date.now() + deadlineMs(context);
  show("waiting until its Node is Ready");
  const wait = ["wait", "--for=condition=Ready", `node/${node}`, `--timeout=${READY_SECONDS}s`];
  for (;;) {
    const master = await requireMaster(connect, inputs, context);
    const timeoutMs = (READY_SECONDS + 10) * 1000;
    const asked = master.guest.run(["kubectl", KUBECONFIG, ...wait], { signal: context.signal, timeoutMs });
    const { code, reason } = await asked.then((result) => ({ code: result.code, reason: reasonOf(result) }), away);
    if (code === 0) return master.clusterId;
    // It fails at once while the Node is not registered, or when the master or its API server has just stopped.
    if (Date.now() >= end) throw notReady(node, reason);
    show(reason);
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

function away(error: unknown): { readonly code: undefined; readonly reason: string } {
  if (error instanceof UnreachableError) return { code: undefined, reason: error.message };
  throw error;
}

const notReady = (node: string, reason: string): UserError =>
  new UserError("node-not-ready", `${node} is not Ready: ${reason}`, `see \`npx groundplane logs ${node}\``);

/** A master that responds, another one where possible; waits for it. */
export async function requireMaster(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  context: Context,
): Promise<LivingMaster> {
  const others = inputs.masters.filter(({ name }) => name !== inputs.node);
  const self = inputs.masters.filter(({ name }) => name === inputs.node);
  const master = await awaitedMaster(connect, [others, self], progress(context, inputs.node), context);
  if (!master) throw noMaster(inputs);
  return master;
}

/** Lets pods run on the node again. */
export async function uncordon(connect: ConnectGuest, inputs: MembershipInputs, context: Context): Promise<void> {
  const { node } = inputs;
  const { guest } = await requireMaster(connect, inputs, context);
  await mustRun(guest, ["kubectl", KUBECONFIG, "uncordon", node], `uncordon ${node}`, context);
}

/** A drain that was killed leaves the node cordoned, and pods that may run on no other node wait for it. */
export async function endDrain(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  context: Context,
  waitMs: number,
): Promise<void> {
  await readyGuest(connect, inputs.connection, inputs.node, context, waitMs);
  await uncordon(connect, inputs, context);
}

function noMaster({ node, roles }: MembershipInputs): UserError {
  const peer = isClusterNode(roles) ? "master" : "etcd machine";
  const hint = `see \`npx groundplane status\`; run \`up\` when ${isClusterNode(roles) ? "a master" : "one"} is healthy`;
  return new UserError("no-master", `${node} cannot join or change its roles: no ${peer} responds`, hint);
}
