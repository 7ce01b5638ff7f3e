import type { Command } from "commander";
import { findTopic } from "../../explain/find-topic";
import { renderExplanation, renderTopics } from "../../explain/render";
import { type Subject, subjectOf } from "../../explain/subject";
import { topicsOf } from "../../explain/topics";
import { localHost } from "../../host/local-host";
import { rememberedDriver } from "../../hypervisors/choice/stack-driver";
import { featuresOf, isDriverName } from "../../model/drivers";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { painterFor } from "../colours";
import { describeCommands } from "../describe-commands";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readConfiguration } from "../project";

const DEFAULT_COLUMNS = 80;

/** @param program the commands, which describe themselves */
export function explainCommand(program: () => Command): Command {
  return reportCommand(
    "explain [topic...]",
    "explain a role, node, unit, file, flow, fault, check, key or command of a stack; without a topic, list them",
  )
    .addHelpText(
      "after",
      [
        "",
        "It needs no running stack. Examples: explain master; explain balancer-1; explain haproxy.cfg; explain node gateway;",
        "explain master-2:/etc/hosts; explain flow api-balanced; explain fault balancer-kill; explain key options.failover.",
      ].join("\n"),
    )
    .action(async (words: readonly string[], { stack, json }: ReportOptions) => {
      const subject = await explainedStack(stack, program());
      const found = findTopic(topicsOf(subject), words);
      const appearance = { columns: process.stdout.columns ?? DEFAULT_COLUMNS, paint: painterFor(process.stdout) };
      if ("topic" in found) {
        const explanation = found.topic.explain();
        if (json) printJson(explanation);
        else print(renderExplanation(explanation, appearance));
      } else if (json) printJson(found.listed.map(({ kind, name, title }) => ({ kind, name, title })));
      else print(renderTopics(found.listed, appearance));
    });
}

export async function explainedStack(stack: string, program: Command): Promise<Subject> {
  const configuration = await readConfiguration(stack);
  // What `auto` will choose for a new stack is open: to find out takes seconds.
  const driver = (await rememberedDriver(localHost, stack)) ?? configuration.driver;
  const isInContainers = isDriverName(driver) ? featuresOf(driver).sharesKernel : undefined;
  return subjectOf(planDataCenter(configuration), describeCommands(program), isInContainers);
}
