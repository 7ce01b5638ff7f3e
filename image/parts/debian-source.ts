import { buildRootTree } from "../build/root-tree";
import type { PartSource } from "./part-source";

/** The root tree, from the packages of a Debian mirror. */
export const debianSource: PartSource = {
  name: "debian",
  provides: (part) => part.kind === "root-tree",
  available: async () => ({ usable: true, reason: "Debian packages are fetched when they are needed" }),
  fetch: async (part, target, context) => {
    if (part.kind !== "root-tree") throw new Error("this source has root trees only");
    return buildRootTree(part.recipe, target, context);
  },
};
