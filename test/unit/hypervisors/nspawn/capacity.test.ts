import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseProcessors, parseProcessors } from "../../../../hypervisors/nspawn/capacity";
import { growFile, makeExt4 } from "../../../../hypervisors/nspawn/commands";

test("a machine keeps to the processors that the fewest others keep to", () => {
  assert.deepEqual(chooseProcessors([0, 1, 2, 3], 1, []), [0]);
  assert.deepEqual(chooseProcessors([0, 1, 2, 3], 1, [[0]]), [1]);
  assert.deepEqual(chooseProcessors([0, 1, 2, 3], 2, [[0], [1, 2]]), [0, 3]);
  assert.deepEqual(chooseProcessors([4, 6], 1, [[4], [6], [4]]), [6], "the host may give only some of its processors");
});

test("machines that use all processors do not count, and such a machine keeps to none", () => {
  assert.deepEqual(chooseProcessors([0, 1], 1, [[0, 1], [0, 1], [1]]), [0]);
  assert.deepEqual(chooseProcessors([0, 1], 2, [[0], [0]]), [0, 1]);
  assert.deepEqual(chooseProcessors([0, 1], 8, []), [0, 1], "a plan may have more than the host");
});

test("the kernel's lists of processors are read", () => {
  assert.deepEqual(parseProcessors("0-2,5\n"), [0, 1, 2, 5]);
  assert.deepEqual(parseProcessors("3\n"), [3]);
  assert.deepEqual(parseProcessors("\n"), []);
});

test("the file system of pods is sparse, never shrinks, and keeps no space for root", () => {
  assert.deepEqual(growFile("/data/pods.ext4", 20), ["truncate", "--size=>20G", "--", "/data/pods.ext4"]);
  assert.deepEqual(makeExt4("/data/pods.ext4").slice(0, 7), ["mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096"]);
});
