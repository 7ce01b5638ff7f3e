import { closeGuests } from "../guests/guest-ssh";
import { clearFaults, markedFaults, markFaults } from "../host/fault-mark";
import { defaultBalancer } from "../model/balancers";
import type { FaultReport, Timeline, VerifyReport } from "../model/contract-report";
import { UserError } from "../model/user-error";
import { createNamespace } from "./acknowledged-writes";
import type { Fault } from "./fault";
import { withFaultLock } from "./fault-lock";
import { idleHost } from "./idle-host";
import { connectLinks } from "./interrupted-faults";
import { Laboratory } from "./laboratory";
import type { LaboratoryParts } from "./laboratory-parts";
import { measuredAt } from "./measured-at";
import { lastingProblems, recoverStack, removeTraces } from "./stack-health";
import { summarizeMeasure } from "./statistics";

export interface VerifyOptions extends Omit<LaboratoryParts, "round" | "untilIdle"> {
  readonly faults: readonly Fault[];
  readonly rounds: number;
  /** Called when the measurement of a fault has ended, and the stack is restored. */
  readonly onRestoring?: () => void;
}

/**
 * Injects every fault once per round and restores the stack after each fault, also after an interruption.
 *
 * @throws UserError `stack-unhealthy` before the first fault, `faults-running` while another process injects faults into this stack
 */
export const runVerify = (options: VerifyOptions): Promise<VerifyReport> =>
  withFaultLock(options.plan.stack, () => measure(options));

async function measure(options: VerifyOptions): Promise<VerifyReport> {
  const { plan, outputs, api, say } = options;
  const origin = await measuredAt();
  if ((origin.load ?? 0) > BUSY) say(`the host is busy, times will be too long: load per core ${origin.load}`);
  // Recovery continues after the user interrupts the measurement.
  const untilIdle = idleHost();
  const restoring = new Laboratory({ ...options, untilIdle, round: 0, signal: new AbortController().signal });
  try {
    // A former process may have been killed in the middle of a fault.
    if ((await markedFaults(plan.stack)) !== undefined) await connectLinks(plan.stack, options.hypervisor);
    const missing = await lastingProblems(restoring, outputs);
    if (missing.length > 0) throw unhealthyStack(plan.stack, missing);
    await createNamespace(api);
    await markFaults(
      plan.stack,
      options.faults.map(({ name }) => name),
    );
    const faults: FaultReport[] = [];
    try {
      for (const fault of options.faults) {
        const report = await measureFault(fault, { ...options, untilIdle }, restoring);
        faults.push(report);
        if (report.broken !== undefined) break;
      }
    } finally {
      say(`restoring ${plan.stack}`);
      options.onRestoring?.();
      // A stack that did not recover is left as it is; the report contains the reason and all figures so far.
      if (faults.at(-1)?.broken === undefined) {
        await recoverStack(restoring, outputs);
        await removeTraces(restoring);
        await clearFaults(plan.stack);
      }
    }
    return {
      ...{ stack: plan.stack, driver: options.hypervisor.name, movedBy: plan.balancing.movedBy },
      ...(plan.balancing.program === defaultBalancer ? {} : { balancer: plan.balancing.program }),
      ...{ rounds: options.rounds, minutes: options.minutes, ...origin, faults },
      met: faults.every(
        ({ failed, broken, results }) => (failed ?? broken) === undefined && results.every(({ met }) => met !== false),
      ),
    };
  } finally {
    if (!options.keepsConnections) await closeGuests();
  }
}

/** Load per core that other processes cause; an idle lab stays below it. */
const BUSY = 0.75;

async function measureFault(
  fault: Fault,
  options: VerifyOptions & Pick<LaboratoryParts, "untilIdle">,
  restoring: Laboratory,
): Promise<FaultReport> {
  const { plan, rounds, say, outputs } = options;
  const { name, what } = fault;
  const skipped = fault.inapplicable(plan);
  if (skipped !== undefined) {
    say(`${name}: skipped, ${skipped}`);
    return { name, what, skipped, results: [] };
  }
  const values = new Map<string, number[]>(fault.measures(plan).map((measure) => [measure.name, []]));
  let worst: Timeline | undefined;
  let longest = -1;
  let failed: string | undefined;
  let broken: string | undefined;
  for (let round = 1; round <= rounds && (failed ?? broken) === undefined; round++) {
    options.signal.throwIfAborted();
    const observations = await fault.run(new Laboratory({ ...options, round })).catch((error: Error) => {
      options.signal.throwIfAborted();
      // A failed fault must not discard the measurements of the others.
      failed = error.message;
      say(`${name} ${round}/${rounds}: failed, ${failed}`);
      return [];
    });
    for (const observation of observations) {
      for (const [measure, value] of Object.entries(observation.values)) values.get(measure)?.push(value);
      say(`${name} ${round}/${rounds}: ${described(observation.values, observation.timeline?.of)}`);
      const gap = observation.values["api-gap"] ?? 0;
      if (observation.timeline && gap > longest) [worst, longest] = [observation.timeline, gap];
    }
    options.onRestoring?.();
    await recoverStack(restoring, outputs).catch((error: Error) => {
      broken = error.message;
      say(`${name} ${round}/${rounds}: ${broken}`);
    });
  }
  const results = fault.measures(plan).flatMap((measure) => {
    const measured = values.get(measure.name) ?? [];
    return measured.length === 0 ? [] : [summarizeMeasure(name, measure, measured)];
  });
  return {
    name,
    what,
    results,
    ...(failed === undefined ? {} : { failed }),
    ...(broken === undefined ? {} : { broken }),
    ...(worst ? { worst } : {}),
  };
}

const described = (values: Readonly<Record<string, number>>, of: string | undefined): string =>
  [...Object.entries(values).map(([name, value]) => `${name} ${value}`), ...(of ? [`(${of})`] : [])].join(" ");

const unhealthyStack = (stack: string, missing: readonly string[]): UserError =>
  new UserError(
    "stack-unhealthy",
    `${stack} is unhealthy, so nothing was measured:\n${missing.map((line) => `  ${line}`).join("\n")}`,
    `\`npx groundplane start --stack ${stack}\` repairs it; after a start some pods need a minute`,
  );
