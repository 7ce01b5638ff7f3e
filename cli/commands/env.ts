import type { Command } from "commander";
import { updateDataFolder } from "../../host/data-version";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { formatShellExports, pulumiEnvironment } from "../../toolchain/pulumi-environment";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, say } from "../print";

export function envCommand(): Command {
  return reportCommand("env", "print what a shell needs for plain `pulumi` commands on the stacks of this project")
    .addHelpText("after", '\nExample: eval "$(npx groundplane env)" && pulumi preview --stack lab')
    .action(async ({ json }: ReportOptions) => {
      const { binFolder } = await obtainPulumi({ progress: say });
      const variables = await pulumiEnvironment(binFolder);
      await updateDataFolder();
      if (json) printJson(variables);
      else print(formatShellExports(variables));
    });
}
