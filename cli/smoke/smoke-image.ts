import { createHash } from "node:crypto";
import * as path from "node:path";
import { imagesFolder } from "../../host/data-folder";
import { removeTree, writeFileAtomic, writeJson } from "../../host/file-store";
import { bootSectorDisk } from "../../hypervisors/boot-sector";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { imageFor } from "../../image/recipes/image-names";
import { drivers } from "../../model/drivers";
import { defaultKubernetesVersion } from "../../model/releases";

/** What the tiny machine is made from, and how one knows on its console that it has booted. */
export interface SmokeImage {
  readonly name: string;
  readonly booted: RegExp;
  /** How long it may take to shut down in order; a boot sector knows the power button of VirtualBox alone. */
  readonly shutdownMs: number;
  /** Gives back what was made for it. */
  remove(): Promise<void>;
}

const LINE = "groundplane: booted from sector 0";

/**
 * Virtual machines boot a disk of one sector, so that nothing has to be built first. System containers have no sector
 * to boot from: theirs is the infrastructure image, which has to be there.
 */
export async function makeSmokeImage(driver: Hypervisor): Promise<SmokeImage> {
  const form = drivers[driver.name].imageForm;
  if (form === "tree") {
    const name = imageFor("infrastructure", defaultKubernetesVersion, form);
    await driver.ensureImage({ name });
    return { name, booted: /Reached target .*(?:multi-user|Multi-User)/, shutdownMs: 20_000, remove: async () => {} };
  }
  const disk = bootSectorDisk(LINE);
  const hex = createHash("sha256").update(disk).digest("hex");
  const name = `smoke-${hex.slice(0, 12)}`;
  const folder = path.join(imagesFolder(), name);
  await writeFileAtomic(path.join(folder, "disk.raw"), disk);
  const record = {
    name,
    form,
    digest: `sha256:${hex}`,
    sizeBytes: disk.length,
    createdFrom: { disk: "a boot sector" },
  };
  await writeJson(path.join(folder, "image.json"), record, 0o644);
  await driver.ensureImage({ name });
  return {
    name,
    booted: new RegExp(LINE),
    shutdownMs: 3_000,
    async remove() {
      await driver.releaseImage({ name });
      await removeTree(folder);
    },
  };
}
