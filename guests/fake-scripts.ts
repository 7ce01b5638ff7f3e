import { createHash } from "node:crypto";
import { localHost } from "../host/local-host";
import { readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { guestPaths } from "../model/guest-paths";
import { etcdMembersOf, hasEtcd } from "./fake-masters";
import type { RunResult } from "./guest-ssh";

/** Scripts on standard input that commands send to a node; a simulated node knows them by their arguments. */

type Cluster = Parameters<typeof etcdMembersOf>[0];

/** @param cluster whose member the node is */
export async function runFakeScript(
  node: MachineName,
  args: readonly string[],
  cluster: Cluster | undefined,
): Promise<RunResult> {
  if (args.includes(guestPaths.etcdSnapshot)) return takeSnapshot(node, cluster);
  // The questions of `status`: a simulated machine has services, and nothing else to tell.
  const stdout = args.flatMap((question) => (question === "services" ? [`@ask ${question}\n@end 0\n`] : [])).join("");
  return { code: 0, stdout, stderr: "" };
}

const PAGE = 4096;

/** The cluster's record takes the place of etcd's database. The text has one character for each byte. */
async function takeSnapshot(node: MachineName, cluster: Cluster | undefined): Promise<RunResult> {
  if (!cluster || !hasEtcd(await readMachine(localHost, node)))
    return failed("etcdctl: dial tcp 127.0.0.1:2379: connection refused");
  const members = await etcdMembersOf(cluster, node.stack);
  const machines = await Promise.all(members.map((name) => readMachine(localHost, { ...node, name })));
  const running = machines.filter((machine) => machine?.power === "running").length;
  if (running * 2 <= members.length) return failed("Error: context deadline exceeded");
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

const failed = (stderr: string): RunResult => ({ code: 1, stdout: "", stderr });
