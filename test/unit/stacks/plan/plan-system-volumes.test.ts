import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DISK_OVERHEAD_MIB, volumes } from "../../../../model/volumes";
import type { PoolConfiguration } from "../../../../stacks/config/configuration";
import { planSystemVolumes } from "../../../../stacks/plan/plan-system-volumes";

const pool = (diskGiB: number, named: PoolConfiguration["volumes"] = {}): PoolConfiguration => ({
  count: 1,
  cpus: 1,
  memoryMiB: 512,
  diskGiB,
  volumes: named,
  disks: [],
});
const sizes = (of: PoolConfiguration) =>
  Object.fromEntries(planSystemVolumes(of, "kubernetes").map(({ mountPoint, sizeMiB }) => [mountPoint, sizeMiB]));

test("configured volumes get their size, other volumes get their share, and some space stays free", () => {
  const planned = sizes(pool(20, { "/var": 10 }));
  assert.equal(planned["/var"], 10_240);
  // 20480 MiB minus 384, 10240 and the image's 1856 leaves 8000 MiB, and 5 % of that is 400 MiB.
  assert.deepEqual(planned, { "/": 656, "/usr": 1808, "/var": 10_240, "/tmp": 528, "/opt": 464 });
});

test("the shares leave free space", () => {
  assert.ok(volumes.reduce((sum, { growthShare }) => sum + growthShare, 0) < 100);
});

test("every disk that the image fits holds its volumes, and no volume is smaller on a larger disk", () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 4096 }), fc.nat(4096), (diskGiB, more) => {
      const [before, after] = [sizes(pool(diskGiB)), sizes(pool(diskGiB + more))];
      const sum = Object.values(before).reduce((total, size) => total + size, DISK_OVERHEAD_MIB);
      assert.ok(sum <= diskGiB * 1024);
      for (const [mountPoint, size] of Object.entries(before)) {
        assert.equal(size % 4, 0);
        assert.ok((after[mountPoint] ?? 0) >= size);
      }
    }),
  );
});
