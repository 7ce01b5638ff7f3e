import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withFileLock } from "../host/file-lock";
import { writeJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { appendConsole, readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { etcdProblem, isRemoved, mayLeave } from "./fake-etcd";
import { hasEtcd, isEtcdMachine, isMaster, mastersOf } from "./fake-masters";
import { type Cluster, clusterFile, type NodeState, nodeFile, readCluster, readNode, releaseOf } from "./fake-nodes";
import { runFakeScript } from "./fake-scripts";
import type { RunOptions, RunResult } from "./guest-ssh";

/** Implements the guest commands with a cluster in a file: its members, and the machine generation that each joined with. */

const ok = (stdout = ""): RunResult => ({ code: 0, stdout, stderr: "" });
const failed = (stderr: string, code = 1): RunResult => ({ code, stdout: "", stderr });

/** Of a command that prints why not. */
const answerOf = (problem: string | undefined): RunResult => (problem === undefined ? ok() : failed(problem));

type Command = (node: MachineName, args: readonly string[], options: RunOptions) => Promise<RunResult>;

const COMMANDS: Readonly<Record<string, Command>> = {
  "node-ready": async (node) => {
    if (await isRemoved(node)) return failed("etcd is not healthy: the member has been removed from the cluster");
    await registerAgain(node);
    return ok();
  },
  "bootstrap-cluster": (node, [order]) => give(node, order as NodeState["order"]),
  "join-cluster": async (node, _args, { stdin }) => {
    if (isEtcdMachine(await readMachine(localHost, node))) return give(node, "join");
    const token = tokenId(stdin);
    return token === undefined ? failed("no token on standard input") : give(node, "join", token);
  },
  "cluster-wait": clusterWait,
  "cluster-status": async (node) => ok(`${JSON.stringify({ ...(await advance(node)), step: "" })}\n`),
  "cluster-id": async (node) => {
    const cluster = await asMember(node);
    return cluster ? ok(`${cluster.id}\n`) : failed("the API does not respond");
  },
  "renew-token": async (node, [minutes], { stdin }) => {
    const token = tokenId(stdin);
    if (token === undefined) return failed("no token on standard input");
    const until = Date.now() + Number(minutes) * 60_000;
    return change(node, (cluster) => ({ ...cluster, tokens: { ...cluster.tokens, [token]: until } }));
  },
  "forget-node": async (node, [name = ""]) => {
    // A machine that stays with its disk may register again; not simulated is that its etcd has ended.
    const { memberId } = await readNode({ ...node, name });
    return change(node, (cluster) => {
      const { [name]: _gone, ...nodes } = cluster.nodes;
      const { [name]: removed, ...members } = cluster.members ?? {};
      return { ...cluster, nodes, ...(cluster.members && removed !== memberId && { members }) };
    });
  },
  "may-leave": async (node, [leaving = ""]) => answerOf(await mayLeave(node, leaving, await asMember(node))),
  "etcd-complete": async (node, names) => answerOf(await etcdProblem(node, names, await asMember(node))),
  timeout: (node, [, ...argv], options) => runInFakeGuest(node, argv, options),
  "cluster-ready": async (node, names) => {
    const cluster = await asMember(node);
    for (const name of names) if (!(await isNodeReady(cluster, node, name))) return failed(`node ${name} is not Ready`);
    return ok();
  },
  "form-storage-pool": async () => ok(),
  gluster: async () => ok("Total Number of entries: 0\n"),
  "drain-node": (node) => change(node, (cluster) => cluster),
  kubectl: async (node, args) => {
    if (args.includes("secret")) return deleteToken(node, args);
    if (args.includes("daemonsets,deployments")) return ok(); // not simulated
    if (args.some((arg) => /^(?:label|taint|uncordon|patch)$/.test(arg))) return ok(); // not simulated
    if (args.includes("--output=json")) return ok(JSON.stringify({ metadata: { name: args[3] } }));
    const name = args.find((arg) => arg.startsWith("node/"))?.slice("node/".length) ?? "";
    const cluster = await asMember(node);
    if (cluster && args.includes("get")) {
      return ok((await mastersOf(cluster, node.stack)).map((master) => `node/${master}\n`).join(""));
    }
    return (await isNodeReady(cluster, node, name)) ? ok() : failed(`node ${name} is not Ready`);
  },
  kubeadm: async (node) => ok(`v${await releaseOf(node)}\n`),
  ...{ sh: async () => ok(), systemctl: async () => ok() },
  bash: async (node, args, options) => runFakeScript(node, args, options, await asMember(node)),
};

export async function runInFakeGuest(node: MachineName, argv: readonly string[], options: RunOptions) {
  const [program = "", ...args] = argv;
  const command = COMMANDS[path.basename(program)];
  if (!command) return failed(`${program}: not found; the commands are ${Object.keys(COMMANDS).join(", ")}`, 127);
  if (program !== "timeout") await appendConsole(localHost, node, `ran ${argv.join(" ")}`);
  return command(node, args, options);
}

const tokenId = (stdin: unknown): string | undefined => /^([a-z0-9]{6})\.[a-z0-9]{16}\n$/.exec(String(stdin))?.[1];

function deleteToken(node: MachineName, args: readonly string[]): Promise<RunResult> {
  const id = /bootstrap-token-(\w+)/.exec(args.join(" "))?.[1] ?? "";
  return change(node, (cluster) => {
    const { [id]: _gone, ...tokens } = cluster.tokens ?? {};
    return { ...cluster, tokens };
  });
}

/** Stores the order; `advance` acts on it. */
async function give(node: MachineName, order: NodeState["order"], token?: string): Promise<RunResult> {
  const state = await readNode(node);
  if (state.phase === "member") return ok();
  if (order === "join" && state.etcdData) return failed("this master has begun a bootstrap");
  const phase = order === "join" ? "joining" : "bootstrapping";
  const isMember = hasEtcd(await readMachine(localHost, node));
  const isNew = order === "first" && isMember && !state.etcdData;
  if (isNew) await writeJson(clusterFile(node.stack), { id: randomUUID(), nodes: {} });
  await writeJson(nodeFile(node), { ...state, order, phase, etcdData: isMember && order !== "join", error: "", token });
  return ok();
}

function advance(node: MachineName): Promise<NodeState> {
  return withFileLock(clusterFile(node.stack), async () => {
    const state = await readNode(node);
    if (state.phase !== "bootstrapping" && state.phase !== "joining") return state;
    const machine = await readMachine(localHost, node);
    const generation = machine?.made?.generation ?? "";
    const cluster = await readCluster(node);
    const tokenEnd = cluster?.tokens?.[state.token ?? ""] ?? 0;
    if (!cluster) return state;
    const ofEtcd = isEtcdMachine(machine);
    if (!ofEtcd && state.order === "join" && tokenEnd <= Date.now()) return state;
    const present = cluster.nodes[node.name];
    const next: NodeState =
      !ofEtcd && state.order === "join" && present && present !== generation
        ? { ...state, phase: "failed", error: `a Node ${node.name} of an earlier machine exists` }
        : {
            ...state,
            phase: "member",
            etcdData: hasEtcd(machine),
            ...(hasEtcd(machine) && { memberId: randomUUID() }),
          };
    if (next.phase === "member") {
      const nodes = { ...cluster.nodes, [node.name]: generation };
      const masters = [...new Set([...(cluster.masters ?? []), ...(isMaster(machine) ? [node.name] : [])])];
      const etcd = [...new Set([...(cluster.etcd ?? []), ...(ofEtcd ? [node.name] : [])])];
      const members = { ...cluster.members, ...(next.memberId !== undefined && { [node.name]: next.memberId }) };
      await writeJson(clusterFile(node.stack), {
        ...cluster,
        nodes,
        masters,
        members,
        ...(etcd.length > 0 && { etcd }),
      });
    }
    await writeJson(nodeFile(node), next);
    return next;
  });
}

async function clusterWait(
  node: MachineName,
  [seconds]: readonly string[],
  { signal }: RunOptions,
): Promise<RunResult> {
  const end = Date.now() + Number(seconds) * 1000;
  for (;;) {
    const { phase, error } = await advance(node);
    if (phase === "member") return ok("member of the cluster\n");
    if (phase === "failed") return failed(error);
    if (Date.now() >= end) return failed("timed out", 2);
    await sleep(20, undefined, { signal });
  }
}

/** A kubelet that starts with its credentials registers a Node that was deleted. */
async function registerAgain(node: MachineName): Promise<void> {
  const generation = (await readMachine(localHost, node))?.made?.generation;
  if ((await readNode(node)).phase !== "member" || generation === undefined) return;
  await withFileLock(clusterFile(node.stack), async () => {
    const cluster = await readCluster(node);
    if (!cluster || cluster.nodes[node.name] !== undefined) return;
    await writeJson(clusterFile(node.stack), { ...cluster, nodes: { ...cluster.nodes, [node.name]: generation } });
  });
}

const isNodeReady = async (cluster: Cluster | undefined, node: MachineName, name: string): Promise<boolean> =>
  cluster?.nodes[name] !== undefined && (await readMachine(localHost, { ...node, name }))?.power === "running";

async function asMember(node: MachineName): Promise<Cluster | undefined> {
  if ((await advance(node)).phase !== "member" || (await isRemoved(node))) return undefined;
  return readCluster(node);
}

function change(node: MachineName, next: (cluster: Cluster) => Cluster): Promise<RunResult> {
  return asMember(node).then((member) => {
    if (!member) return failed("the API does not respond");
    return withFileLock(clusterFile(node.stack), async () => {
      const cluster = await readCluster(node);
      if (cluster) await writeJson(clusterFile(node.stack), next(cluster));
      return ok();
    });
  });
}
