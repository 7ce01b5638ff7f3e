import { type ContainerRuntimeName, containerRuntimes } from "../../model/container-runtimes";
import type { DistributionName } from "../../model/distributions";
import type { LockedPackage, PackageLock } from "../../model/package-lock";
import { diskOf } from "../recipes/disk";
import { rootTrees } from "../recipes/root-tree";
import { asStorageError, type BuildContext } from "../store/build-context";
import { createPrivateApt, type PrivateApt } from "./private-apt";

/** What a lock depends on, beside the mirror. */
export interface LockWishes {
  readonly distribution: DistributionName;
  readonly runtime: ContainerRuntimeName;
}

/**
 * What the mirror has now for the images of a stack: every package that a build without a lock would install. Downloads the lists only.
 * @throws UserError `apt-missing`, `network`, `command-failed` with the output of apt
 */
export async function resolveLock({ distribution, runtime }: LockWishes, context: BuildContext): Promise<PackageLock> {
  const { files } = context.host;
  const recipe = rootTrees[distribution];
  const folder = await files.makeTemporaryFolder("groundplane-packages-");
  try {
    const apt = await createPrivateApt(recipe, folder, context);
    context.progress({ phase: "packages", message: "choosing versions" });
    // mmdebstrap installs these in any case.
    const tree = await resolve(apt, [...basic(recipe.suite), ...recipe.packages]);
    const over = async (names: readonly string[]): Promise<readonly LockedPackage[]> => {
      const below = tree.map(({ name }) => name);
      return (await resolve(apt, [...below, ...names])).filter(({ name }) => !below.includes(name));
    };
    const added: readonly string[] = containerRuntimes[runtime].packages[distribution];
    return {
      distribution,
      suite: recipe.suite,
      sections: {
        tree,
        ...(added.length > 0 && { docker: await over(added) }),
        disk: await over(diskOf(distribution).packages),
      },
    };
  } catch (error) {
    throw asStorageError(error, folder);
  } finally {
    await files.remove(folder);
  }
}

/** Patterns of apt for the packages without which a tree cannot be. */
const basic = (suite: string): readonly string[] =>
  ["?essential", "?and(?priority(required),?not(?essential))"].map(
    (which) => `?narrow(?or(?archive(^${suite}$),?codename(^${suite}$)),?architecture(amd64),${which})`,
  );

/** Everything that apt would install, sorted by name. */
async function resolve(apt: PrivateApt, words: readonly string[]): Promise<readonly LockedPackage[]> {
  const argv = ["-q", "--yes", "--no-install-recommends", "--print-uris", "install", ...words];
  const { stdout } = await apt("apt-get", argv);
  const found = stdout.split("\n").flatMap((line) => {
    const locked = packageOfLine(line);
    return locked ? [locked] : [];
  });
  if (found.length === 0) throw new Error(`apt names no packages for ${words.join(" ")}`);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** A line as `'http://host/debian/pool/…/x_1%3a2_amd64.deb' x_1%3a2_amd64.deb 1234 SHA256:…`. Pure. */
export function packageOfLine(line: string): LockedPackage | undefined {
  const found = /^'\S+?\/([a-z-]+\/pool\/\S+)' ([^_\s]+)_([^_\s]+)_\S+\.deb (\d+) SHA256:([0-9a-f]{64})$/.exec(line);
  if (!found) return undefined;
  const [, file = "", name = "", version = "", bytes, sha256 = ""] = found;
  return {
    name,
    version: decodeURIComponent(version),
    sha256,
    bytes: Number(bytes),
    file: decodeURIComponent(file),
  };
}
