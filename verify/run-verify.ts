import { closeGuests } from "../guests/guest-ssh";
import type { FaultReport, Timeline, VerifyReport } from "../model/contract-report";
import { UserError } from "../model/user-error";
import { makeNamespace } from "./acknowledged-writes";
import type { Fault } from "./fault";
import { Laboratory, type LaboratoryParts } from "./laboratory";
import { measuredAt } from "./measured-at";
import { summarizeMeasure } from "./statistics";
import { forgetEverything, makeWhole, whatIsNotWhole } from "./wholeness";

export interface VerifyOptions extends Omit<LaboratoryParts, "round"> {
  readonly faults: readonly Fault[];
  readonly rounds: number;
}

/**
 * Makes every fault as often as there are rounds, and the stack whole after each, also after an interruption.
 *
 * @throws UserError `stack-not-whole` before anything is broken
 */
export async function runVerify(options: VerifyOptions): Promise<VerifyReport> {
  const { plan, outputs, api, say } = options;
  const origin = await measuredAt();
  if ((origin.load ?? 0) > BUSY) say(`the host is busy, times will be too long: load per core ${origin.load}`);
  // Recovery continues after the user interrupts the measurement.
  const restoring = new Laboratory({ ...options, round: 0, signal: new AbortController().signal });
  try {
    const missing = await whatIsNotWhole(restoring, outputs);
    if (missing.length > 0) throw notWhole(plan.stack, missing);
    await makeNamespace(api);
    const faults: FaultReport[] = [];
    try {
      for (const fault of options.faults) {
        const report = await measureFault(fault, options, restoring);
        faults.push(report);
        if (report.broken !== undefined) break;
      }
    } finally {
      say(`making sure that ${plan.stack} is as before`);
      // What was measured until now is told all the same; the report says what is broken.
      if (faults.at(-1)?.broken === undefined) {
        await makeWhole(restoring, outputs);
        await forgetEverything(restoring);
      }
    }
    return {
      ...{ stack: plan.stack, driver: options.hypervisor.name, movedBy: plan.balancing.movedBy },
      ...{ rounds: options.rounds, minutes: options.minutes, ...origin, faults },
      met: faults.every(
        ({ failed, broken, results }) => (failed ?? broken) === undefined && results.every(({ met }) => met !== false),
      ),
    };
  } finally {
    await closeGuests();
  }
}

/** Load per core that other processes cause; an idle lab stays below it. */
const BUSY = 0.75;

async function measureFault(fault: Fault, options: VerifyOptions, restoring: Laboratory): Promise<FaultReport> {
  const { plan, rounds, say, outputs } = options;
  const { name, what } = fault;
  const skipped = fault.impossible(plan);
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
      // One fault that cannot be measured takes the hour of the others with it otherwise.
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
    await makeWhole(restoring, outputs).catch((error: Error) => {
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

const notWhole = (stack: string, missing: readonly string[]): UserError =>
  new UserError(
    "stack-not-whole",
    `${stack} is not whole, so nothing could be measured:\n${missing.map((line) => `  ${line}`).join("\n")}`,
    `\`npx groundplane start --stack ${stack}\` mends it; some pods take a minute after a start`,
  );
