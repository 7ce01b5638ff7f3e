import { X509Certificate } from "node:crypto";
import { script } from "../../cloud-init/scripts/read-script";
import { administratorIn } from "../../guests/administrator";
import { connectAnyGuest, connectionOf } from "../../guests/connect-guest";
import { closeGuests } from "../../guests/guest-ssh";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { storedRoles } from "../../model/roles";
import type { InventoryEntry, StackOutputs } from "../../model/stack-outputs";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { apiClient } from "../api-client";
import { askAddOns } from "./add-on-answers";
import { readClusterObjects } from "./cluster-objects";
import { askCluster } from "./cluster-state";
import type { MachineAnswers } from "./findings";
import type { StackAnswers } from "./health-rows";
import { AnswerReader, type Question, questionsOf, volumeQuestions } from "./questions";

const RESPONSE_TIMEOUT_MS = 10_000;

export interface StackToAsk {
  readonly stack: string;
  readonly outputs: StackOutputs;
  readonly driver: Hypervisor;
  /** What the cluster's objects are compared with, or the reason that there is no plan. */
  readonly plan: DataCenterPlan | { readonly reason: string };
}

/** Asks the hypervisor, every machine in one SSH session, and the cluster, all at the same time. Changes nothing. */
export async function askStack(stack: StackToAsk): Promise<StackAnswers> {
  try {
    return await askOverOpenConnections(stack);
  } finally {
    await closeGuests();
  }
}

/** As `askStack`, for a caller that asks again: the connections to the machines stay open until `closeGuests`. */
export async function askOverOpenConnections({ stack, outputs, driver, plan }: StackToAsk): Promise<StackAnswers> {
  const api = apiClient(outputs.kubeconfig);
  const asked = outputs.inventory.map(async (node) => {
    const state = await driver.inspectMachine({ stack, name: node.name });
    const answers = await askMachine(node, outputs, state?.power ?? "absent", questionsOf(storedRoles(node)));
    return state ? { ...answers, image: state.spec.image } : answers;
  });
  const [machines, unfinished, volume, cluster, addOns, objects] = await Promise.all([
    Promise.all(asked),
    driver.snapshots?.unfinishedSnapshot(stack),
    askVolume(outputs, asked),
    askCluster(api),
    askAddOns(api),
    readClusterObjects(outputs.kubeconfig, plan),
  ]);
  const { apiEndpoint, inventory, kubeconfig } = outputs;
  const { endMs: administratorEndMs } = certificateIn(kubeconfig, "cert");
  const authority = certificateIn(kubeconfig, "ca");
  const found = { inventory, machines, unfinished, volume, cluster, addOns, objects };
  return { ...found, apiEndpoint, administratorEndMs, authority, nowMs: Date.now() };
}

/** The first storage machine that has answered is asked about the volume. */
async function askVolume(
  outputs: StackOutputs,
  asked: readonly Promise<MachineAnswers>[],
): Promise<MachineAnswers | undefined> {
  const storage = outputs.inventory.flatMap((node, index) =>
    storedRoles(node).includes("storage") ? [{ node, answers: asked[index] as Promise<MachineAnswers> }] : [],
  );
  if (storage.length === 0) return undefined;
  const present = storage.map(async ({ node, answers }) => {
    const machine = await answers;
    if (machine.answers.size === 0) throw new Error(machine.silence);
    return { node, power: machine.power };
  });
  const chosen = await Promise.any(present).catch(() => undefined);
  if (chosen) return askMachine(chosen.node, outputs, chosen.power, volumeQuestions);
  const [silent] = await Promise.all(storage.map(({ answers }) => answers));
  return silent && { ...silent, name: "storage", silence: "no storage machine responds" };
}

/** Never throws: a machine that does not respond is a result. */
export async function askMachine(
  node: InventoryEntry,
  outputs: StackOutputs,
  power: MachineAnswers["power"],
  questions: readonly Question[],
  timeoutMs = RESPONSE_TIMEOUT_MS,
): Promise<MachineAnswers> {
  const machine = { name: node.name, roles: storedRoles(node), power };
  if (power !== "running") return { ...machine, answers: new Map(), silence: `is ${power}` };
  const signal = AbortSignal.timeout(timeoutMs);
  let reader: AnswerReader | undefined;
  try {
    const guest = await connectAnyGuest(connectionOf(node, outputs), { signal });
    const current = new AnswerReader(Date.now());
    reader = current;
    const onLine = (line: string): void => current.read(line);
    const argv = ["/bin/bash", "-s", "--", ...questions];
    const { code, stderr } = await guest.run(argv, { stdin: script("health/answer"), signal, onLine });
    const silence = code === 0 ? "no answer" : stderr.trim() || `the questions ended with code ${code}`;
    return { ...machine, answers: current.answers, silence };
  } catch (error) {
    const silence = signal.aborted ? `no response within ${timeoutMs} ms` : (error as Error).message;
    return { ...machine, answers: reader?.answers ?? new Map(), silence };
  }
}

/** The first one. Its end is NaN when it cannot be read. */
function certificateIn(kubeconfig: string, part: "ca" | "cert"): StackAnswers["authority"] {
  try {
    const { subject, validTo } = new X509Certificate(administratorIn(kubeconfig)[part]);
    return { name: subject.split("\n").reverse().join(", "), endMs: Date.parse(validTo) };
  } catch {
    return { name: "", endMs: Number.NaN };
  }
}
