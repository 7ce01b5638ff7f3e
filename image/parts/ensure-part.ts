import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { buildRootTree } from "../build/root-tree";
import type { BuildContext } from "../store/build-context";
import { ensureSealed, type SealedFolder, type Verification } from "../store/sealed-folder";
import { addedSource, howToAdd } from "./added-files";
import { bundleSource } from "./bundle-source";
import { type Availability, type Part, type PartSource, partName, partTitle } from "./part";
import { programSource } from "./program-source";
import { upstreamSource } from "./upstream-source";

/** In the order of preference. */
export function allSources(host: Host): readonly PartSource[] {
  return [bundleSource(host), addedSource(host), debianSource, upstreamSource(host), programSource(host)];
}

/** The root tree, from the packages of a mirror. */
export const debianSource: PartSource = {
  name: "debian",
  provides: (part) => part.kind === "root-tree",
  available: async () => ({ usable: true, reason: "Debian packages are fetched when they are needed" }),
  fetch: async (part, target, context) => {
    if (part.kind !== "root-tree") throw new Error("this source has root trees only");
    return buildRootTree(part.recipe, target, context);
  },
};

/** Returns a part; fetches it from the first usable source when it is absent or damaged. */
export async function ensurePart(
  part: Part,
  sources: readonly PartSource[],
  context: BuildContext & Verification,
): Promise<SealedFolder> {
  const folder = path.join(context.host.folders.parts(), partName(part));
  return ensureSealed(folder, partTitle(part), context, async (content) => {
    const source = await chooseSource(part, sources);
    context.progress({ phase: partTitle(part), message: `from ${source.name}` });
    return source.fetch(part, content, context).catch((error: unknown) => {
      throw withOtherWay(part, error);
    });
  });
}

/** A source may be usable without a network only as long as it needs none for the part. */
function withOtherWay(part: Part, error: unknown): unknown {
  const add = howToAdd(part);
  if (!(error instanceof UserError && error.id === "network") || add === undefined) return error;
  return new UserError(error.id, error.problem, `${error.hint}, or ${add}`, { cause: error });
}

/**
 * The first usable source that has the part.
 * @throws UserError `no-source` with the reason of every source
 */
export async function chooseSource(part: Part, sources: readonly PartSource[]): Promise<PartSource> {
  return (await findSource(part, sources)).source;
}

export interface FoundSource {
  readonly source: PartSource;
  /** Why it can be used. */
  readonly reason: string;
}

/** As `chooseSource`. */
export async function findSource(part: Part, sources: readonly PartSource[]): Promise<FoundSource> {
  const reasons = [];
  for (const source of sources.filter((each) => each.provides(part))) {
    const { usable, reason } = await source.available(part);
    if (usable) return { source, reason };
    reasons.push(`${source.name}: ${reason}`);
  }
  const add = howToAdd(part);
  throw new UserError(
    "no-source",
    `there is no source for ${partTitle(part)}\n${reasons.map((reason) => `    ${reason}`).join("\n")}`,
    `make one of them usable${add === undefined ? "" : `, ${add}`}, or load a bundle made on another machine: npx groundplane bundle load FILE`,
  );
}

export interface SourceDescription extends Availability {
  readonly name: string;
}

/** What `doctor` shows: every source in the order of preference, and whether it can be used now. */
export async function describeSources(host: Host): Promise<readonly SourceDescription[]> {
  return Promise.all(allSources(host).map(async (source) => ({ name: source.name, ...(await source.available()) })));
}
