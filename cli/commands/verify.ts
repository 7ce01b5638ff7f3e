import { type Command, InvalidArgumentError } from "commander";
import { writeUserFile } from "../../host/file-store";
import { interruptibly } from "../../host/interruption";
import type { VerifyReport } from "../../model/contract-report";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { apiClient } from "../../verify/api-client";
import type { Fault } from "../../verify/fault";
import { faults } from "../../verify/faults/all";
import { refusedFaults } from "../../verify/refuse-faults";
import { renderTimeline } from "../../verify/render-timeline";
import { renderMarkdown, renderTable, withoutSamples } from "../../verify/report";
import { runVerify } from "../../verify/run-verify";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { print, say, table } from "../print";
import { readConfiguration } from "../project";

interface VerifyCommandOptions extends StackOptions {
  readonly rounds: number;
  readonly minutes: number;
  readonly only?: readonly Fault[];
  readonly json?: string;
  readonly markdown?: string;
  readonly svg?: string;
}

export function verifyCommand(): Command {
  return stackCommand("verify", "inject faults into a running stack and measure what its clients notice")
    .option("--rounds <n>", "number of rounds of each fault", parseCount, 1)
    .option("--minutes <n>", "how long `saturation` lasts", parseCount, 10)
    .option("--only <faults>", "these faults only, separated by commas", parseFaults)
    .option("--json <file>", "write what was measured as JSON")
    .option("--markdown <file>", "write it as a Markdown table")
    .option("--svg <file>", "write the worst outage of each fault as a drawing")
    .addHelpText("after", `\nFaults:\n${table(faults.map(({ name, what }) => [`  ${name}`, what]))}`)
    .addHelpText("after", "\nExit code 1 when a target is missed. The stack is restored afterwards, even after Ctrl-C.")
    .action(async (options: VerifyCommandOptions) => {
      const report = await verify(options);
      print(table(renderTable(report)));
      if (options.json) await writeUserFile(options.json, `${JSON.stringify(withoutSamples(report), null, 2)}\n`);
      if (options.markdown) await writeUserFile(options.markdown, renderMarkdown(report));
      if (options.svg) await writeUserFile(options.svg, renderTimeline(report));
      if (!report.met) process.exitCode = 1;
    });
}

async function verify({ stack, rounds, minutes, only }: VerifyCommandOptions): Promise<VerifyReport> {
  const configuration = await readConfiguration(stack);
  const hypervisor = await driverOf(stack);
  const refused = refusedFaults(configuration, hypervisor);
  if (refused) throw refused;
  const outputs = await readOutputs(stack);
  return interruptibly(stack, (signal) =>
    runVerify({
      plan: planDataCenter(configuration),
      api: apiClient(outputs.kubeconfig),
      faults: only ?? faults.filter(({ onlyWhenNamed }) => !onlyWhenNamed),
      ...{ outputs, hypervisor, signal, say, rounds, minutes },
    }),
  );
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("must be a whole number from 1 to 999.");
  return Number(text);
}

function parseFaults(text: string): readonly Fault[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name));
  if (unknown.length > 0) throw new InvalidArgumentError(`unknown fault: ${unknown.join(", ")}; see --help.`);
  return faults.filter(({ name }) => names.includes(name));
}
