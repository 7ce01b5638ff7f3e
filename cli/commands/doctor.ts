import * as os from "node:os";
import type { Command } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { stackFile } from "../../host/project-folder";
import { driverSurroundings, slowdownOf } from "../../hypervisors/choice/choose-driver";
import { driverByName } from "../../hypervisors/driver-by-name";
import { type Finding, ok, runChecks } from "../checks/check";
import {
  checkDiskSpace,
  checkFailover,
  checkGrowth,
  checkMemory,
  checkPorts,
  checkSshClient,
} from "../checks/host-checks";
import {
  checkDriver,
  checkImageBuilding,
  checkImages,
  checkPulumi,
  checkSources,
  imageNamesOf,
} from "../checks/part-checks";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { readConfiguration } from "../project";
import { type SmokeStep, smokeTest } from "../smoke/smoke-test";

export function doctorCommand(): Command {
  return reportCommand("doctor", "check everything that `up` needs, all at once; exit code 1 on a problem")
    .option("--smoke", "make, boot and remove one tiny machine as well, and tell how each step went")
    .option("--driver <name>", "the driver of that machine; default: the stack's")
    .action(async ({ stack, json, smoke = false, driver }: DoctorOptions) => {
      const findings = smoke ? [] : await examine(stack);
      if (!json && !smoke) print(findings.map(renderFinding).join("\n"));
      const steps = smoke ? await smokeSteps(stack, driver, json) : [];
      if (json) printJson(smoke ? steps : findings);
      const isWrong =
        findings.some(({ state }) => state === "problem") || steps.some(({ state }) => state === "failed");
      if (isWrong) process.exitCode = 1;
    });
}

interface DoctorOptions extends ReportOptions {
  readonly smoke?: boolean;
  readonly driver?: string;
}

async function smokeSteps(stack: string, name: string | undefined, json = false): Promise<readonly SmokeStep[]> {
  const driver = name ? driverByName(name, localHost) : (await driverFor(await readConfiguration(stack))).hypervisor;
  if (!json) print(`smoke test on ${driver.name}`);
  const tell = (step: SmokeStep): void => (json ? undefined : print(renderStep(step)));
  return interruptibly("the smoke test", (signal) => smokeTest(driver, { tell, signal }));
}

/** What depends on the configuration is left out while there is none that is right; its problems are findings. */
async function examine(stack: string): Promise<readonly Finding[]> {
  const always = { pulumi: checkPulumi, ssh: checkSshClient, building: checkImageBuilding, sources: checkSources };
  const configured = await readConfiguration(stack, { hostMemoryMiB: Math.floor(os.totalmem() / 2 ** 20) })
    .then(async (configuration) => ({ configuration, ...(await driverFor(configuration)) }))
    .catch((error: unknown) => ({ error }));
  if ("error" in configured) return runChecks({ configuration: () => Promise.reject(configured.error), ...always });
  const { configuration, hypervisor } = configured;
  const imagesPresent = async (): Promise<boolean> =>
    (
      await Promise.all(imageNamesOf(hypervisor.name, configuration).map((name) => hypervisor.inspectImage({ name })))
    ).every(Boolean);
  return runChecks({
    configuration: async () => [ok("configuration", `${stackFile(stack)} is in order`)],
    driver: checkDriver(hypervisor, configured),
    images: checkImages(hypervisor, configuration),
    ...always,
    "disk-space": checkDiskSpace(imagesPresent),
    memory: checkMemory(configuration, hypervisor),
    failover: checkFailover(configuration, async () => {
      return (await slowdownOf(configured.driver, await driverSurroundings(localHost, stack))) > 1;
    }),
    "disk-growth": checkGrowth(configuration, hypervisor),
    "host-ports": checkPorts(configuration, hypervisor),
  });
}

const marks: Readonly<Record<Finding["state"], string>> = { ok: "ok      ", warning: "warning ", problem: "PROBLEM " };

export function renderFinding({ state, text, hint }: Finding): string {
  const lines = text.split("\n").join(`\n${" ".repeat(8)}`);
  return `${marks[state]}${lines}${hint ? `\n          next step: ${hint}` : ""}`;
}

/** A step of the smoke test with the seconds that it took. */
export function renderStep({ step, seconds, state, text, hint }: SmokeStep): string {
  const head = `${state === "ok" ? "ok      " : "FAILED  "}${step.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  `;
  return `${head}${text}${hint ? `\n          next step: ${hint}` : ""}`;
}
