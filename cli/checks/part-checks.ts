import { imageFor } from "../../image/image-names";
import { describeSources } from "../../image/parts/choose-source";
import type { Hypervisor } from "../../provider/hypervisor";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { type Check, ok, problem, warning } from "./check";

export const checkPulumi: Check = async () => {
  const cli = await findPulumi();
  if (cli) return [ok("pulumi", `Pulumi ${cli.version} is in ${cli.binFolder} (${cli.how})`)];
  return [warning("pulumi", "Pulumi is not here yet", "`npm start` obtains it")];
};

export const checkDriver =
  (driver: Hypervisor, reason: string): Check =>
  async () => {
    const problems = await driver.problems();
    const found = problems.map(({ id, problem: text, hint }) => problem(id, text, hint));
    return [ok("driver", `driver ${driver.name}; ${reason}`), ...found];
  };

export const imageNamesOf = (kubernetesVersion: string): readonly string[] => [
  imageFor("gateway", kubernetesVersion),
  imageFor("master", kubernetesVersion),
];

export const checkImages =
  (driver: Hypervisor, kubernetesVersion: string): Check =>
  async () => {
    const found = await Promise.all(
      imageNamesOf(kubernetesVersion).map(async (name) => ({ name, image: await driver.inspectImage({ name }) })),
    );
    return found.map(({ name, image }) =>
      image
        ? ok("image", `image ${name} is here`)
        : warning("image", `image ${name} is not here yet`, "`npm start` or `groundplane image build` makes it"),
    );
  };

/** Only what is missing needs a source; an unusable one is worth knowing, not fatal. */
export const checkSources: Check = async () =>
  (await describeSources()).map(({ name, usable, reason }) =>
    usable
      ? ok("source", `source ${name}: ${reason}`)
      : warning("source", `source ${name}: ${reason}`, "another source may do; see above"),
  );
