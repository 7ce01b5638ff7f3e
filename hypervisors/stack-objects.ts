import * as path from "node:path";
import { type DriverName, driverNames, featuresOf } from "../model/drivers";
import type { Host } from "../model/host";
import { isObjectName } from "../model/object-names";
import type { Owner, StackObject } from "./hypervisor";

type Owned = { readonly owner: Owner } | undefined;

/** The names of a stack's objects of one kind, and their records. */
interface Records {
  readonly names: Promise<readonly string[]>;
  readonly read: (name: string) => Promise<Owned>;
}

/** For `listObjects`: the objects that these records describe. */
export async function recordedObjects(
  records: Readonly<Record<StackObject["kind"], Records>>,
): Promise<readonly StackObject[]> {
  const objects: StackObject[] = [];
  for (const kind of ["machine", "segment", "disk"] as const) {
    const { names, read } = records[kind];
    for (const name of await names) {
      const owner = (await read(name))?.owner;
      objects.push(owner ? { kind, name, owner } : { kind, name });
    }
  }
  return objects;
}

/** The data disks of a stack that are kept in the form of this driver. Another driver's disk may have the same folder. */
export async function diskNames(host: Host, stack: string, driver: DriverName): Promise<readonly string[]> {
  const folder = host.folders.disks(stack);
  const contentOf = featuresOf(driver).diskContent;
  if (!contentOf) return [];
  const names: string[] = [];
  for (const entry of await host.files.list(folder)) {
    const name = [entry, entry.split(".")[0] ?? ""].find((each) => path.dirname(contentOf(each)) === entry);
    if (name === undefined || !isObjectName(name)) continue;
    const others = driverNames
      .filter((other) => other !== driver)
      .map((other) => featuresOf(other).diskContent?.(name));
    const isOthers = await Promise.all(
      others.map((content) => content && host.files.exists(path.join(folder, content))),
    );
    if ((await host.files.exists(path.join(folder, contentOf(name)))) || !isOthers.some(Boolean)) names.push(name);
  }
  return names;
}
