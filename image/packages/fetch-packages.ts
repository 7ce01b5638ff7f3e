import * as path from "node:path";
import { CommandError } from "../../model/commands";
import { type LockedPackage, lockHint } from "../../model/package-lock";
import { UserError } from "../../model/user-error";
import type { BuildContext } from "../store/build-context";
import { archiveOf, createPrivateApt, type Distribution, type PrivateApt } from "./private-apt";

/** Name of a package's file in the folder. The digest identifies it: mirrors and apt write versions in several ways. */
export const packageFile = ({ name, sha256 }: LockedPackage): string => `${name}-${sha256.slice(0, 16)}.deb`;

/**
 * Downloads exactly these packages from the host's mirror to a folder, and compares their digests with those of the lock. Files that are
 * there already, of an interrupted build, are not downloaded again.
 * @throws UserError `package-gone` for versions that the mirror no longer has, `package-digest`, `network`, `disk-full`
 */
export async function fetchPackages(
  distribution: Distribution,
  packages: readonly LockedPackage[],
  folder: string,
  context: BuildContext,
): Promise<void> {
  const { files } = context.host;
  await files.makeFolder(folder);
  const missing = [];
  for (const each of packages) if (!(await isThere(each, folder, context))) missing.push(each);
  if (missing.length === 0) return;
  const work = path.join(folder, "apt");
  await files.remove(work);
  const apt = await createPrivateApt(distribution, work, context);
  await addToLists(apt, missing, context);
  const received = path.join(work, "received");
  await files.makeFolder(received);
  context.progress({ phase: "packages", message: `downloading ${missing.length} packages of the package lock` });
  const failure = await download(apt, missing, received);
  for (const each of missing) await take(each, received, folder, context);
  const gone = [];
  for (const each of missing) if (!(await files.exists(path.join(folder, packageFile(each))))) gone.push(each);
  if (gone.length > 0) throw failureOf(gone, failure, distribution);
  await files.remove(work);
}

const isThere = async (locked: LockedPackage, folder: string, { host }: BuildContext): Promise<boolean> => {
  const file = path.join(folder, packageFile(locked));
  if (!(await host.files.exists(file))) return false;
  if ((await host.files.digest(file)) === locked.sha256) return true;
  await host.files.remove(file);
  return false;
};

/**
 * A mirror keeps the files of former versions for a while, which its lists no longer have. The digest is that of the lock, which was
 * verified when it was written.
 */
async function addToLists(apt: PrivateApt, packages: readonly LockedPackage[], { host }: BuildContext): Promise<void> {
  const format = "$(REPO_URI) $(FILENAME)";
  const { stdout } = await apt("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const known = (await apt("apt-cache", ["madison", ...packages.map(({ name }) => name)])).stdout;
  const versions = new Set(
    known.split("\n").map((line) =>
      line
        .split("|")
        .slice(0, 2)
        .map((word) => word.trim())
        .join(" "),
    ),
  );
  const unlisted = packages.filter(({ name, version }) => !versions.has(`${name} ${version}`));
  for (const target of stdout.split("\n").filter((line) => line.includes(" "))) {
    const [uri = "", list = ""] = target.split(" ", 1).concat(target.slice(target.indexOf(" ") + 1));
    const folderOf = uri.replace(/\/$/, "").split("/").at(-1);
    const here = unlisted.filter(({ file }) => file.split("/")[0] === folderOf);
    if (here.length === 0) continue;
    const text = (await host.files.readText(list)) ?? "";
    await host.files.writeAtomic(list, `${text.trimEnd()}\n\n${here.map(stanza).join("\n")}`);
  }
}

const stanza = ({ name, version, file, bytes, sha256 }: LockedPackage): string =>
  [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${/_([a-z0-9]+)\.deb$/.exec(file)?.[1] ?? "amd64"}`,
    `Filename: ${file.slice(file.indexOf("/") + 1)}`,
    `Size: ${bytes}`,
    `SHA256: ${sha256}`,
    "",
  ].join("\n");

/** apt fetches what it can. Returns the error for the others. */
async function download(
  apt: PrivateApt,
  packages: readonly LockedPackage[],
  cwd: string,
): Promise<CommandError | UserError | undefined> {
  try {
    await apt("apt-get", ["-q", "download", ...packages.map(({ name, version }) => `${name}=${version}`)], { cwd });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function take(locked: LockedPackage, from: string, to: string, { host }: BuildContext): Promise<void> {
  const prefix = `${locked.name}_${locked.version.replaceAll(":", "%3a")}_`;
  const found = (await host.files.list(from)).find((name) => name.startsWith(prefix) && name.endsWith(".deb"));
  if (found === undefined) return;
  const file = path.join(from, found);
  if ((await host.files.digest(file)) !== locked.sha256) throw wrongDigest(locked);
  await host.files.move(file, path.join(to, packageFile(locked)));
}

const wrongDigest = ({ name, version }: LockedPackage): UserError =>
  new UserError(
    "package-digest",
    `the mirror's ${name} ${version} has another digest than the package lock`,
    `do not use this mirror before the reason is known; ${lockHint}`,
  );

/** Files that a server does not have are gone; other failures may pass. */
function failureOf(
  gone: readonly LockedPackage[],
  failure: UserError | undefined,
  distribution: Distribution,
): unknown {
  const output = outputOf(failure);
  if (/Hash Sum mismatch|has unexpected size|Mismatch/i.test(output)) return wrongDigest(gone[0] as LockedPackage);
  if (failure !== undefined && !/\b(?:404|410)\b/.test(output)) return failure;
  const some = gone.slice(0, 5).map(({ name, version }) => `${name} ${version}`);
  const more = gone.length > some.length ? ` and ${gone.length - some.length} more` : "";
  return new UserError(
    "package-gone",
    `the ${archiveOf(distribution).title} mirror no longer has ${some.join(", ")}${more} of the package lock`,
    "`npx groundplane image update` moves the lock to what the mirror has now; or load a bundle that has these images: npx groundplane bundle load FILE",
    { cause: failure },
  );
}

/** The error for an unreachable mirror has apt's output as its cause. */
function outputOf(failure: UserError | undefined): string {
  const { cause } = failure ?? {};
  return [failure, cause]
    .map((each) => (each instanceof CommandError ? `${each.stdout}\n${each.stderr}` : ""))
    .join("\n");
}
