import { Command } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageNamesOf } from "../../image/checks";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, sayNews } from "../print";
import { readConfiguration } from "../project";

export function imageCommand(): Command {
  return new Command("image").description("manage machine images").addCommand(buildCommand());
}

function buildCommand(): Command {
  return reportCommand("build", "build the stack's images where they are absent or damaged")
    .option("--verify", "compare the checksum of every file")
    .action(async ({ stack, verify, json }: ReportOptions & { readonly verify?: boolean }) => {
      const configuration = await readConfiguration(stack);
      const names = imageNamesOf((await driverFor(configuration)).driver, configuration);
      const records = await interruptibly(stack, (signal) =>
        ensureImages(localHost, { names, verify, signal, progress: sayNews() }),
      );
      if (json) printJson(records);
      else print(records.map(({ name, digest }) => `${name}  ${digest}`).join("\n"));
    });
}
