// Many concurrent processes use one VirtualBox: calls never overlap, and every process succeeds.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { bundleIntoProject } from "../support/bundle-script";
import { onVirtualbox } from "../support/on-virtualbox";
import { BOOT_IMAGE, virtualboxStack } from "../support/virtualbox-stack";

const run = promisify(execFile);

onVirtualbox("eight processes and two stacks at once", (host) => {
  const stacks = ["even", "odd"].map((name) => virtualboxStack(host, name));
  const numbers = [1, 2, 3, 4];

  const script = bundleIntoProject("drive-machine");
  const all = (work: "make" | "remove", vboxManage: string) =>
    Promise.all(
      stacks.flatMap(({ name }) =>
        numbers.map((number) =>
          run(process.execPath, [script, work, name, String(number)], {
            env: { ...process.env, GROUNDPLANE_VBOXMANAGE: vboxManage },
          }),
        ),
      ),
    );

  test("all machines are created and removed, and no calls overlap", { timeout: 20 * 60_000 }, async () => {
    const busy = path.join(path.dirname(host.data), "busy");
    const overlaps = path.join(path.dirname(host.data), "overlaps");
    // The conversion of an image does not use VBoxSVC and may run beside other calls.
    const vboxManage = host.disturbed(`
case $1 in convertfromraw) exec $vboxmanage "$@" ;; esac
mkdir ${busy} 2>/dev/null || echo "$*" >>${overlaps}
$vboxmanage "$@"
code=$?
rmdir ${busy}
exit $code`);
    await all("make", vboxManage);
    for (const stack of stacks) {
      for (const number of numbers) {
        const { spec, power } = await stack.inspect(stack.spec(number));
        assert.deepEqual([spec, power], [stack.spec(number), "running"]);
      }
    }
    const multiattach = (await host.manage("list", "hdds")).match(/multiattach/g) ?? [];
    assert.equal(multiattach.length, 1, "the image was converted once");
    await all("remove", vboxManage);
    assert.ok(!fs.existsSync(overlaps), "calls overlapped");
    for (const stack of stacks) await stack.remove();
    await stacks[0]?.driver.releaseImage({ name: BOOT_IMAGE });
    assert.deepEqual(await host.traces(["even", "odd", "groundplane"]), []);
  });
});
