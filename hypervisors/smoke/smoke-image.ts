import { createHash } from "node:crypto";
import * as path from "node:path";
import { imageFor } from "../../image/recipes/image-names";
import { drivers } from "../../model/drivers";
import type { Host } from "../../model/host";
import { defaultKubernetesVersion } from "../../model/releases";
import { bootSectorDisk } from "../boot-sector";
import type { Hypervisor } from "../hypervisor";

/** What the tiny machine is created from, and how its console shows that it has booted. */
export interface SmokeImage {
  readonly name: string;
  readonly booted: RegExp;
  /** How long a shutdown may take; the boot sector reacts only to the power button of VirtualBox. */
  readonly shutdownMs: number;
  /** Removes what was created for it. */
  remove(): Promise<void>;
}

const LINE = "groundplane: booted from sector 0";

/**
 * Virtual machines boot a disk of one sector, which needs no build. System containers cannot boot a sector; they use the
 * infrastructure image, which must be present.
 */
export async function makeSmokeImage(
  driver: Hypervisor,
  { files, folders }: Host,
  ofStack?: string,
): Promise<SmokeImage> {
  const form = drivers[driver.name].imageForm;
  if (form === "tree") {
    const name = ofStack ?? imageFor("infrastructure", defaultKubernetesVersion, form);
    await driver.ensureImage({ name });
    return { name, booted: /Reached target .*(?:multi-user|Multi-User)/, shutdownMs: 20_000, remove: async () => {} };
  }
  const disk = bootSectorDisk(LINE);
  const hex = createHash("sha256").update(disk).digest("hex");
  const name = `smoke-${hex.slice(0, 12)}`;
  const folder = path.join(folders.images(), name);
  await files.writeAtomic(path.join(folder, "disk.raw"), disk);
  const record = {
    name,
    form,
    digest: `sha256:${hex}`,
    sizeBytes: disk.length,
    createdFrom: { disk: "a boot sector" },
  };
  await files.writeJson(path.join(folder, "image.json"), record, 0o644);
  await driver.ensureImage({ name });
  return {
    name,
    booted: new RegExp(LINE),
    shutdownMs: 3_000,
    async remove() {
      await driver.releaseImage({ name });
      await files.remove(folder);
    },
  };
}
