import { readIfPresent, writeJson } from "../host/file-store";
import { localHost } from "../host/local-host";
import { appendConsole, consoleFile } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { nodeFile, readNode } from "./fake-nodes";
import type { RunOptions, RunResult } from "./guest-ssh";

/** How the data of the only member of etcd get to another system disk of a simulated machine. */

/** A line of the console, which begins again with each start of the machine. */
const stopped = "the control plane has stopped";

/** Whether the control plane was told to stop since the machine has started. */
export async function isStopped(node: MachineName): Promise<boolean> {
  return ((await readIfPresent(consoleFile(localHost, node))) ?? "").split("\n").includes(stopped);
}

export async function takeData(node: MachineName): Promise<RunResult> {
  if (!(await isStopped(node))) await appendConsole(localHost, node, stopped);
  const { etcdData, memberId, writes } = await readNode(node);
  if (!etcdData) return { code: 1, stdout: "", stderr: "this machine has no data of etcd" };
  return { code: 0, stdout: JSON.stringify({ memberId, writes }), stderr: "" };
}

export async function putData(node: MachineName, { input }: RunOptions): Promise<RunResult> {
  const chunks: Buffer[] = [];
  for await (const chunk of input ?? []) chunks.push(Buffer.from(chunk));
  const state = await readNode(node);
  if (state.order !== "none") return { code: 1, stdout: "", stderr: "this machine has its order" };
  await writeJson(nodeFile(node), { ...state, ...JSON.parse(Buffer.concat(chunks).toString("utf8")), etcdData: true });
  return { code: 0, stdout: "", stderr: "" };
}
