import type { Command } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { readPackageLock, writePackageLock } from "../../host/package-lock-file";
import { type ImageWishes, imageNamesOf } from "../../image/checks";
import { packagesOfImage } from "../../image/image-packages";
import { resolveLock } from "../../image/packages/resolve-lock";
import type { DriverName } from "../../model/drivers";
import { forStack } from "../../model/next-step";
import { type PackageChange, type PackageLock, packageLockFile, packagesIn } from "../../model/package-lock";
import { UserError } from "../../model/user-error";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { imageChanges, lockChanges, type PackageUpdate, refuseOlder } from "../package-update";
import { print, printJson, say, sayNews, table } from "../print";
import { readConfiguration } from "../project";

interface UpdateOptions extends ReportOptions {
  readonly dryRun?: boolean;
}

export function updateCommand(): Command {
  return reportCommand("update", "pin the packages of the stack's images to what the mirror has now")
    .option("--dry-run", "only show what would change")
    .addHelpText(
      "after",
      "\nThe versions and digests are in stacks/package-lock.STACK.json, which belongs in version control. Another lock is another" +
        "\nname of the images: `image build` builds them, and `up` brings them to running nodes. Without the file, images have what" +
        "\nthe mirror had when they were built. Versions of a mirror that is behind the lock are refused.",
    )
    .action(async ({ stack, json, dryRun = false }: UpdateOptions) => {
      const update = await interruptibly(stack, (signal) => updateLock(stack, dryRun, signal));
      if (json) printJson(update);
      else print(forStack(renderUpdate(update, dryRun), stack));
    });
}

async function updateLock(stack: string, dryRun: boolean, signal: AbortSignal): Promise<PackageUpdate> {
  const configuration = await readConfiguration(stack);
  const { driver } = await driverFor(configuration);
  const before = await usableLock(stack);
  const { distribution, options } = configuration;
  const wishes = { distribution, runtime: options.runtime };
  const lock = await resolveLock(wishes, { host: localHost, progress: sayNews(), signal });
  const compared = await compare(before, lock, () => builtPackages(driver, configuration));
  if (before) refuseOlder(stack, compared.changes);
  const written = !dryRun && (before === undefined || compared.changes.length > 0);
  const after = imageNamesOf(driver, { ...configuration, packageLock: lock });
  const former = namesBefore(driver, { ...configuration, packageLock: before });
  if (written) await writePackageLock(stack, lock);
  return {
    file: packageLockFile(stack),
    written,
    packages: packagesIn(lock).length,
    ...compared,
    images: after.map((name, index) => ({ ...(former && { before: former[index] }), after: name })),
  };
}

/** A file that cannot be used is replaced. */
async function usableLock(stack: string): Promise<PackageLock | undefined> {
  return readPackageLock(stack).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.id !== "package-lock") throw error;
    say(error.problem);
    return undefined;
  });
}

/** A lock of another distribution, or of an earlier groundplane, makes no images. */
function namesBefore(driver: DriverName, wishes: ImageWishes): readonly string[] | undefined {
  try {
    return imageNamesOf(driver, wishes);
  } catch (error) {
    if (error instanceof UserError && error.id === "package-lock") return undefined;
    throw error;
  }
}

async function compare(
  before: PackageLock | undefined,
  lock: PackageLock,
  built: () => ReturnType<typeof builtPackages>,
): Promise<Pick<PackageUpdate, "comparedWith" | "changes">> {
  if (before) return { comparedWith: "package lock", changes: lockChanges(before, lock) };
  const found = await built();
  if (found === undefined) return { comparedWith: "nothing", changes: [] };
  return { comparedWith: "images", changes: imageChanges(found, lock) };
}

/** Of the stack's images, which were built without a lock. */
async function builtPackages(driver: DriverName, wishes: ImageWishes) {
  const names = imageNamesOf(driver, { ...wishes, packageLock: undefined });
  const found = await Promise.all(names.map((name) => packagesOfImage(localHost, name)));
  const known = found.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : Object.assign({}, ...known);
}

export function renderUpdate(
  { file, written, packages, comparedWith, changes, images }: PackageUpdate,
  dryRun: boolean,
) {
  const rows = changes.map(({ name, from = "-", to = "-" }: PackageChange) => [name, from, to]);
  const same = images.every(({ before, after }) => before === after);
  const against = {
    "package lock": "the package lock",
    images: "the images that were built without a lock",
    nothing: "nothing: there is neither a lock nor an image",
  }[comparedWith];
  const names = images.map(({ after }) => after).join(", ");
  const next = written
    ? "commit the file; `npx groundplane image build` builds them, and `up` brings them to running nodes, see `npx groundplane preview`"
    : "`npx groundplane image update` writes the file";
  const differing = { 0: "no package differs", 1: "1 package differs" }[changes.length];
  return [
    `compared with ${against}: ${differing ?? `${changes.length} packages differ`}`,
    ...(rows.length > 0 ? [table([["PACKAGE", "FROM", "TO"], ...rows])] : []),
    written ? `${file} pins ${packages} packages` : dryRun ? `${file} was not written` : `${file} stays as it is`,
    same ? `the images stay ${names}` : `the images ${written ? "are now" : "would be"} ${names}\nnext: ${next}`,
  ].join("\n\n");
}
