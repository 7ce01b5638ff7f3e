import { changedSettings } from "./changed-settings";
import { rows } from "./configuration-changes";
import { guestCommand } from "./guest-paths";
import type { Settings } from "./resource-types";

/** How one node applies what changed between the files that it has and those that it gets. */
export interface AppliedChange {
  /** As argv. */
  readonly commands: readonly (readonly string[])[];
  readonly isShared: boolean;
}

export function appliedChange(before: Settings, after: Settings): AppliedChange {
  const changes = changedSettings(before, after).map(({ change }) => change);
  const names = new Set(changes.flatMap(({ appliedBy }) => appliedBy ?? []));
  const commands = [...names].map((name) => [
    guestCommand(name),
    ...Object.entries(rows)
      .filter(([, { appliedBy }]) => appliedBy === name)
      .flatMap(([key, { inFiles, formerly }]) => {
        const value = after[key] ?? formerly;
        return value === undefined ? [] : [`${inFiles}=${value}`];
      }),
  ]);
  return { commands, isShared: changes.some(({ isShared }) => isShared) };
}
