import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { appendConsole, readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { etcdProblem, isRemoved, mayLeave } from "./fake-etcd";
import { hasEtcd, isEtcdMachine, mastersOf } from "./fake-masters";
import { advance, asMember, change, failed, ok, registerAgain } from "./fake-members";
import { isStopped } from "./fake-moved-etcd";
import { type Cluster, clusterFile, type NodeState, nodeFile, readNode, releaseOf } from "./fake-nodes";
import { formVolume, runFakeScript } from "./fake-scripts";
import type { RunOptions, RunResult } from "./guest-ssh";

/** Implements the guest commands with a cluster in a file: its members, and the machine generation that each joined with. */

/** Of a command that prints why not. */
const answerOf = (problem: string | undefined): RunResult => (problem === undefined ? ok() : failed(problem));

type Command = (node: MachineName, args: readonly string[], options: RunOptions) => Promise<RunResult>;

const COMMANDS: Readonly<Record<string, Command>> = {
  "node-ready": async (node) => {
    if (await isRemoved(node)) return failed("etcd is not healthy: the member has been removed from the cluster");
    if (await isStopped(node)) return failed("the API server is not ready");
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
  "forget-node": (node, [name = ""]) =>
    change(node, (cluster) => {
      const { [name]: _gone, ...nodes } = cluster.nodes;
      const { [name]: _removed, ...members } = cluster.members ?? {};
      const cordoned = cluster.cordoned?.filter((each) => each !== name);
      return { ...cluster, nodes, ...(cluster.members && { members }), ...(cordoned && { cordoned }) };
    }),
  "may-leave": async (node, [leaving = ""]) => answerOf(await mayLeave(node, leaving, await asMember(node))),
  "etcd-complete": async (node, names) => answerOf(await etcdProblem(node, names, await asMember(node))),
  timeout: (node, [, ...argv], options) => runInFakeGuest(node, argv, options),
  "cluster-ready": async (node, args) => {
    const cluster = await asMember(node);
    const names = args.filter((arg) => !arg.startsWith("--except="));
    for (const name of names) {
      if (!(await isNodeReady(cluster, node, name))) return failed(`node ${name} is not Ready`);
      // A pod that may run on no other node.
      if (cluster?.cordoned?.includes(name)) return failed(`pod kube-system/coredns is Pending: ${name} is cordoned`);
    }
    return ok();
  },
  "form-storage-pool": (node) => formVolume(node),
  "follow-clients": async () => ok(), // it has no API server
  "follow-corosync-key": async () => ok(), // it has no Corosync
  ...{ "etcd-authority": async () => ok(), "front-proxy-authority": async () => ok() }, // it has no certificates
  ...{ "kubernetes-authority": async () => ok(), "follow-authority": async () => ok() }, // the same
  "renew-certificates": async () => ok(), // the same
  ...{ "follow-keys": async () => ok(), "renew-secrets": async () => ok(), "renew-tokens": async () => ok() },
  gluster: async () => ok("Total Number of entries: 0\n"),
  "drain-node": (node, [name = ""]) =>
    change(node, (cluster) => ({ ...cluster, cordoned: [...new Set([...(cluster.cordoned ?? []), name])] })),
  kubectl: async (node, args) => {
    if (args.includes("secret")) return deleteToken(node, args);
    if (args.includes("daemonsets,deployments")) return ok(); // not simulated
    if (args.includes("uncordon")) {
      const isOther = (name: string) => name !== args.at(-1);
      return change(node, (cluster) => ({ ...cluster, cordoned: cluster.cordoned?.filter(isOther) ?? [] }));
    }
    if (args.some((arg) => /^(?:label|taint|patch)$/.test(arg))) return ok(); // not simulated
    if (args.includes("--output=json")) return ok(JSON.stringify({ metadata: { name: args[3] } }));
    const name = args.find((arg) => arg.startsWith("node/"))?.slice("node/".length) ?? "";
    const cluster = await asMember(node);
    if (cluster && args.includes("--ignore-not-found"))
      return ok(cluster.nodes[args[3] ?? ""] === undefined ? "" : `node/${args[3]}\n`);
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
  const hasBegun = state.etcdData && (state.order === "first" || state.order === "other");
  if (order === "join" && hasBegun) return failed("this master has begun a bootstrap");
  const phase = order === "join" ? "joining" : "bootstrapping";
  const isMember = hasEtcd(await readMachine(localHost, node));
  const isNew = order === "first" && isMember && !state.etcdData;
  if (isNew) await writeJson(clusterFile(node.stack), { id: randomUUID(), nodes: {} });
  const etcdData = isMember && (order !== "join" || state.etcdData);
  await writeJson(nodeFile(node), { ...state, order, phase, etcdData, error: "", token });
  return ok();
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

const isNodeReady = async (cluster: Cluster | undefined, node: MachineName, name: string): Promise<boolean> =>
  cluster?.nodes[name] !== undefined && (await readMachine(localHost, { ...node, name }))?.power === "running";
