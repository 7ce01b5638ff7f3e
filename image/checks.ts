import * as path from "node:path";
import type { ContainerRuntimeName } from "../model/container-runtimes";
import type { DistributionName } from "../model/distributions";
import { type DriverName, drivers } from "../model/drivers";
import type { Host } from "../model/host";
import { type HostFinding, ok, warning } from "../model/host-finding";
import { buildingProblem, isOrdinaryUser } from "./build-in-namespace";
import type { SourceDescription } from "./parts/ensure-part";
import { imageNames } from "./recipes/image-names";

/** The part of a configuration that decides about images. */
export interface ImageWishes {
  readonly kubernetesVersion: string;
  readonly distribution: DistributionName;
  readonly options: { readonly runtime: ContainerRuntimeName };
}

/** The images of a stack that this driver runs. */
export const imageNamesOf = (
  driver: DriverName,
  { kubernetesVersion, distribution, options }: ImageWishes,
): readonly string[] => imageNames(kubernetesVersion, drivers[driver].imageForm, distribution, options.runtime);

/** Whether all these images are sealed: their records are written last. */
export async function areImagesPresent(names: readonly string[], { files, folders }: Host): Promise<boolean> {
  const found = await Promise.all(names.map((name) => files.exists(path.join(folders.images(), name, "image.json"))));
  return found.every(Boolean);
}

/** @param inspect of the driver: whether machines can be created from an image */
export async function checkImages(
  names: readonly string[],
  inspect: (image: { readonly name: string }) => Promise<unknown>,
): Promise<readonly HostFinding[]> {
  return Promise.all(
    names.map(async (name) =>
      (await inspect({ name }))
        ? ok("image", `image ${name} is present`)
        : warning("image", `image ${name} is missing`, "`npm start` or `npx groundplane image build` builds it"),
    ),
  );
}

/** Users other than root build in a user namespace. */
export async function checkImageBuilding(host: Host): Promise<readonly HostFinding[]> {
  if (host.facts.platform !== "linux") return [];
  if (!isOrdinaryUser(host)) return [ok("image-building", "this user, root, can build images")];
  const found = await buildingProblem(host);
  if (found) return [warning("image-building", found.problem, found.hint)];
  return [ok("image-building", "this user can build images in a user namespace")];
}

/**
 * Only a missing part needs a source. A source that cannot be used matters only when no other provides the programs that
 * nodes run.
 */
export function describeFoundSources(sources: readonly SourceDescription[]): readonly HostFinding[] {
  const isEnough = sources.some(({ name, usable }) => usable && name !== "debian");
  const hint = "`npm start` downloads Go and builds them; without a network: `npx groundplane bundle load FILE`";
  return sources.map(({ name, usable, reason }) => {
    if (usable) return ok("source", `parts from ${name}: ${reason}`);
    const text = `parts from ${name}: unavailable, ${reason}`;
    return isEnough ? ok("source", `${text}; another source has them`) : warning("source", text, hint);
  });
}
