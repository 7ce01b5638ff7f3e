import type { Command } from "commander";
import { checkSshClient } from "../../guests/ssh-files";
import { dataFolder } from "../../host/data-folder";
import { availableMemoryMiB, freeGiB, loadPerCore, longestStall, totalMemoryMiB } from "../../host/host-capacity";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { stackFile } from "../../host/project-folder";
import { judgeDiskSpace, judgeFailover, judgeGrowth, judgeMemory } from "../../hypervisors/checks/capacity";
import { checkDriver, checkGatewayPorts } from "../../hypervisors/checks/driver";
import { driverSurroundings, slowdownOf } from "../../hypervisors/choice/choose-driver";
import { driverByName } from "../../hypervisors/driver-by-name";
import { type SmokeStep, smokeTest } from "../../hypervisors/smoke/smoke-test";
import { addOnRecipesOf, checkAddOns } from "../../image/build-add-ons";
import {
  checkImageBuilding,
  checkImages,
  checkParts,
  describeFoundSources,
  type ImageWishes,
  imageNamesOf,
} from "../../image/checks";
import { describeSources } from "../../image/parts/ensure-part";
import { drivers } from "../../model/drivers";
import { type HostFinding, ok, problem } from "../../model/host-finding";
import { forStack } from "../../model/next-step";
import { type PackageLock, packageLockFile, packagesIn } from "../../model/package-lock";
import { UserError } from "../../model/user-error";
import type { Configuration } from "../../stacks/config/configuration";
import { hostPortNumbers } from "../../stacks/config/host-ports";
import { checkPulumi } from "../../toolchain/obtain-pulumi";
import { otherUserProblem } from "../../toolchain/run-pulumi/other-user";
import { type Paint, painterFor, plainText, type Style } from "../colours";
import { type ChosenDriver, driverFor } from "../driver";
import { folderProblems } from "../host-obstacles";
import { lostState } from "../lost-state";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson } from "../print";
import { imageWishesOf, readConfiguration } from "../project";

export function doctorCommand(): Command {
  return reportCommand("doctor", "check everything that `up` needs, all at once; exit code 1 on a problem")
    .option("--smoke", "also create, boot and remove one small machine, and report each step")
    .option("--driver <name>", "the driver of that machine; default: the stack's")
    .action(async ({ stack, json, smoke = false, driver }: DoctorOptions) => {
      const paint = painterFor(process.stdout);
      const findings = smoke ? [] : (await examine(stack)).map((finding) => namingStack(finding, stack));
      if (!json && !smoke) print(findings.map((finding) => renderFinding(finding, paint)).join("\n"));
      const steps = smoke ? await smokeSteps(stack, driver, json) : [];
      if (json) printJson(smoke ? steps : findings);
      const isWrong =
        findings.some(({ state }) => state === "problem") || steps.some(({ state }) => state === "failed");
      if (isWrong) process.exitCode = 1;
    });
}

const namingStack = (finding: HostFinding, stack: string): HostFinding => ({
  ...finding,
  ...(finding.hint !== undefined && { hint: forStack(finding.hint, stack) }),
});

interface DoctorOptions extends ReportOptions {
  readonly smoke?: boolean;
  readonly driver?: string;
}

async function smokeSteps(stack: string, name: string | undefined, json = false): Promise<readonly SmokeStep[]> {
  const driver = name ? driverByName(name, localHost) : (await driverFor(await readConfiguration(stack))).hypervisor;
  // A driver can be tested on a host without a stack.
  const wishes = await readConfiguration(stack).then(imageWishesOf, () => undefined);
  const [image] = wishes ? imageNamesOf(driver.name, wishes) : [];
  if (!json) print(`smoke test on ${driver.name}`);
  const tell = (step: SmokeStep): void => (json ? undefined : print(renderStep(step)));
  return interruptibly("the smoke test", (signal) => smokeTest(driver, localHost, { tell, signal, image }));
}

/** A stack without a lock has what the mirror had when its images were built. */
const describePackageLock = (stack: string, lock: PackageLock | undefined): readonly HostFinding[] =>
  lock ? [ok("package-lock", `${packageLockFile(stack)} pins ${packagesIn(lock).length} packages`)] : [];

type Checks = Readonly<Record<string, () => Promise<readonly HostFinding[]>>>;

const STALL_SAMPLE_MS = 1_000;

