import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest, Guest } from "../../guests/guest";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { MembershipInputs } from "../../model/resource-types";
import type { Context } from "../rpc/resource-handler";
import { type ClusterStatus, clusterStatus, KUBECONFIG, mustRun } from "./cluster-command";
import { deadlineMs, inGuest, progress } from "./guest-waiting";

/**
 * A node that the cluster has removed while its machine stayed: its membership was deleted, and the deletion of the machine was refused
 * or killed. Its disk still says that it is a member.
 */

const CONNECT_MS = 5_000;
const FORGET_MS = 120_000;
const POLL_MS = 1_000;

/** The node's progress into the cluster. A node that was removed from it forgets the cluster, so that it can join again. */
export async function presentStatus(
  connect: ConnectGuest,
  inputs: MembershipInputs,
  connectNode: () => Promise<Guest>,
  context: Context,
): Promise<ClusterStatus> {
  const status = await inGuest(connectNode, (guest) => clusterStatus(guest, context));
  if (!wasMember(status) || !(await isRemoved(connect, inputs, context))) return status;
  const { node } = inputs;
  context.log("warning", `${node} was removed from the cluster while its machine stayed: it joins again`);
  return inGuest(connectNode, async (guest) => {
    await mustRun(guest, forgetCluster, `remove what ${node} knows of the cluster`, context, { timeoutMs: FORGET_MS });
    return clusterStatus(guest, context);
  });
}

/** A member of etcd has data only after the others have admitted it. */
const wasMember = ({ phase, order, etcdData }: ClusterStatus): boolean =>
  phase === "member" || (order === "join" && etcdData);

/** Waits for an answer: without a majority of etcd there is none, and then nothing on the node may change. */
async function isRemoved(connect: ConnectGuest, inputs: MembershipInputs, context: Context): Promise<boolean> {
  const end = Date.now() + deadlineMs(context);
  const show = progress(context, inputs.node);
  for (;;) {
    try {
      return await askAnyMaster(connect, inputs, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (Date.now() + POLL_MS >= end) throw error;
      show(error instanceof Error ? error.message : String(error));
      await sleep(POLL_MS, undefined, { signal: context.signal });
    }
  }
}

/** The others first. One that was removed itself cannot answer for etcd. */
async function askAnyMaster(connect: ConnectGuest, inputs: MembershipInputs, context: Context): Promise<boolean> {
  const { node, masters } = inputs;
  const { signal } = context;
  const ordered = [...masters.filter(({ name }) => name !== node), ...masters.filter(({ name }) => name === node)];
  let failure: unknown = new Error(`no master of ${inputs.stack} says whether ${node} is a member`);
  for (const { connection } of ordered) {
    try {
      const connectMaster = () => connect(connection, { deadlineMs: CONNECT_MS, signal });
      return await inGuest(connectMaster, (guest) => isRemovedFor(guest, inputs, context));
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** A removal begins with etcd, so a member of it that is still listed was not removed. */
async function isRemovedFor(master: Guest, inputs: MembershipInputs, context: Context): Promise<boolean> {
  const { node, roles, connection } = inputs;
  if (roles.includes("etcd")) {
    const members = await mustRun(master, listMembers, "list the members of etcd", context);
    return !isListed(members, node, connection.address);
  }
  const get = ["kubectl", KUBECONFIG, "get", "node", node, "--ignore-not-found", "--output=name"] as const;
  return (await mustRun(master, get, `look for the Node ${node}`, context)) === "";
}

const listMembers: readonly [string, ...string[]] = [
  ...(["/bin/bash", "-c", '. "$1"; etcd "$local_etcd" --command-timeout=5s member list --write-out=simple'] as const),
  ...["members", guestCommand("etcd-command")],
];

/** By name; one that was added and never started has none, but an address. Columns: id, status, name, peer URLs, client URLs, learner. */
function isListed(members: string, node: string, address: string): boolean {
  const rows = members.split("\n").map((line) => line.split(", "));
  return rows.some(([, , name, peer]) => name === node || peer === `https://${address}:${ports.etcdPeer}`);
}

/**
 * Data of a removed member of etcd never serve again. The kubelet of a master reaches the cluster by the API server of its own machine,
 * which needs etcd, and it starts no etcd before it has registered its Node: so it begins without an identity, and gets another by the join.
 * The order is removed before the phase: until both are gone, the node counts as a member, so that a killed run is repeated.
 */
const FORGET = `set -eu
data=$1 kubernetes=$2 state=$3
systemctl stop groundplane-cluster.service 'kubelet.servic[e]'
if [ -e "$data/member" ]; then
  # Nothing starts it again.
  rm -f "$kubernetes/manifests/etcd.yaml"
  systemctl stop 'etcd.servic[e]'
  while pkill --full "^etcd .*--data-dir=$data( |\\$)"; do
    if [ "$SECONDS" -ge 60 ]; then echo "etcd does not end" >&2; exit 1; fi
    sleep 0.2
  done
  rm -rf "$data/member"
fi
if [ -e "$kubernetes/kubelet.conf" ]; then
  rm -f /var/lib/kubelet/pki/kubelet-client-* "$kubernetes/kubelet.conf"
elif systemctl is-enabled --quiet kubelet.service 2>/dev/null; then
  # One that runs etcd alone, or a killed run has come so far; the join restarts it.
  systemctl start kubelet.service
fi
for name in order phase steps join-token; do rm -f "$state/$name"; done
`;

const forgetCluster: readonly [string, ...string[]] = [
  ...(["/bin/bash", "-c", FORGET, "leave"] as const),
  ...[guestPaths.etcdData, guestPaths.kubernetes, guestPaths.state],
];
