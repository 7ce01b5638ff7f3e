import type { Command } from "commander";
import { connectAnyGuest, connectionOf } from "../../guests/connect-guest";
import { closeGuests } from "../../guests/guest-ssh";
import type { Hypervisor, MachineName, PowerState } from "../../hypervisors/hypervisor";
import { guestCommand } from "../../model/guest-paths";
import { majorityOf } from "../../model/pool-change";
import { isClusterNode, type Role, storedRoles } from "../../model/roles";
import { findNode, type InventoryEntry, type StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { apiClient } from "../../verify/api-client";
import { ask, isReady, type NodeObject } from "../../verify/health/cluster-state";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";

interface FenceOptions extends StackOptions {
  readonly force?: boolean;
  readonly undo?: boolean;
}

const COMMAND_MS = 60_000;

export function fenceCommand(): Command {
  return stackCommand(
    "fence <node>",
    "power off a lost node, so that Kubernetes moves all its pods and volumes to other nodes, also those of StatefulSets",
  )
    .option(
      "--force",
      "also when the node is Ready, or when etcd loses its majority; with --undo, also when it is not Ready",
    )
    .option("--undo", "make the node usable again now; without it, this happens after its machine has booted again")
    .action((name: string, options: FenceOptions) => fence(name, options).finally(closeGuests));
}

async function fence(name: string, { stack, force = false, undo = false }: FenceOptions): Promise<void> {
  const outputs = await readOutputs(stack);
  const node = findNode(outputs, name);
  const hypervisor = await driverOf(stack);
  const machines = await lookAt(stack, outputs, hypervisor);
  const ready = await isNodeReady(outputs, node.name);
  const question = { name: node.name, machines, ready, force };
  const refusal = undo ? refuseUndo(question) : refuseFence(question);
  if (refusal) throw refusal;
  const masters = mastersBeside(node.name, machines).map((master) => findNode(outputs, master));
  if (undo) {
    await onMasters(masters, outputs, [guestCommand("fence-node"), node.name, "undo"]);
    return say(`${node.name} is no longer fenced`);
  }
  await cutPower(hypervisor, { stack, name: node.name });
  await onMasters(masters, outputs, [guestCommand("fence-node"), node.name]);
  // Started by another process meanwhile: its pods must not run twice.
  if ((await hypervisor.inspectMachine({ stack, name: node.name }))?.power === "running") {
    await onMasters(masters, outputs, [guestCommand("fence-node"), node.name, "undo"]);
    throw new UserError(
      "fence-undone",
      `${node.name} was started while it was fenced`,
      "find out which user or program started it, and try again",
    );
  }
  say(`${node.name} is off and fenced; its pods start on other nodes within a minute`);
  say(
    `\`npx groundplane start --stack ${stack}\` or \`pulumi up\` brings it back, and ends the fence when it is Ready`,
  );
}

export interface FenceQuestion {
  readonly name: string;
  readonly machines: readonly SeenMachine[];
  /** Its Node is Ready. */
  readonly ready: boolean;
  readonly force: boolean;
}

export interface SeenMachine {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly power: PowerState | "absent";
}

/** Why the node cannot be fenced, or not without `--force`. Pure. */
export function refuseFence({ name, machines, ready, force }: FenceQuestion): UserError | undefined {
  const machine = machines.find((each) => each.name === name);
  const roles = rolesOf(name, machines);
  if (!isClusterNode(roles)) return notANode(name);
  if (mastersBeside(name, machines).length === 0) return noOtherMaster(name);
  if (force || machine?.power !== "running") return undefined;
  if (ready) {
    return new UserError(
      "node-ready",
      `${name} is running and Ready: a fence would cut the power of a working node`,
      `drain it (\`kubectl drain ${name} --ignore-daemonsets\`), or repeat with --force`,
    );
  }
  return roles.includes("etcd") ? refuseQuorumLoss(name, machines) : undefined;
}

function refuseQuorumLoss(name: string, machines: readonly SeenMachine[]): UserError | undefined {
  const members = machines.filter(({ roles }) => roles.includes("etcd"));
  const left = members.filter((member) => member.name !== name && member.power === "running").length;
  if (left >= majorityOf(members.length)) return undefined;
  return new UserError(
    "quorum-at-risk",
    `without ${name}, ${left} of ${members.length} etcd members would be running, and ${majorityOf(members.length)} must be`,
    "start the other masters first (`pulumi up`), or repeat with --force",
  );
}

/** Why the fence cannot end yet. Pure. */
export function refuseUndo({ name, machines, ready, force }: FenceQuestion): UserError | undefined {
  if (!isClusterNode(rolesOf(name, machines))) return notANode(name);
  if (mastersBeside(name, machines).length === 0) return noOtherMaster(name);
  if (force || ready) return undefined;
  return new UserError(
    "node-not-ready",
    `${name} is not Ready: pods would be assigned to it and not start`,
    "start it (`pulumi up`): the fence ends by itself when it is Ready; or repeat with --force",
  );
}

const rolesOf = (name: string, machines: readonly SeenMachine[]): readonly Role[] =>
  machines.find((each) => each.name === name)?.roles ?? [];

const notANode = (name: string): UserError =>
  new UserError("not-a-node", `${name} is no node of the cluster: no pods run on it`, "name a master or worker");

const noOtherMaster = (name: string): UserError =>
  new UserError("no-master", `no master beside ${name} is running`, "start a master first: pulumi up");

const mastersBeside = (name: string, machines: readonly SeenMachine[]): readonly string[] =>
  machines
    .filter((each) => each.name !== name && each.power === "running" && each.roles.includes("master"))
    .map((each) => each.name);

const lookAt = (stack: string, outputs: StackOutputs, hypervisor: Hypervisor): Promise<readonly SeenMachine[]> =>
  Promise.all(
    outputs.inventory.map(async (entry): Promise<SeenMachine> => {
      const state = await hypervisor.inspectMachine({ stack, name: entry.name });
      return { name: entry.name, roles: storedRoles(entry), power: state?.power ?? "absent" };
    }),
  );

/** @throws UserError `no-api`: without it, the cluster cannot move pods */
async function isNodeReady({ kubeconfig }: StackOutputs, name: string): Promise<boolean> {
  const nodes = await ask<{ readonly items: readonly NodeObject[] }>(apiClient(kubeconfig), "/api/v1/nodes");
  if ("value" in nodes) return nodes.value.items.some((node) => node.metadata.name === name && isReady(node));
  throw new UserError(
    "no-api",
    `the cluster cannot move pods: ${nodes.reason}`,
    "see `npx groundplane status`, repair the API first, and repeat",
  );
}

/** @throws UserError `machine-not-off`: without certainty, the cluster must not be changed */
async function cutPower(hypervisor: Hypervisor, machine: MachineName): Promise<void> {
  const power = async () => (await hypervisor.inspectMachine(machine))?.power;
  if ((await power()) === "running") {
    say(`cutting the power of ${machine.name}`);
    if (hypervisor.hardKill) await hypervisor.hardKill.hardKill(machine);
    else await hypervisor.stopMachine(machine, 0);
  }
  if ((await power()) !== "running") return;
  throw new UserError(
    "machine-not-off",
    `${machine.name} still runs after its power was cut; the cluster was not changed`,
    "look at the hypervisor, and try again when the machine is off",
  );
}

/**
 * Runs a command on every master that responds: each of them can end the fence later, even if the others are lost.
 *
 * @throws UserError `not-fenced` when it succeeds on none
 */
async function onMasters(
  masters: readonly InventoryEntry[],
  outputs: StackOutputs,
  argv: readonly string[],
): Promise<void> {
  const reasons: string[] = [];
  for (const master of masters) {
    const { name } = master;
    try {
      const guest = await connectAnyGuest(connectionOf(master, outputs), { signal: AbortSignal.timeout(COMMAND_MS) });
      const { code, stdout, stderr } = await guest.run(argv, { timeoutMs: COMMAND_MS });
      if (code !== 0) reasons.push(`${name}: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`);
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (reasons.length < masters.length) return;
  const problem = `no master could change the cluster: ${reasons.join("; ")}`;
  throw new UserError("not-fenced", problem, "see `npx groundplane status`, then repeat");
}
