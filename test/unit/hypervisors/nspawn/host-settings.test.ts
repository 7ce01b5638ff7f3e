import assert from "node:assert/strict";
import { test } from "node:test";
import { tidyRunFolder } from "../../../../hypervisors/nspawn/host-settings";
import type { Host } from "../../../../model/host";

for (const [what, isRegistered, expected] of [
  ["another stack is registered, whose uplink may be about to start", true, ["locks", ""]],
  ["no stack is left", false, ["uplinks", "locks", ""]],
] as const) {
  test(`empty folders that are removed when ${what}`, async () => {
    const removed: string[] = [];
    const files = {
      exists: async () => isRegistered,
      removeIfEmpty: async (folder: string) => removed.push(folder.replace(/^\/run\/groundplane\/?/, "")),
    };
    const locks = { withLock: (_file: string, action: () => Promise<unknown>) => action() };
    await tidyRunFolder({ files, locks } as unknown as Host);
    assert.deepEqual(removed, expected);
  });
}
