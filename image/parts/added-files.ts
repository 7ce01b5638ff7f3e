import * as path from "node:path";
import { containerRuntimeNames } from "../../model/container-runtimes";
import type { Host } from "../../model/host";
import { downloadKey, type PinnedDigests, pinnedDigests } from "../../model/pinned-downloads";
import { kubernetesVersions } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { kubernetesRecipe } from "../recipes/kubernetes";
import type { ProgramsRecipe } from "../recipes/recipe";
import { type Part, type PartSource, partTitle } from "./part";
import { publicAddresses, type UpstreamFile, upstreamFiles } from "./upstream-files";
import { unpackFile } from "./upstream-source";

/**
 * Files of releases that a user has brought to a host that cannot download them. Each has a folder, in which it is called by its
 * digest: it is complete when it has this name.
 */
export const addedFolder = ({ folders }: Host): string => path.join(folders.data(), "part-files");

export interface ReleaseFile {
  readonly recipe: ProgramsRecipe;
  readonly file: UpstreamFile;
}

/** The files that the part's project publishes; none for a part that cannot be added. */
export const releaseFilesOf = (recipe: ProgramsRecipe): readonly ReleaseFile[] =>
  upstreamFiles(recipe, publicAddresses).map((file) => ({ recipe, file }));

/** Every file that can be added, each once. */
export function releaseFiles(): readonly ReleaseFile[] {
  const recipes = kubernetesVersions.flatMap((version) =>
    containerRuntimeNames.flatMap((runtime) => kubernetesRecipe(version, runtime).parts),
  );
  return [...new Map(recipes.flatMap(releaseFilesOf).map((each) => [keyOf(each), each])).values()];
}

export const keyOf = ({ recipe, file }: ReleaseFile): string => downloadKey(recipe.name, recipe.version, file.name);

export const folderOf = (host: Host, { recipe, file }: ReleaseFile): string =>
  path.join(addedFolder(host), `${recipe.name}-${recipe.version}-${file.name}`);

/** How to bring a part to a host without a source for it; undefined when its project publishes no file of it. */
export function howToAdd(part: Part): string | undefined {
  const files = part.kind === "programs" ? releaseFilesOf(part.recipe) : [];
  if (files.length === 0) return undefined;
  const each = files.length === 1 ? "" : `, and ${files.length - 1} more of this release`;
  const { recipe, file } = files[0] as ReleaseFile;
  const isAmbiguous = releaseFiles().filter((other) => other.file.name === file.name).length > 1;
  const version = isAmbiguous ? ` --version ${recipe.version}` : "";
  return `add the release's file: npx groundplane part add ${file.name}${version} (from ${file.url}${each})`;
}

/** The digest of a file that was added; a digest of the table holds whatever the user named before. */
export async function kept(host: Host, release: ReleaseFile, digests: PinnedDigests): Promise<string | undefined> {
  const names = await host.files.list(folderOf(host, release));
  const pinned = digests[keyOf(release)];
  return names.find((name) => (pinned === undefined ? /^[0-9a-f]{64}$/.test(name) : name === pinned));
}

/** Parts from files that `part add` has kept. */
export const addedSource = (host: Host, digests: PinnedDigests = pinnedDigests): PartSource => ({
  name: "files",
  provides: (part) => part.kind === "programs" && releaseFilesOf(part.recipe).length > 0,
  available: async (part) => {
    const wanted = part?.kind === "programs" ? releaseFilesOf(part.recipe) : releaseFiles();
    const found = await Promise.all(wanted.map((each) => kept(host, each, digests)));
    const count = found.filter((each) => each !== undefined).length;
    if (part) {
      const usable = wanted.length > 0 && count === wanted.length;
      return { usable, reason: `${count} of ${wanted.length} files of ${partTitle(part)} have been added` };
    }
    return { usable: count > 0, reason: count > 0 ? `${count} files have been added` : "no file has been added" };
  },
  fetch: async (part, target) => {
    if (part.kind !== "programs") throw new Error("this source has programs only");
    for (const release of releaseFilesOf(part.recipe)) {
      const sha256 = await kept(host, release, digests);
      const file = path.join(folderOf(host, release), sha256 ?? "");
      if (sha256 === undefined || (await host.files.digest(file).catch(() => undefined)) !== sha256)
        throw new UserError("part-damaged", `${file} has changed`, `remove it, and add ${release.file.name} again`);
      await unpackFile(host, release.file, file, target);
    }
    return "published by its project, added by a user";
  },
});
