import { driverRequirements, type HostProgram } from "../model/driver-requirements";
import type { DriverName } from "../model/drivers";
import { UserError } from "../model/user-error";
import { askOnTerminal, canAsk } from "./ask-on-terminal";
import { exists } from "./file-store";
import { findProgram } from "./host-capacity";
import type { ProgressLines } from "./progress-lines";
import { runCommand } from "./run-command";

/** A Debian package and the file that shows that it is installed: a program's name or an absolute path. */
export interface HostPackage {
  readonly name: string;
  readonly has: string;
  readonly purpose: string;
  /** `images`: needed only if an image must be built; otherwise always. */
  readonly only?: "images";
  /** Needed only without root. */
  readonly forUsers?: true;
}

/** Packages that the commands and image builds need on a Debian host, with any driver. */
const PACKAGES: readonly HostPackage[] = [
  { name: "openssh-client", has: "ssh", purpose: "runs the connections of `npx groundplane ssh` and `logs`" },
  { name: "mmdebstrap", has: "mmdebstrap", purpose: "builds the machines' root tree", only: "images" },
  {
    name: "debian-archive-keyring",
    has: "/usr/share/keyrings/debian-archive-keyring.gpg",
    purpose: "verifies the packages of the root tree",
    only: "images",
  },
  { name: "uidmap", has: "newuidmap", purpose: "builds images without root", only: "images", forUsers: true },
  { name: "zstd", has: "zstd", purpose: "packs and unpacks images", only: "images" },
  { name: "gcc", has: "cc", purpose: "builds runc from source", only: "images" },
  {
    name: "libc6-dev",
    has: "/usr/include/stdlib.h",
    purpose: "builds runc from source",
    only: "images",
  },
  { name: "unzip", has: "unzip", purpose: "unpacks Go where the host has none", only: "images" },
  { name: "ca-certificates", has: "/etc/ssl/certs/ca-certificates.crt", purpose: "verifies the source of downloads" },
];

/** Properties of a stack that determine the packages it needs. */
export interface PackageNeeds {
  readonly driver: DriverName;
  /** The images of its machines already exist. */
  readonly imagesHere: boolean;
  readonly isRoot: boolean;
}

export interface HostPackageOptions extends PackageNeeds {
  /** Install without asking. */
  readonly yes: boolean;
  readonly progress: ProgressLines;
  readonly signal?: AbortSignal;
}

/**
 * Lists missing packages, asks once on a terminal, and installs them. Without a terminal, with `--yes` or in CI it
 * does not ask.
 *
 * @throws UserError `packages-refused`, `not-debian`, `not-root`, `packages-failed`
 */
export async function ensureHostPackages(options: HostPackageOptions): Promise<void> {
  const missing = await missingHostPackages(options);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  for (const { name, purpose } of missing) options.progress.note(`missing: ${name} (${purpose})`);
  const command = `apt-get install ${names.join(" ")}`;
  if (!(await isPresent("apt-get"))) {
    throw new UserError(
      "not-debian",
      "these programs cannot be installed automatically on this host",
      `install ${names.join(", ")}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new UserError("not-root", "only root can install packages", `sudo ${command}, or run this with sudo`);
  }
  if (!(await agreed(options.yes, names.length))) {
    throw new UserError(
      "packages-refused",
      "the installation of packages was declined",
      `install them yourself: ${command}`,
    );
  }
  await install(names, options);
}

/** Pure. Programs of a driver are installed only if the driver needs root; other drivers use what their user has. */
export function neededPackages({ driver, imagesHere, isRoot }: PackageNeeds): readonly HostPackage[] {
  const packages = PACKAGES.filter(({ forUsers }) => !(forUsers && isRoot));
  const { root, programs } = driverRequirements[driver];
  if (root) return [...packagesOf(programs), ...packages];
  return packages.filter(({ only }) => only === undefined || (only === "images" && !imagesHere));
}

/** A package with several of the programs is detected by the first one. */
const packagesOf = (programs: readonly HostProgram[]): readonly HostPackage[] =>
  programs
    .filter((one, index) => programs.findIndex((other) => other.package === one.package) === index)
    .map((one) => ({ name: one.package, has: one.program, purpose: one.task }));

export async function missingHostPackages(needs: PackageNeeds): Promise<readonly HostPackage[]> {
  // On other systems, VirtualBox and Pulumi have installers, and images come from a bundle.
  if (process.platform !== "linux") return [];
  const wanted = neededPackages(needs);
  const present = await Promise.all(wanted.map(({ has }) => isPresent(has)));
  return wanted.filter((_, index) => !present[index]);
}

/** Looks for programs instead of asking dpkg, because other installations count too. */
async function isPresent(what: string): Promise<boolean> {
  if (what.startsWith("/")) return exists(what);
  return (await findProgram(what, ["/usr/sbin", "/sbin"])) !== undefined;
}

/** Asks only if a user can answer. */
async function agreed(yes: boolean, count: number): Promise<boolean> {
  if (yes || process.env.CI || !canAsk()) return true;
  const answer = await askOnTerminal(`Install ${count === 1 ? "it" : `these ${count}`} with apt-get? [Y/n] `);
  return answer !== undefined && /^(?:y|yes|)$/i.test(answer);
}

async function install(names: readonly string[], { progress, signal }: HostPackageOptions): Promise<void> {
  const apt = (words: readonly string[]) =>
    runCommand(["apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=300", ...words], {
      env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "l" },
      signal,
      onLine: (line) => progress.status(line),
    });
  // Continue if one of several sources is unreachable: another one may have the packages.
  await apt(["update"]).catch((error: unknown) => {
    signal?.throwIfAborted();
    progress.note(`apt-get update: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
  });
  await apt(["install", "--no-install-recommends", ...names]).catch((cause: Error) => {
    signal?.throwIfAborted();
    const problem = `apt-get could not install ${names.join(", ")}: ${cause.message}`;
    throw new UserError("packages-failed", problem, "read its output, install the packages manually, and try again", {
      cause,
    });
  });
  progress.note(`installed ${names.join(", ")}`);
}
