import { dataFolder } from "../host/data-folder";
import { folderProblem, temporaryFolderProblem } from "../host/file-access";
import { missingHostPackages } from "../host/host-packages";
import { localHost } from "../host/local-host";
import { projectFolder } from "../host/project-folder";
import { hostUnusable } from "../hypervisors/checks/driver";
import { driverByName } from "../hypervisors/driver-by-name";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { buildingProblem } from "../image/build-in-namespace";
import { driverRequirements } from "../model/driver-requirements";
import { type DriverName, drivers, isDriverName } from "../model/drivers";
import type { HostProblem } from "../model/host-finding";
import { UserError } from "../model/user-error";
import { DATA_FOLDER } from "../toolchain/run-pulumi/other-user";

export interface StartOnHost {
  readonly driver: DriverName;
  readonly hypervisor: Pick<Hypervisor, "problems">;
  /** The images of its machines already exist. */
  readonly imagesHere: boolean;
}

/** Folders that every start writes into. */
export async function folderProblems(): Promise<readonly HostProblem[]> {
  const found = await Promise.all([
    folderProblem(dataFolder(), DATA_FOLDER),
    folderProblem(projectFolder(), "the clone of groundplane"),
    temporaryFolderProblem(),
  ]);
  return found.filter((each) => each !== undefined);
}

/**
 * For an error of a start before its driver is known: tells whether folders are closed. With a driver that needs root, no
 * folder is in the way of those who may start it.
 */
export async function explainClosedFolders(error: unknown, configured: string): Promise<never> {
  if (error instanceof UserError) throw error;
  const wanted = process.env.GROUNDPLANE_DRIVER || configured;
  const ofDriver = isDriverName(wanted) && lacksRoot(wanted) ? await driverByName(wanted, localHost).problems() : [];
  const problems = ofDriver.length > 0 ? ofDriver : await folderProblems();
  throw problems.length > 0 ? hostUnusable(problems) : error;
}

const isRoot = (): boolean => process.getuid?.() === 0;
const lacksRoot = (driver: DriverName): boolean => driverRequirements[driver].root && !isRoot();

/**
 * Refuses a start that cannot succeed, with everything that is in its way, the decisive obstacle first. What a start as
 * root installs or may write is no obstacle for a driver that needs root anyway.
 *
 * @throws UserError `host-unusable`
 */
export async function refuseObstacles(start: StartOnHost): Promise<void> {
  const problems = lacksRoot(start.driver)
    ? await problemsForRoot(start)
    : [...(await folderProblems()), ...(await problemsForUser(start))];
  if (problems.length > 0) throw hostUnusable(problems);
}

/** Those that a start as root would meet as well, after the lack of root itself. */
async function problemsForRoot({ driver, hypervisor }: StartOnHost): Promise<readonly HostProblem[]> {
  const { programs } = driverRequirements[driver];
  return (await hypervisor.problems()).filter(({ id }) => !programs.some((program) => program.id === id));
}

/** Root installs packages first; the driver's own check of the host follows then. */
async function problemsForUser({ driver, hypervisor, imagesHere }: StartOnHost): Promise<readonly HostProblem[]> {
  if (drivers[driver].simulated || isRoot()) return [];
  const building = imagesHere ? undefined : await buildingProblem(localHost);
  const packages = await missingHostPackages({ driver, imagesHere, isRoot: false });
  return [
    ...(await hypervisor.problems()),
    ...(building ? [building] : []),
    // The problem of building names this one, together with what else its user namespace needs.
    ...packages.filter(({ name }) => name !== "uidmap").map(packageProblem),
  ];
}

const packageProblem = ({ name, purpose }: { readonly name: string; readonly purpose: string }): HostProblem => ({
  id: "package-missing",
  problem: `the package ${name} is not installed; it ${purpose}`,
  hint: `sudo apt-get install ${name}`,
});
