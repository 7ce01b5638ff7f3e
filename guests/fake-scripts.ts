import { createHash, randomUUID } from "node:crypto";
import * as path from "node:path";
import { listFolder, readBytes, readIfPresent, stampFile, writeFileAtomic, writeJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { restoreNames } from "../host/restore-mark";
import { leasesFile, volumeFile } from "../hypervisors/fake/fake-disks";
import { machineFolder, readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { guestPaths } from "../model/guest-paths";
import { ports } from "../model/ports";
import { etcdMembersOf, hasEtcd } from "./fake-masters";
import { putData, takeData } from "./fake-moved-etcd";
import { type Cluster, clusterFile, nodeFile, readNode } from "./fake-nodes";
import type { RunOptions, RunResult } from "./guest-ssh";

/** Scripts on standard input that commands send to a node; a simulated node knows them by their arguments. */

/** @param cluster whose member the node is */
export async function runFakeScript(
  node: MachineName,
  args: readonly string[],
  options: RunOptions,
  cluster: Cluster | undefined,
): Promise<RunResult> {
  const { stdin } = options;
  if (args.includes(guestPaths.etcdSnapshot)) return takeSnapshot(node, cluster);
  if (args.includes(guestPaths.etcdRestore)) return restore(node, args, stdin);
  if (args.includes(guestPaths.backups)) return keptBackups(node, args, stdin);
  if (args.includes(guestPaths.dhcpLeases)) return keptLeases(node, stdin);
  if (args.includes(guestPaths.glusterState)) return keptVolume(node, args, stdin);
  const [, , word, name = ""] = args;
  if (word === "members") return (await etcdFailure(node, cluster)) ?? ok(listMembers(cluster));
  if (word === "leave") return leave(node);
  if (word === "take-etcd") return takeData(node);
  if (word === "put-etcd") return putData(node, options);
  if (word === "list") return ok(await listBackups(node));
  if (word === "read") return readBackup(node, name);
  if (args.some((arg) => arg.includes("etcdctl"))) return (await etcdFailure(node, cluster)) ?? ok("");
  // The questions of `status`: a simulated machine has services, and nothing else to tell.
  const stdout = args.flatMap((question) => (question === "services" ? [`@ask ${question}\n@end 0\n`] : [])).join("");
  return ok(stdout);
}

/** As etcdctl lists them. */
const listMembers = (cluster: Cluster | undefined): string =>
  Object.entries(cluster?.members ?? {})
    .map(
      ([name, id]) =>
        `${id}, started, ${name}, https://${name}:${ports.etcdPeer}, https://${name}:${ports.etcdClient}, false\n`,
    )
    .join("");

/** A node that the cluster has removed is like one that never joined. */
async function leave(node: MachineName): Promise<RunResult> {
  await writeJson(nodeFile(node), { order: "none", phase: "waiting", etcdData: false, error: "" });
  return ok("");
}

const PAGE = 4096;

/** The cluster's record takes the place of etcd's database. The text has one character for each byte. */
async function takeSnapshot(node: MachineName, cluster: Cluster | undefined): Promise<RunResult> {
  const failure = await etcdFailure(node, cluster);
  if (!cluster || failure) return failure ?? failed("no cluster");
  const text = JSON.stringify(cluster);
  const database = Buffer.alloc(Math.ceil(text.length / PAGE) * PAGE);
  database.write(text, "latin1");
  const digest = createHash("sha256").update(database).digest();
  const answer = JSON.stringify({ header: { revision: Object.keys(cluster.nodes).length } });
  const status = JSON.stringify([{ Status: { version: "3.6.0" } }]);
  const sizeAndDigest = `${database.length + digest.length} ${digest.toString("hex")}`;
  const bytes = Buffer.concat([database, digest]).toString("latin1");
  return { code: 0, stdout: `${answer}\n${status}\n${sizeAndDigest}\n${bytes}`, stderr: "" };
}

/** Only tests put backups there: a simulated master has no timer. */
const backupsOf = (node: MachineName): string => path.join(machineFolder(localHost, node), "backups");

async function listBackups(node: MachineName): Promise<string> {
  const lines = (await listFolder(backupsOf(node))).map(async (name) => {
    const { bytes } = (await stampFile(path.join(backupsOf(node), name))) ?? { bytes: 0 };
    return `${name} ${bytes}\n`;
  });
  return (await Promise.all(lines)).join("");
}

async function readBackup(node: MachineName, name: string): Promise<RunResult> {
  const content = await readBytes(path.join(backupsOf(node), name));
  return content ? ok(content.toString("latin1")) : failed(`there is no ${name}`);
}

/** How a roll of images keeps the backups of a system disk. */
async function keptBackups(node: MachineName, args: readonly string[], stdin: RunOptions["stdin"]): Promise<RunResult> {
  const [, , word, , name = ""] = args;
  if (word === "read") return readBackup(node, name);
  if (word === "write") await writeFileAtomic(path.join(backupsOf(node), name), stdin ?? "", 0o600);
  return ok(word === "list" ? (await listFolder(backupsOf(node))).map((each) => `${each}\n`).join("") : "");
}

/** Only tests put leases there. */
async function keptLeases(node: MachineName, stdin: RunOptions["stdin"]): Promise<RunResult> {
  await writeFileAtomic(path.join(machineFolder(localHost, node), leasesFile), stdin ?? "", 0o644);
  return ok("");
}

const volumeOf = (node: MachineName): string => path.join(machineFolder(localHost, node), volumeFile);

async function keptVolume(node: MachineName, args: readonly string[], stdin: RunOptions["stdin"]): Promise<RunResult> {
  if (args.includes("return-volume")) await writeFileAtomic(volumeOf(node), stdin ?? "", 0o600);
  return ok((await readIfPresent(volumeOf(node))) ?? "");
}

/** A storage machine that knows no volume creates one. */
export async function formVolume(node: MachineName): Promise<RunResult> {
  if ((await readIfPresent(volumeOf(node))) === undefined) await writeFileAtomic(volumeOf(node), randomUUID(), 0o600);
  return ok("");
}

/** As etcdctl says that a read is not confirmed. */
async function etcdFailure(node: MachineName, cluster: Cluster | undefined): Promise<RunResult | undefined> {
  if (!cluster || !hasEtcd(await readMachine(localHost, node)))
    return failed(`etcdctl: dial tcp 127.0.0.1:${ports.etcdClient}: connection refused`);
  const members = await etcdMembersOf(cluster, node.stack);
  const machines = await Promise.all(members.map((name) => readMachine(localHost, { ...node, name })));
  const isMajority = machines.filter((machine) => machine?.power === "running").length * 2 > members.length;
  return isMajority ? undefined : failed("Error: context deadline exceeded");
}

/** Receives a file, or makes the received snapshot the cluster's record. */
async function restore(node: MachineName, args: readonly string[], stdin: RunOptions["stdin"]): Promise<RunResult> {
  const received = path.join(machineFolder(localHost, node), "etcd-restore");
  if (args[0] === "-c") {
    await writeFileAtomic(path.join(received, args[4] ?? ""), stdin ?? "", 0o600);
    return ok("");
  }
  const database = await readBytes(path.join(received, restoreNames.snapshot));
  if (!database) return failed("no snapshot");
  const record = JSON.parse(database.toString("latin1", 0, database.indexOf(0))) as Cluster;
  await writeJson(clusterFile(node.stack), record);
  await writeJson(nodeFile(node), { ...(await readNode(node)), etcdData: true });
  return ok("");
}

const ok = (stdout: string): RunResult => ({ code: 0, stdout, stderr: "" });
const failed = (stderr: string): RunResult => ({ code: 1, stdout: "", stderr });
