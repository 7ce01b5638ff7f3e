import { localHost } from "../../host/local-host";
import type { DriverChoice } from "../../hypervisors/choice/choose-driver";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { buildingProblem, isOrdinaryUser } from "../../image/build-in-namespace";
import { describeSources, type SourceDescription } from "../../image/parts/ensure-part";
import { imageNames } from "../../image/recipes/image-names";
import { type DriverName, drivers } from "../../model/drivers";
import type { Configuration } from "../../stacks/config/configuration";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { type Check, type Finding, ok, problem, warning } from "./check";

export const checkPulumi: Check = async () => {
  const cli = await findPulumi();
  if (cli) return [ok("pulumi", `Pulumi ${cli.version} is in ${cli.binFolder} (${cli.how})`)];
  return [warning("pulumi", "Pulumi is not here yet", "`npm start` obtains it")];
};

/** The driver, why it was chosen and others were not, and what it says of this host. */
export const checkDriver =
  (driver: Hypervisor, { reason, passedOver }: Pick<DriverChoice, "reason" | "passedOver">): Check =>
  async () => {
    const others = passedOver.map((other) => `\nnot ${other.driver}: ${other.reason}`).join("");
    return [ok("driver", `driver ${driver.name}; ${reason}${others}`), ...(await examine(driver))];
  };

async function examine(driver: Hypervisor): Promise<readonly Finding[]> {
  if (driver.examineHost) return driver.examineHost();
  return (await driver.problems()).map(({ id, problem: text, hint }) => problem(id, text, hint));
}

/** The images of a stack that this driver runs. */
export const imageNamesOf = (driver: DriverName, { kubernetesVersion, distribution }: ImageWishes): readonly string[] =>
  imageNames(kubernetesVersion, drivers[driver].imageForm, distribution);

/** What of a configuration decides about images. */
type ImageWishes = Pick<Configuration, "kubernetesVersion" | "distribution">;

export const checkImages =
  (driver: Hypervisor, wishes: ImageWishes): Check =>
  async () => {
    const found = await Promise.all(
      imageNamesOf(driver.name, wishes).map(async (name) => ({
        name,
        image: await driver.inspectImage({ name }),
      })),
    );
    return found.map(({ name, image }) =>
      image
        ? ok("image", `image ${name} is here`)
        : warning("image", `image ${name} is not here yet`, "`npm start` or `npx groundplane image build` makes it"),
    );
  };

/** Who is not root builds in a user namespace. */
export const checkImageBuilding: Check = async () => {
  if (process.platform !== "linux") return [];
  if (!isOrdinaryUser(localHost)) return [ok("image-building", "images can be built, as root")];
  const found = await buildingProblem(localHost);
  if (found) return [warning("image-building", found.problem, found.hint)];
  return [ok("image-building", "images can be built without root, in a user namespace")];
};

/** Only what is missing needs a source, and one is enough. */
export const checkSources: Check = async () => describeFoundSources(await describeSources(localHost));

/** A source that cannot be used matters when no other has what it would give: the programs that nodes run. */
export function describeFoundSources(sources: readonly SourceDescription[]): readonly Finding[] {
  const isEnough = sources.some(({ name, usable }) => usable && name !== "debian");
  const hint = "`npm start` fetches Go and builds them; without any network: `npx groundplane bundle load FILE`";
  return sources.map(({ name, usable, reason }) => {
    if (usable) return ok("source", `parts from ${name}: ${reason}`);
    const text = `parts from ${name}: not now, ${reason}`;
    return isEnough ? ok("source", `${text}; another source has them`) : warning("source", text, hint);
  });
}
