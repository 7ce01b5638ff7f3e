import { changedSettings, type SettingChange } from "./changed-settings";
import { endsWithoutHandover } from "./key-changes";
import type { Settings } from "./resource-types";

/** Why a running stack cannot have the new configuration; empty if it can. */
export function refusedSettings(before: Settings, after: Settings): readonly string[] {
  // A stack that is not created yet has no former values.
  if (Object.keys(before).length === 0) return [];
  const changes = changedSettings(before, after);
  const refused = changes.filter((one) => one.change.class === "creation-only");
  const fixed = refused
    .filter(({ change: { guardedBy, follows } }) => !guardedBy && !refused.some(({ key }) => key === follows))
    .map(({ key, before: old, after: now, change: { effect, instead } }) => {
      const rule = `it is fixed when the stack is created. ${effect}`;
      return `${key}: ${old} cannot become ${now}: ${rule} Set ${key} to ${old} again, or ${instead}`;
    });
  return [...fixed, ...changes.flatMap(pairWithoutHandover)];
}

function pairWithoutHandover({ key, before, after }: SettingChange): readonly string[] {
  if (key !== "options.failoverBy" || !endsWithoutHandover(before, after)) return [];
  return [
    "pools.balancers.count: with keepalived, 2 cannot become 1: no command hands the floating IP to the balancer that stays. " +
      "Keep both, or set options.failoverBy to pacemaker first, with a separate `up`",
  ];
}
