import type { HealthCheckName } from "../../model/health-checks";
import type { CheckView, ViewState } from "./state";

/** Panels that show rows of the table of health checks with everything that was observed. */
export const checkPanels = {
  capacity: {
    title: "Capacity and use",
    checks: ["disk-room", "etcd-size"],
    none: "The file systems have not been asked.",
  },
  volume: {
    title: "Volume and heals",
    checks: ["bricks", "heals", "split-brain", "mounts"],
    none: "This stack has no storage machines.",
  },
  backups: {
    title: "Backups by the masters",
    checks: ["backups"],
    none: "The masters of this stack take none. `npx groundplane backup` takes one now.",
  },
} as const satisfies Readonly<Record<string, CheckPanel>>;

interface CheckPanel {
  readonly title: string;
  readonly checks: readonly HealthCheckName[];
  /** What it means that no row applies. */
  readonly none: string;
}

/** The rows that apply to the stack. */
export const rowsOf = ({ checks }: Pick<ViewState, "checks">, panel: CheckPanel): readonly CheckView[] =>
  panel.checks
    .flatMap((name) => checks.find(({ check }) => check === name) ?? [])
    .filter(({ state }) => state !== "inapplicable");

/** Everything that was observed of a row, by what it is about, in the order of the table. */
export function findingsByMachine({ findings }: CheckView): readonly (readonly [string, CheckView["findings"]])[] {
  const by = new Map<string, CheckView["findings"][number][]>();
  for (const finding of findings) by.set(finding.of, [...(by.get(finding.of) ?? []), finding]);
  return [...by];
}

const GIB = 1_024;

/** What the plan gives all machines together. */
export function plannedCapacity({ topology: { machines } }: Pick<ViewState, "topology">): string {
  const cpus = machines.reduce((sum, machine) => sum + machine.cpus, 0);
  const memory = machines.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0) / GIB;
  const disks = machines.reduce((sum, machine) => sum + machine.disks.length, 0);
  return `Planned for ${machines.length} machines: ${cpus} CPUs, ${memory.toFixed(1)} GiB of memory, ${disks} data disks.`;
}
