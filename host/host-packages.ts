import { createInterface } from "node:readline/promises";
import { UserError } from "../model/user-error";
import { exists } from "./file-store";
import type { ProgressLines } from "./progress-lines";
import { runCommand } from "./run-command";

/** A Debian package and the file by which its presence is known, a program's name or an absolute path. */
interface HostPackage {
  readonly name: string;
  readonly has: string;
  readonly purpose: string;
  /** `machines`: for system containers alone; `images`: only while one has to be built; otherwise always. */
  readonly only?: "machines" | "images";
  /** Needed by who is not root. */
  readonly forUsers?: true;
}

/** What machines and the building of their images need on a Debian host. */
const PACKAGES: readonly HostPackage[] = [
  { name: "systemd-container", has: "systemd-nspawn", purpose: "runs the machines", only: "machines" },
  { name: "slirp4netns", has: "slirp4netns", purpose: "gives the gateway its way out", only: "machines" },
  { name: "iproute2", has: "ip", purpose: "makes the stack's own network", only: "machines" },
  { name: "openssh-client", has: "ssh", purpose: "`npx groundplane ssh` and `logs`" },
  { name: "mmdebstrap", has: "mmdebstrap", purpose: "builds the machines' root tree", only: "images" },
  {
    name: "debian-archive-keyring",
    has: "/usr/share/keyrings/debian-archive-keyring.gpg",
    purpose: "checks the packages in it",
    only: "images",
  },
  { name: "uidmap", has: "newuidmap", purpose: "builds images without root", only: "images", forUsers: true },
  { name: "zstd", has: "zstd", purpose: "packs and unpacks images", only: "images" },
  { name: "unzip", has: "unzip", purpose: "unpacks Go where the host has none", only: "images" },
  { name: "ca-certificates", has: "/etc/ssl/certs/ca-certificates.crt", purpose: "checks who a download comes from" },
];

/** What a stack is going to need. */
export interface PackageNeeds {
  /** The driver's name. */
  readonly driver: string;
  /** The images of its machines are here already. */
  readonly imagesHere: boolean;
  readonly isRoot: boolean;
}

export interface HostPackageOptions extends PackageNeeds {
  /** Do not ask. */
  readonly yes: boolean;
  readonly progress: ProgressLines;
  readonly signal?: AbortSignal;
}

/**
 * Installs what is missing, after listing it and asking once on a terminal; without a terminal, with `--yes` or in CI
 * it counts as agreed.
 *
 * @throws UserError `packages-refused`, `not-debian`, `not-root`, `packages-failed`
 */
export async function ensureHostPackages(options: HostPackageOptions): Promise<void> {
  // Elsewhere VirtualBox and Pulumi come by installers, and images from a bundle.
  if (process.platform !== "linux") return;
  const missing = await missingPackages(neededPackages(options));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  for (const { name, purpose } of missing) options.progress.note(`missing: ${name} (${purpose})`);
  const command = `apt-get install ${names.join(" ")}`;
  if (!(await isPresent("apt-get"))) {
    throw new UserError(
      "not-debian",
      "these programs cannot be installed here by themselves",
      `install ${names.join(", ")}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new UserError("not-root", "only root can install packages", `sudo ${command}, or run this with sudo`);
  }
  if (!(await agreed(options.yes, names.length))) {
    throw new UserError("packages-refused", "the packages were not agreed to", `install them yourself: ${command}`);
  }
  await install(names, options);
}

/** Pure. Virtual machines are often run by people who are not root, and need nothing but what is theirs. */
export function neededPackages({ driver, imagesHere, isRoot }: PackageNeeds): readonly HostPackage[] {
  const packages = PACKAGES.filter(({ forUsers }) => !(forUsers && isRoot));
  if (driver === "nspawn") return packages;
  return packages.filter(({ only }) => only === undefined || (only === "images" && !imagesHere));
}

async function missingPackages(wanted: readonly HostPackage[]): Promise<readonly HostPackage[]> {
  const present = await Promise.all(wanted.map(({ has }) => isPresent(has)));
  return wanted.filter((_, index) => !present[index]);
}

/** Looks itself instead of asking dpkg: what somebody installed by other means counts as well. */
async function isPresent(what: string): Promise<boolean> {
  if (what.startsWith("/")) return exists(what);
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  for (const folder of folders) if (folder && (await exists(`${folder}/${what}`))) return true;
  return false;
}

/** Nothing ever waits for an answer that cannot come. */
async function agreed(yes: boolean, count: number): Promise<boolean> {
  if (yes || process.env.CI || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Install ${count === 1 ? "it" : `these ${count}`} with apt-get? [Y/n] `);
    return /^(?:y|yes|)$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

async function install(names: readonly string[], { progress, signal }: HostPackageOptions): Promise<void> {
  const apt = (words: readonly string[]) =>
    runCommand(["apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=300", ...words], {
      env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "l" },
      signal,
      onLine: (line) => progress.status(line),
    });
  // One unreachable source of many is no reason to stop: what is needed may come from another.
  await apt(["update"]).catch((error: unknown) => {
    signal?.throwIfAborted();
    progress.note(`apt-get update: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
  });
  await apt(["install", "--no-install-recommends", ...names]).catch((cause: Error) => {
    signal?.throwIfAborted();
    const problem = `apt-get could not install ${names.join(", ")}: ${cause.message}`;
    throw new UserError("packages-failed", problem, "see what it says, install them by hand, and try again", { cause });
  });
  progress.note(`installed ${names.join(", ")}`);
}
