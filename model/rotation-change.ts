import { fixed, smaller } from "./key-changes";
import { describeStages, keyRotations, type RotatableKey } from "./key-rotations";

/** The change of a number below `secrets.rotate`. */
export const rotation = (key: RotatableKey) =>
  ({
    class: "rolling",
    effect: `${describeStages(keyRotations[key])} ${keyRotations[key].consequence}`,
    formerly: "0",
    cases: [
      {
        ...smaller,
        ...fixed("A key that was replaced does not come back.", "raise it to replace the key again"),
        // The record of the configuration has the number of a rotation even if the rotation was refused.
        guardedBy: "keys",
      },
    ],
  }) as const;
