import { type Command, Option } from "commander";
import { type DiagramFormat, diagramFormats, renderDiagram } from "../../review/render-diagram";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readPlan } from "../project";

export function diagramCommand(): Command {
  return reportCommand("diagram", "draw the data centre's topology, planned from its configuration")
    .addOption(new Option("--format <format>", "output format").choices(diagramFormats).default("text"))
    .action(async ({ stack, format, json }: ReportOptions & { readonly format: DiagramFormat }) => {
      const plan = await readPlan(stack);
      if (json) printJson(plan);
      else print(renderDiagram(plan, format));
    });
}
