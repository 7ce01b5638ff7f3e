import { createHash } from "node:crypto";
import * as path from "node:path";
import type { LockedPackage } from "../../model/package-lock";
import { recipeHash } from "../recipes/image-names";
import { asStorageError, type BuildContext } from "../store/build-context";
import { fetchPackages, packageFile } from "./fetch-packages";
import type { Distribution } from "./private-apt";

const COMPONENT = "main";

/**
 * Runs `use` while a folder is a repository with exactly these packages. If it fails, the folder stays, so that the next build need not
 * download them again; `prune` removes it.
 * @param use gets the folder, and the words of apt's source line after its address
 * @throws UserError as `fetchPackages`, and whatever `use` throws
 */
export async function withRepository<T>(
  distribution: Distribution,
  packages: readonly LockedPackage[],
  context: BuildContext,
  use: (folder: string, words: string) => Promise<T>,
): Promise<T> {
  const { files, folders } = context.host;
  const folder = path.join(folders.parts(), "downloads", `packages-${recipeHash(packages)}`);
  try {
    await fetchPackages(distribution, packages, folder, context);
    const result = await use(folder, await writeRepository(folder, distribution.suite, packages, context));
    await files.remove(folder);
    return result;
  } catch (error) {
    throw asStorageError(error, folder);
  }
}

/**
 * Makes a repository for apt of a folder with packages: one version of each, so that apt has no choice.
 * @returns the words of apt's source line after the address
 */
async function writeRepository(
  folder: string,
  suite: string,
  packages: readonly LockedPackage[],
  { host, signal }: BuildContext,
): Promise<string> {
  const stanzas = [];
  for (const each of packages) {
    signal?.throwIfAborted();
    const { stdout } = await host.run(["dpkg-deb", "--field", path.join(folder, packageFile(each))], { signal });
    const place = [`Filename: ${packageFile(each)}`, `Size: ${each.bytes}`, `SHA256: ${each.sha256}`];
    stanzas.push(`${stdout.trimEnd()}\n${place.join("\n")}\n`);
  }
  const list = stanzas.join("\n");
  const index = `${COMPONENT}/binary-amd64/Packages`;
  const digest = createHash("sha256").update(list).digest("hex");
  const release = [
    // mmdebstrap selects essential packages by it.
    ...[`Suite: ${suite}`, `Codename: ${suite}`, "Architectures: amd64", `Components: ${COMPONENT}`],
    // Any date that has passed on every host.
    "Date: Wed, 01 Jan 2020 00:00:00 UTC",
    `SHA256:\n ${digest} ${Buffer.byteLength(list)} ${index}`,
    "",
  ];
  const dists = path.join(folder, "dists", suite);
  await host.files.writeAtomic(path.join(dists, index), list);
  await host.files.writeAtomic(path.join(dists, "Release"), release.join("\n"));
  return `${suite} ${COMPONENT}`;
}
