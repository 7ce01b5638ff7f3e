import { type Command, Option } from "commander";
import { removeBootUnit } from "../../host/boot-units";
import { updateDataFolder } from "../../host/data-version";
import { ensureHostPackages } from "../../host/host-packages";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { type PhaseTime, ProgressLines } from "../../host/progress-lines";
import { endRestore } from "../../host/restore-mark";
import { refuseUnusableHost } from "../../hypervisors/checks/driver";
import { addOnRecipesOf, ensureAddOns } from "../../image/build-add-ons";
import { type EnsureImagesOptions, ensureImages } from "../../image/build-images";
import { areImagesPresent, type ImageWishes, imageNamesOf, imageRecipesOf } from "../../image/checks";
import { OLDEST_GO } from "../../image/parts/go-toolchain";
import { type DriverName, drivers } from "../../model/drivers";
import { guestPaths } from "../../model/guest-paths";
import { storedRoles } from "../../model/roles";
import type { InventoryEntry, StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { obtainGo } from "../../toolchain/obtain-go";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { pulumiEnvironment } from "../../toolchain/pulumi-environment";
import { bringUp } from "../../toolchain/run-pulumi/bring-up";
import { otherUserProblem } from "../../toolchain/run-pulumi/other-user";
import { prepareStack, settleStackFile } from "../../toolchain/run-pulumi/prepare-stack";
import { explaining } from "../../toolchain/run-pulumi/pulumi-command";
import { endInterruptedFaults } from "../../verify/interrupted-faults";
import { checkBootUnit, startAtBoot } from "../boot-unit";
import { driverFor, driverOf } from "../driver";
import { explainClosedFolders, refuseObstacles } from "../host-obstacles";
import { lostState, readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { print, say } from "../print";
import { imageWishesOf, readConfiguration } from "../project";
import { writeKubeconfig } from "./kubeconfig";

export function startCommand(): Command {
  return stackCommand("start", "start a stack, or resume an interrupted start")
    .option("-y, --yes", "install missing packages of the host without asking")
    .addOption(
      new Option("--prepare-only", "prepare host packages, Pulumi and images, but create no machines").conflicts(
        "atBoot",
      ),
    )
    .option("--at-boot", "start the stack at each boot of this host, too, by a unit of systemd")
    .option("--no-at-boot", "remove that unit, and start nothing; `destroy` removes it as well")
    .action(startStack);
}

/** Also finishes a restore that was interrupted. */
export async function startStack({ stack, yes = false, prepareOnly = false, atBoot }: StartOptions): Promise<void> {
  if (atBoot === false) return say(await withoutUnit(stack));
  const unit = atBoot ? await checkBootUnit(stack) : undefined;
  const progress = new ProgressLines({
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  const binFolder = await interruptibly(stack, (signal) => prepare(stack, { yes, progress, signal }));
  if (prepareOnly) return;
  const env = await pulumiEnvironment(binFolder);
  await updateDataFolder();
  await progress.during("stack", () => prepareStack(stack, env).catch(explaining(stack, env)));
  await endInterruptedFaults(
    stack,
    () => driverOf(stack),
    (text) => progress.note(text),
  );
  const { isUnchanged } = await progress.during("up", () => bringUp(stack, env, progress));
  await settleStackFile(stack);
  await endRestore(stack);
  const outputs = await readOutputs(stack);
  const kubeconfig = await writeKubeconfig(stack, outputs.kubeconfig);
  print(`\n${formatSummary({ stack, isUnchanged, outputs, kubeconfig, times: progress.times })}`);
  if (unit) say(await startAtBoot(unit));
}

interface StartOptions extends StackOptions {
  readonly yes?: boolean;
  readonly prepareOnly?: boolean;
  /** `false` with `--no-at-boot`. */
  readonly atBoot?: boolean;
}

async function withoutUnit(stack: string): Promise<string> {
  const isRemoved = await removeBootUnit(stack);
  // A wrong name must not look like a success.
  if (!isRemoved) await readConfiguration(stack);
  return isRemoved ? `${stack} is no longer started at boot` : `${stack} is not started at boot; no changes`;
}

interface Preparation {
  readonly yes: boolean;
  readonly progress: ProgressLines;
  readonly signal: AbortSignal;
}

/** Prepares everything that `pulumi up` requires. Returns the folder of Pulumi's programs. */
async function prepare(stack: string, { yes, progress, signal }: Preparation): Promise<string> {
  const configuration = await readConfiguration(stack);
  const foreign = await otherUserProblem(stack);
  if (foreign) throw foreign;
  // An `up` would adopt its machines, whose keys are lost with the state.
  const lost = await lostState(stack);
  if (lost) throw lost;
  const { driver, hypervisor } = await driverFor(configuration).catch((error: unknown) =>
    explainClosedFolders(error, configuration.driver),
  );
  const note = (text: string): void => progress.note(text);
  const isReal = !drivers[driver].simulated;
  const wishes = await imageWishesOf(configuration);
  const imagesHere = await areImagesPresent(imageNamesOf(driver, wishes), localHost);
  await refuseObstacles({ driver, hypervisor, imagesHere });
  const packages = { driver, imagesHere, isRoot: process.getuid?.() === 0, yes, progress, signal };
  if (isReal) await progress.during("host packages", () => ensureHostPackages(packages));
  if (isReal) await refuseUnusableHost(hypervisor);
  const { binFolder } = await progress.during("Pulumi", () => obtainPulumi({ progress: note, signal }));
  if (isReal) await progress.during("images", () => prepareImages(driver, wishes, progress, signal));
  return binFolder;
}

/** Downloads Go only when a part must be built and the host has no suitable Go. */
async function prepareImages(
  driver: DriverName,
  wishes: ImageWishes,
  progress: ProgressLines,
  signal: AbortSignal,
): Promise<void> {
  const recipes = imageRecipesOf(driver, wishes);
  const context: Pick<EnsureImagesOptions, "progress" | "signal"> = {
    signal,
    progress: ({ phase, message }) => progress.status(`${phase}: ${message}`),
  };
  const build = async (): Promise<void> => {
    await ensureImages(localHost, { recipes, ...context });
    await ensureAddOns(localHost, addOnRecipesOf(wishes), context);
  };
  await build().catch(async (error: unknown) => {
    if (!(error instanceof UserError) || !/^(?:go-missing|go-too-old|no-source)$/.test(error.id)) throw error;
    await obtainGo(OLDEST_GO, { progress: (text) => progress.note(text), signal });
    await build();
  });
}

export interface Summary {
  readonly stack: string;
  readonly isUnchanged: boolean;
  readonly outputs: Pick<StackOutputs, "apiEndpoint"> & {
    readonly inventory: readonly Pick<InventoryEntry, "name" | "roles">[];
  };
  readonly kubeconfig: string;
  readonly times: readonly PhaseTime[];
}

/** What `npm start` prints at its end. */
export function formatSummary({ stack, isUnchanged, outputs, kubeconfig, times }: Summary): string {
  const label = (name: string, value: string): string => `  ${name.padEnd(14)} ${value}`;
  const master = outputs.inventory.find((node) => storedRoles(node).includes("master"))?.name ?? "master-1";
  const option = stack === "lab" ? "" : ` --stack ${stack}`;
  const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    isUnchanged ? `${stack} is up; no changes.` : `${stack} is up.`,
    "",
    label("API", outputs.apiEndpoint),
    label("kubeconfig", kubeconfig),
    label("machines", String(outputs.inventory.length)),
    "",
    ...times.map(({ phase, seconds }) => label(phase, formatSeconds(seconds))),
    label("total", formatSeconds(total)),
    "",
    "Try next:",
    `  npx groundplane status${option}`,
    `  npx groundplane ssh ${master}${option} -- kubectl --kubeconfig ${guestPaths.adminKubeconfig} get nodes`,
    `  npx groundplane destroy${option}`,
    "",
  ].join("\n");
}

const formatSeconds = (seconds: number): string => `${seconds.toFixed(1).padStart(7)} s`;