/** Runs all checks at once. A wrong configuration is a finding, too; the checks that depend on it are left out then. */
export async function examine(stack: string): Promise<readonly HostFinding[]> {
  const independent: Checks = {
    folders: async () => (await folderProblems()).map((each) => problem(each.id, each.problem, each.hint)),
    owner: async () => {
      const foreign = await otherUserProblem(stack);
      return foreign ? [problem(foreign.id, foreign.problem, foreign.hint)] : [];
    },
    state: async () => {
      const lost = await lostState(stack);
      return lost ? [problem(lost.id, lost.problem, lost.hint)] : [];
    },
    pulumi: checkPulumi,
    ssh: checkSshClient,
    building: () => checkImageBuilding(localHost),
    sources: async () => describeFoundSources(await describeSources(localHost)),
  };
  const configured = await readConfiguration(stack, { hostMemoryMiB: totalMemoryMiB() })
    .then(async (configuration) => {
      const [choice, wishes] = [await driverFor(configuration), await imageWishesOf(configuration)];
      return { configuration, choice, wishes, images: imageNamesOf(choice.driver, wishes) };
    })
    .catch((error: unknown) => ({ error }));
  if ("error" in configured)
    return runChecks({ configuration: () => Promise.reject(configured.error), ...independent });
  return runChecks({ ...checksOf(stack, configured), ...independent });
}

interface Configured {
  readonly configuration: Configuration;
  readonly choice: ChosenDriver;
  readonly wishes: ImageWishes;
  readonly images: readonly string[];
}

function checksOf(stack: string, { configuration, choice, wishes, images }: Configured): Checks {
  const { hypervisor, driver } = choice;
  const { name, pools, hostPorts } = configuration;
  return {
    configuration: async () => [ok("configuration", `${stackFile(stack)} is valid`)],
    driver: () => checkDriver(hypervisor, choice),
    images: () => checkImages(images, (image) => hypervisor.inspectImage(image)),
    "add-ons": () => (drivers[driver].simulated ? Promise.resolve([]) : checkAddOns(localHost, addOnRecipesOf(wishes))),
    parts: () => (drivers[driver].simulated ? Promise.resolve([]) : checkParts(driver, wishes, localHost)),
    "package-lock": async () => describePackageLock(stack, wishes.packageLock),
    "disk-space": async () => {
      const present = await Promise.all(images.map((image) => hypervisor.inspectImage({ name: image })));
      return [judgeDiskSpace(dataFolder(), await freeGiB(dataFolder()), present.every(Boolean))];
    },
    memory: async () => {
      const memory = { availableMiB: await availableMemoryMiB(), totalMiB: totalMemoryMiB() };
      return [judgeMemory(pools, { ...memory, sharesKernel: drivers[driver].sharesKernel })];
    },
    failover: async () => {
      const isEmulated = (await slowdownOf(driver, await driverSurroundings(localHost, stack))) > 1;
      const pace = { stallMs: await longestStall(STALL_SAMPLE_MS), loadPerCore: loadPerCore(), isEmulated };
      return [judgeFailover(configuration, pace)];
    },
    "disk-growth": async () =>
      drivers[driver].imageForm === "disk" ? [judgeGrowth(pools, await freeGiB(dataFolder()))] : [],
    "host-ports": () => checkGatewayPorts(hypervisor, name, hostPortNumbers(hostPorts), localHost),
  };
}

/** All checks at once. A check that fails becomes a finding and stops no other check. */
export async function runChecks(checks: Checks): Promise<readonly HostFinding[]> {
  const results = Object.entries(checks).map(([id, check]) =>
    check().catch((error: unknown) => [failureOf(id, error)]),
  );
  return (await Promise.all(results)).flat();
}

function failureOf(id: string, error: unknown): HostFinding {
  if (error instanceof UserError) return problem(error.id, error.problem, error.hint);
  const reason = error instanceof Error ? error.message : String(error);
  return problem(id, `the check failed: ${reason}`, "this is an internal error, please report it");
}

const marks: Readonly<Record<HostFinding["state"], string>> = {
  ok: "ok      ",
  warning: "warning ",
  problem: "PROBLEM ",
};

const styleOf: Readonly<Record<HostFinding["state"], Style>> = { ok: "good", warning: "warning", problem: "bad" };

export function renderFinding({ state, text, hint }: HostFinding, paint: Paint = plainText): string {
  const lines = text.split("\n").join(`\n${" ".repeat(8)}`);
  return `${paint(styleOf[state], marks[state])}${lines}${hint ? `\n          next step: ${hint}` : ""}`;
}

/** A step of the smoke test with its duration. */
export function renderStep({ step, seconds, state, text, hint }: SmokeStep): string {
  const head = `${state === "ok" ? "ok      " : "FAILED  "}${step.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  `;
  return `${head}${text}${hint ? `\n          next step: ${hint}` : ""}`;
}
