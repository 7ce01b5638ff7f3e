import * as path from "node:path";
import {
  FIRST_VERSION,
  fileVersions,
  newerResource,
  newerThanCode,
  type StoredResource,
  storedVersion,
} from "../model/formats";
import { dataFolder, localStateFile } from "./data-folder";
import { exists, readIfPresent, readJson, writeJson } from "./file-store";

/** The file with the version of the data folder. Folders of earlier versions have none, which means version 1. */
export const dataVersionFile = (): string => path.join(dataFolder(), "version.json");

/** Each leads from its version to the next one, and may be killed and run again. */
export type DataMigrations = Readonly<Record<number, () => Promise<void>>>;

const migrations: DataMigrations = {};

/**
 * Every command and the plugin call it first. A file that this user cannot read is left to the checks of owners and folders.
 * @throws UserError `newer-data`
 */
export async function refuseNewerData(known: number = fileVersions.dataFolder): Promise<void> {
  const version = await dataVersion();
  if (version <= known) return;
  throw newerThanCode(
    `the data folder ${dataFolder()}`,
    version,
    known,
    "; another GROUNDPLANE_DATA selects another data folder",
  );
}

interface State {
  readonly checkpoint?: { readonly latest?: { readonly resources?: readonly StoredResource[] } };
}

/**
 * Refuses a stack of which any resource is newer, before a command or the plugin changes the others. It reads the state of a local backend
 * only: another one may be slow or out of reach, and the plugin refuses newer resources one by one. A state that this user cannot read is
 * left to the checks of owners.
 * @throws UserError `newer-data`
 */
export async function refuseNewerState(stack: string): Promise<void> {
  const state = await readJson<State>(localStateFile(stack)).catch(() => undefined);
  const problem = newerResource(state?.checkpoint?.latest?.resources ?? []);
  if (problem) throw problem;
}

/**
 * Migrates a folder of an earlier version and records the present one. A folder that does not exist is left to what creates it.
 * @throws UserError `newer-data`
 */
export async function updateDataFolder(
  known: number = fileVersions.dataFolder,
  steps: DataMigrations = migrations,
): Promise<void> {
  await refuseNewerData(known);
  if (!(await exists(dataFolder()))) return;
  for (let version = await dataVersion(); version < known; version += 1) {
    await steps[version]?.();
    await writeVersion(version + 1);
  }
  if (!(await exists(dataVersionFile()))) await writeVersion(known);
}

const writeVersion = (version: number): Promise<void> => writeJson(dataVersionFile(), { version });

async function dataVersion(): Promise<number> {
  const text = await readIfPresent(dataVersionFile()).catch(() => undefined);
  if (text === undefined) return FIRST_VERSION;
  try {
    const written = JSON.parse(text) as { readonly version?: unknown } | null;
    return storedVersion(written?.version ?? null);
  } catch {
    return storedVersion(null);
  }
}
