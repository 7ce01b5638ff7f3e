import type * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource whose name in the world is the planned one: the old object goes before the new one comes. The
 * provider's differences say so themselves; `--replace` does not ask for them.
 */
export const named = (opts?: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions => ({
  deleteBeforeReplace: true,
  ...opts,
});
