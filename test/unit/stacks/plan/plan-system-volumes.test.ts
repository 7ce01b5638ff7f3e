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

test("named volumes get what they ask for, the others their share, and some room stays free", () => {
  const planned = sizes(pool(20, { "/var": 10 }));
  assert.equal(planned["/var"], 10_240);
  // 20480 less 384, 10240 and the image's 1856 are 8000 MiB, of which 5 % are 400.
  assert.deepEqual(planned, { "/": 656, "/usr": 1808, "/var": 10_240, "/tmp": 528, "/opt": 464 });
});

test("the shares leave room", () => {
  assert.ok(volumes.reduce((sum, { growthShare }) => sum + growthShare, 0) < 100);
});

test("any disk that the image fits holds its volumes, and a larger one makes none smaller", () => {
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
