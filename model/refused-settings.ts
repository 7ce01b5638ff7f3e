import { changedSettings } from "./changed-settings";
import type { KeyChange } from "./key-changes";
import type { Settings } from "./resource-types";

/**
 * Why a running stack cannot have the new configuration; empty if it can.
 *
 * @param by what refuses the changes that are asked for; absent: the record of the configuration
 */
export function refusedSettings(before: Settings, after: Settings, by?: KeyChange["guardedBy"]): readonly string[] {
  // A stack that is not created yet has no former values.
  if (Object.keys(before).length === 0) return [];
  const refused = changedSettings(before, after).filter((one) => one.change.class === "creation-only");
  return refused
    .filter(({ change: { guardedBy, follows } }) => guardedBy === by && !refused.some(({ key }) => key === follows))
    .map(
      ({
        key,
        before: old,
        after: now,
        change: { effect, instead, formerly, rule = "it is fixed when the stack is created." },
      }) => {
        const why = `${rule} ${effect}`;
        const isAbsent = old === "none" && formerly === "none";
        const back = isAbsent ? `Remove ${key}` : `Set ${key} to ${old} again`;
        return `${key}: ${old} cannot become ${now}: ${why} ${back}, or ${instead}`;
      },
    );
}
