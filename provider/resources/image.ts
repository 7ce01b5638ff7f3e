import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { ImageInputs, ImageOutputs } from "../../model/resource-types";
import { UNKNOWN } from "../rpc/property-values";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** A sealed image prepared for a driver. All stacks share it: the last user releases it. */
export function imageResource(driverByName: DriverByName): TypedResource<ImageInputs, ImageOutputs> {
  const inspect = ({ driver, name }: ImageInputs) => driverByName(driver).inspectImage({ name });
  const ensured = async (inputs: ImageInputs): Promise<ImageOutputs> => {
    const { digest } = await driverByName(inputs.driver).ensureImage({ name: inputs.name });
    return { ...inputs, digest };
  };
  return {
    schema: {
      description: "A sealed image in the image store, verified to be complete.",
      inputs: { driver: schemas.driver, name: schemas.text("Name in the image store; it contains the recipe's hash.") },
      outputs: { digest: schemas.text("Digest of the image's content.") },
    },
    replaceOn: ["driver", "name"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, { log }) {
      const id = `${inputs.driver}/${inputs.name}`;
      if (!preview) return { id, outputs: await ensured(inputs) };
      const image = await inspect(inputs);
      if (!image) log("info", `${inputs.name}: \`up\` prepares it for ${inputs.driver}`);
      return { id, outputs: { ...inputs, digest: image?.digest ?? UNKNOWN } };
    },

    async read(id) {
      const slash = id.indexOf("/");
      const inputs = { driver: id.slice(0, slash), name: id.slice(slash + 1) };
      const image = await inspect(inputs);
      return image && { inputs, outputs: { ...inputs, digest: image.digest } };
    },

    async update(_id, inputs, _olds, preview) {
      if (!preview) return ensured(inputs);
      return { ...inputs, digest: (await inspect(inputs))?.digest ?? UNKNOWN };
    },

    async delete(_id, { inputs: { driver, name } }) {
      // The sealed image stays for other stacks and the next `up`; only the driver's copy may be removed.
      await driverByName(driver).releaseImage({ name });
    },
  };
}
