import { Command } from "commander";
import { ensureImages } from "../../image/build-images";
import { imageNamesOf } from "../checks/part-checks";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, say } from "../print";
import { readConfiguration } from "../project";

export function imageCommand(): Command {
  return new Command("image").description("what machines are made of").addCommand(buildCommand());
}

function buildCommand(): Command {
  return reportCommand("build", "build the stack's images where they are absent or damaged")
    .option("--verify", "read every byte of what is there")
    .action(async ({ stack, verify, json }: ReportOptions & { readonly verify?: boolean }) => {
      const { kubernetesVersion } = await readConfiguration(stack);
      const names = imageNamesOf(kubernetesVersion);
      const records = await ensureImages({ names, verify, signal: endedByUser(), progress: sayOnce() });
      if (json) printJson(records);
      else print(records.map(({ name, digest }) => `${name}  ${digest}`).join("\n"));
    });
}

/** Ctrl-C ends the build between two steps; what is finished stays. */
function endedByUser(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new Error("interrupted")));
  return controller.signal;
}

/** A line per piece of news. */
function sayOnce(): (progress: { readonly phase: string; readonly message: string }) => void {
  let last = "";
  return ({ phase, message }) => {
    const line = `${phase}: ${message}`;
    if (line !== last) say(line);
    last = line;
  };
}
