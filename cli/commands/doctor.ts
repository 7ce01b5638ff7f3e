import * as os from "node:os";
import type { Command } from "commander";
import { type Finding, ok, runChecks } from "../checks/check";
import { checkDiskSpace, checkMemory, checkPorts, checkSshClient } from "../checks/host-checks";
import { checkDriver, checkImages, checkPulumi, checkSources, imageNamesOf } from "../checks/part-checks";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readConfiguration, stackFile } from "../project";

export function doctorCommand(): Command {
  return reportCommand("doctor", "check everything that `up` needs, all at once; exit code 1 on a problem").action(
    async ({ stack, json }: ReportOptions) => {
      const findings = await examine(stack);
      if (json) printJson(findings);
      else print(findings.map(renderFinding).join("\n"));
      if (findings.some(({ state }) => state === "problem")) process.exitCode = 1;
    },
  );
}

/** What depends on the configuration is left out while there is none that is right; its problems are findings. */
async function examine(stack: string): Promise<readonly Finding[]> {
  const always = { pulumi: checkPulumi, ssh: checkSshClient, sources: checkSources };
  const configured = await readConfiguration(stack, { hostMemoryMiB: Math.floor(os.totalmem() / 2 ** 20) })
    .then(async (configuration) => ({ configuration, ...(await driverFor(configuration)) }))
    .catch((error: unknown) => ({ error }));
  if ("error" in configured) return runChecks({ configuration: () => Promise.reject(configured.error), ...always });
  const { configuration, hypervisor } = configured;
  const { kubernetesVersion } = configuration;
  const imagesPresent = async (): Promise<boolean> =>
    (
      await Promise.all(
        imageNamesOf(hypervisor.name, kubernetesVersion).map((name) => hypervisor.inspectImage({ name })),
      )
    ).every(Boolean);
  return runChecks({
    configuration: async () => [ok("configuration", `${stackFile(stack)} is in order`)],
    driver: checkDriver(hypervisor, configured),
    images: checkImages(hypervisor, kubernetesVersion),
    ...always,
    "disk-space": checkDiskSpace(imagesPresent),
    memory: checkMemory(configuration),
    "host-ports": checkPorts(configuration, hypervisor),
  });
}

const marks: Readonly<Record<Finding["state"], string>> = { ok: "ok      ", warning: "warning ", problem: "PROBLEM " };

export function renderFinding({ state, text, hint }: Finding): string {
  const lines = text.split("\n").join(`\n${" ".repeat(8)}`);
  return `${marks[state]}${lines}${hint ? `\n          next step: ${hint}` : ""}`;
}
