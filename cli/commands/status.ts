import type { Command } from "commander";
import { isClusterNode } from "../../model/roles";
import { readStackOutputs } from "../../toolchain/run-pulumi/pulumi-command";
import { isHealthy, type MachineStatus, type StackStatus, stackStatus } from "../../verify/stack-status";
import { driverOf } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, table } from "../print";

export function statusCommand(): Command {
  return reportCommand(
    "status",
    "show the stack's machines, nodes and API; exit code 1 when something is missing",
  ).action(async ({ stack, json }: ReportOptions) => {
    const hypervisor = await driverOf(stack);
    const status = await stackStatus(stack, await readStackOutputs(stack), hypervisor);
    if (json) printJson({ ...status, healthy: isHealthy(status) });
    else print(renderStatus(status));
    if (!isHealthy(status)) process.exitCode = 1;
  });
}

export function renderStatus({ stack, driver, api, machines }: StackStatus): string {
  const head = ["NODE", "ADDRESS", "POWER", "SERVICES", "KUBERNETES"];
  const rows = machines.map((machine) => [
    machine.name,
    machine.address,
    machine.power,
    machine.ready ? "ready" : firstLine(machine.reason),
    kubernetesOf(machine),
  ]);
  const answer = api.ready ? "answers" : `does not answer: ${api.reason}`;
  return [`${stack} on ${driver}; API ${api.endpoint} ${answer}`, "", table([head, ...rows])].join("\n");
}

function kubernetesOf({ kubernetes, roles }: MachineStatus): string {
  if (kubernetes) return `${kubernetes.ready ? "Ready" : "not Ready"} ${kubernetes.version}`;
  return isClusterNode(roles) ? "unknown" : "";
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
