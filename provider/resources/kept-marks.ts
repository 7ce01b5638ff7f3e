import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import type { Context } from "../rpc/resource-handler";
import { KUBECONFIG, mustRun } from "./cluster-command";

/**
 * Labels, annotations and taints of a Node. A join deletes the Node of its name, and with it what users have added. They are kept in
 * the stack's folder until the node has joined again.
 */
interface Marks {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** A user has cordoned it, before the roll did. */
  readonly unschedulable?: true;
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

interface NodeObject {
  readonly metadata: Partial<Pick<Marks, "labels" | "annotations">>;
  readonly spec?: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean };
}

export const keptMarksOf = (stack: string): string => path.join(stackFolder(stack), "kept-marks");
const fileOf = (stack: string, node: string): string => path.join(keptMarksOf(stack), `${node}.json`);

export const hasKeptMarks = (stack: string, node: string): Promise<boolean> => exists(fileOf(stack, node));

/** Does nothing if an interrupted roll has kept them: the Node may be another one by now. */
export async function keepMarks(master: Guest, stack: string, node: string, context: Context): Promise<void> {
  if (await readJson(fileOf(stack, node))) return;
  const marks = await readMarks(master, node, context);
  if (marks) await writeJson(fileOf(stack, node), marks);
}

/** Gives the Node back what it lacks. What it has stays. */
export async function restoreMarks(master: Guest, stack: string, node: string, context: Context): Promise<void> {
  const kept = await readJson<Marks>(fileOf(stack, node));
  const present = kept && (await readMarks(master, node, context));
  const patch = present && patchOf(kept, present);
  if (!patch) return;
  const argv = ["kubectl", KUBECONFIG, "patch", "node", node, "--type=merge", "--patch-file=/dev/stdin"] as const;
  await mustRun(master, argv, `label ${node} as before`, context, { stdin: JSON.stringify(patch) });
}

export async function forgetMarks(stack: string, node: string): Promise<void> {
  await removeTree(fileOf(stack, node));
  await removeIfEmpty(keptMarksOf(stack));
}

async function readMarks(master: Guest, node: string, context: Context): Promise<Marks | undefined> {
  const argv = ["kubectl", KUBECONFIG, "get", "node", node, "--ignore-not-found", "--output=json"] as const;
  const text = await mustRun(master, argv, `read the Node ${node}`, context);
  if (text === "") return undefined;
  const { metadata, spec } = JSON.parse(text) as NodeObject;
  const { labels = {}, annotations = {} } = metadata;
  // Kubernetes sets these itself, by the state of the node.
  const taints = (spec?.taints ?? []).filter(({ key }) => !key.startsWith("node.kubernetes.io/"));
  return { labels, annotations, taints, ...(spec?.unschedulable && { unschedulable: true }) };
}

/** A merge patch; a list in it replaces the present one. `undefined`: nothing is missing. */
function patchOf(kept: Marks, present: Marks): object | undefined {
  const labels = missing(kept.labels, present.labels);
  const annotations = missing(kept.annotations, present.annotations);
  const isPresent = (taint: Taint) =>
    present.taints.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const taints = kept.taints.filter((taint) => !isPresent(taint));
  const spec = {
    ...(taints.length > 0 && { taints: [...present.taints, ...taints] }),
    ...(kept.unschedulable && !present.unschedulable && { unschedulable: true }),
  };
  if ([labels, annotations, spec].every((one) => Object.keys(one).length === 0)) return undefined;
  return { metadata: { labels, annotations }, ...(Object.keys(spec).length > 0 && { spec }) };
}

const missing = (
  kept: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(kept).filter(([key]) => !Object.hasOwn(present, key)));
