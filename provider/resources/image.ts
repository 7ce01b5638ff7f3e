import type { DriverByName } from "../drivers/driver-by-name";
import { UserError } from "../host/user-error";
import type { ImageInputs, ImageOutputs } from "../resource-types";
import { UNKNOWN } from "../rpc/property-values";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** A sealed image that must be there. It is shared by all stacks, so nothing here makes or removes it. */
export function imageResource(driverByName: DriverByName): TypedResource<ImageInputs, ImageOutputs> {
  const inspect = ({ driver, name }: ImageInputs) => driverByName(driver).inspectImage({ name });
  return {
    schema: {
      description: "A sealed image in the image store, verified to be complete.",
      inputs: { driver: schemas.driver, name: schemas.text("Name in the image store, contains the recipe's hash.") },
      outputs: { digest: schemas.text("Digest of the image's content.") },
    },
    replaceOn: ["driver", "name"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, { log }) {
      const id = `${inputs.driver}/${inputs.name}`;
      const image = await inspect(inputs);
      if (image) return { id, outputs: { ...inputs, digest: image.digest } };
      const missing = missingImage(inputs.name);
      if (!preview) throw missing;
      log("warning", missing.message);
      return { id, outputs: { ...inputs, digest: UNKNOWN } };
    },

    async read(id) {
      const slash = id.indexOf("/");
      const inputs = { driver: id.slice(0, slash), name: id.slice(slash + 1) };
      const image = await inspect(inputs);
      return image && { inputs, outputs: { ...inputs, digest: image.digest } };
    },

    async update(_id, inputs, _olds, preview) {
      const image = await inspect(inputs);
      if (!image && !preview) throw missingImage(inputs.name);
      return { ...inputs, digest: image?.digest ?? UNKNOWN };
    },

    async delete() {
      // Kept: other stacks use it, and the next `up` of this one.
    },
  };
}

const missingImage = (name: string): UserError =>
  new UserError(
    "image-missing",
    `the image ${name} is not there, or not complete`,
    "run `npx groundplane image build`",
  );
