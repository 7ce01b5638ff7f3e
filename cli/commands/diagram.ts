import { type Command, Option } from "commander";
import { diagramFormats, renderDiagram } from "../../review/render-diagram";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { drawTopology } from "../../view/picture/draw-topology";
import { topologyOf } from "../../view/topology";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readPlan } from "../project";

const formats = [...diagramFormats, "svg", "svg-dark"] as const;
type Format = (typeof formats)[number];

export function diagramCommand(): Command {
  return reportCommand("diagram", "draw the data centre's topology, planned from its configuration")
    .addOption(new Option("--format <format>", "output format").choices(formats).default("text"))
    .action(async ({ stack, format, json }: ReportOptions & { readonly format: Format }) => {
      const plan = await readPlan(stack);
      if (json) printJson(plan);
      else print(draw(plan, format));
    });
}

function draw(plan: DataCenterPlan, format: Format): string {
  if (format === "text" || format === "mermaid") return renderDiagram(plan, format);
  return drawTopology(topologyOf(plan), format === "svg" ? "light" : "dark");
}
