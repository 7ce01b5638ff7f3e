import { UserError } from "../../model/user-error";
import { bundleSource } from "./bundle-source";
import { debianSource } from "./debian-source";
import { type Availability, type Part, type PartSource, partTitle } from "./part-source";
import { programSource } from "./program-source";
import { upstreamSource } from "./upstream-source";

/** In the order in which they are preferred. */
export function allSources(): readonly PartSource[] {
  return [bundleSource, debianSource, upstreamSource(), programSource];
}

/**
 * The first usable source that has the part.
 * @throws UserError `no-source` with every source's reason
 */
export async function chooseSource(part: Part, sources: readonly PartSource[]): Promise<PartSource> {
  const reasons = [];
  for (const source of sources.filter((each) => each.provides(part))) {
    const { usable, reason } = await source.available(part);
    if (usable) return source;
    reasons.push(`${source.name}: ${reason}`);
  }
  throw new UserError(
    "no-source",
    `there is no source for ${partTitle(part)}\n${reasons.map((reason) => `    ${reason}`).join("\n")}`,
    "make one of them usable, or load a bundle made on another machine: npx groundplane bundle load FILE",
  );
}

export interface SourceDescription extends Availability {
  readonly name: string;
}

/** What `doctor` shows: every source, in the order of preference, and whether it could be used now. */
export async function describeSources(
  sources: readonly PartSource[] = allSources(),
): Promise<readonly SourceDescription[]> {
  return Promise.all(sources.map(async (source) => ({ name: source.name, ...(await source.available()) })));
}
