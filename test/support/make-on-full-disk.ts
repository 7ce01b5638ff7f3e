/**
 * Creates a machine on a full disk, then on one with free space: `make-on-full-disk.ts ROOT`, in a mount namespace whose
 * TMPDIR is a small file system. Prints the results.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "../../model/user-error";
import { makeVirtualboxHost } from "./virtualbox-host";
import type { VirtualboxRoot } from "./virtualbox-root";
import { BOOT_IMAGE, virtualboxStack } from "./virtualbox-stack";

const STEP_BYTES = 16 * 1024;

async function main(root: VirtualboxRoot): Promise<unknown> {
  const host = makeVirtualboxHost(root);
  try {
    const stack = virtualboxStack(host, "full");
    const filler = path.join(host.data, "filler");
    const machine = stack.spec(1);
    await stack.make(stack.spec(2));
    const failed = new Set<string>();
    // With more free space, a different step fails each time.
    for (let room = 0, id = ""; id !== "made"; room += STEP_BYTES) {
      fillUp(filler, room);
      id = await stack.make(machine).then(
        () => "made",
        (error: unknown) => (error instanceof UserError ? error.id : String(error)),
      );
      if (id !== "made") failed.add(id);
      fs.rmSync(filler);
    }
    await stack.driver.removeMachine(machine, stack.owner(machine.name));
    await stack.make(machine);
    await stack.driver.startMachine(machine);
    const power = (await stack.inspect(machine)).power;
    await stack.remove(1, 2);
    await stack.driver.releaseImage({ name: BOOT_IMAGE });
    return { failed: [...failed], power, left: await host.traces(["full", "groundplane"]) };
  } finally {
    await host.close();
  }
}

/** Fills the disk except for `room` bytes. */
function fillUp(file: string, room: number): void {
  const { bavail, bsize } = fs.statfsSync(path.dirname(file));
  fs.writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - room)));
}

main(JSON.parse(process.argv[2] ?? "") as VirtualboxRoot).then((result) => console.log(JSON.stringify(result)));
