import type { PhaseTime } from "../../host/progress-lines";
import { guestPaths } from "../../model/guest-paths";
import type { StackOutputs } from "../../model/stack-outputs";

export interface Summary {
  readonly stack: string;
  readonly isUnchanged: boolean;
  readonly outputs: Pick<StackOutputs, "apiEndpoint" | "inventory">;
  readonly kubeconfig: string;
  readonly times: readonly PhaseTime[];
}

/** The last thing that `npm start` says. */
export function formatSummary({ stack, isUnchanged, outputs, kubeconfig, times }: Summary): string {
  const label = (name: string, value: string): string => `  ${name.padEnd(14)} ${value}`;
  const master = outputs.inventory.find(({ role }) => role === "master")?.name ?? "master-1";
  const option = stack === "lab" ? "" : ` --stack ${stack}`;
  const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    isUnchanged ? `${stack} is up, nothing was to be done.` : `${stack} is up.`,
    "",
    label("API", outputs.apiEndpoint),
    label("kubeconfig", kubeconfig),
    label("machines", String(outputs.inventory.length)),
    "",
    ...times.map(({ phase, seconds }) => label(phase, formatSeconds(seconds))),
    label("together", formatSeconds(total)),
    "",
    "Try next:",
    `  npx groundplane status${option}`,
    `  npx groundplane ssh ${master}${option} -- kubectl --kubeconfig ${guestPaths.adminKubeconfig} get nodes`,
    `  npx groundplane destroy${option}`,
    "",
  ].join("\n");
}

export const formatSeconds = (seconds: number): string => `${seconds.toFixed(1).padStart(7)} s`;
