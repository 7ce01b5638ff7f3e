import type * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource with a planned physical name: the old object is deleted before the new one is created. The provider's
 * differences request that as well, but `--replace` ignores them.
 */
export const named = (opts?: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions => ({
  deleteBeforeReplace: true,
  ...opts,
});
