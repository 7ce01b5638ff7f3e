import type { StoredResource } from "../model/formats";
import { unrecordedKubernetesVersion } from "../model/releases";
import { localStateFile } from "./data-folder";
import { readIfPresent, readJson } from "./file-store";
import { guardFile, type StoredRelease } from "./guard-file";
import { restoreFilesOf } from "./restore-mark";

/** The release that applies where a stack's file names none: what it runs, or that of the backup which is restored. `undefined`: the newest. */
export const keptRelease = async (stack: string): Promise<string | undefined> =>
  (await runningRelease(stack)) ?? releaseOfRestore(stack);

/**
 * The release that a stack runs; `undefined` for a new stack. The guard records it with each `up`. A stack of an earlier version has it in
 * Pulumi's state only, if a local backend has that. A file that this user cannot read is left to the checks of owners.
 */
export async function runningRelease(stack: string): Promise<string | undefined> {
  const record = await readJson<StoredRelease>(guardFile(stack)).catch(() => undefined);
  if (record?.kubernetesVersion !== undefined) return record.kubernetesVersion;
  const ofState = await releaseInState(stack);
  if (ofState !== undefined) return ofState;
  return record === undefined ? undefined : unrecordedKubernetesVersion;
}

async function releaseOfRestore(stack: string): Promise<string | undefined> {
  const text = await readIfPresent(restoreFilesOf(stack).release).catch(() => undefined);
  return text?.trim() || undefined;
}

interface State {
  readonly checkpoint?: { readonly latest?: { readonly resources?: readonly StoredResource[] } };
}

async function releaseInState(stack: string): Promise<string | undefined> {
  const state = await readJson<State>(localStateFile(stack)).catch(() => undefined);
  const resources = state?.checkpoint?.latest?.resources ?? [];
  const guard = resources.find(({ type }) => type === "groundplane:index:Guard");
  if (guard === undefined) return undefined;
  const { settings } = (guard.inputs ?? {}) as { readonly settings?: StoredRelease };
  return settings?.kubernetesVersion ?? unrecordedKubernetesVersion;
}
