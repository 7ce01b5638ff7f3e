import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../../model/user-error";
import { describeGrowth, type GrowingMachine, grownVolumes } from "../../../../provider/resources/disk-growth";

const machine = (
  diskGiB: number,
  sizes: Readonly<Record<string, number>>,
  named: readonly string[] = [],
): GrowingMachine => ({
  name: "master-1",
  diskGiB,
  volumes: Object.entries(sizes).map(([mountPoint, sizeMiB]) => ({
    mountPoint,
    sizeMiB,
    named: named.includes(mountPoint),
  })),
});
const isError = (id: string, hint: RegExp) => (error: unknown) =>
  error instanceof UserError && error.id === id && hint.test(error.hint);

test("a growing disk is reported with both sizes, and an unchanged disk is not reported", () => {
  const before = machine(10, { "/": 1024, "/var": 4096 });
  assert.equal(describeGrowth(before, before), undefined);
  const after = machine(12, { "/": 1024, "/var": 6144 });
  assert.equal(describeGrowth(after, before), "master-1 grows: disk from 10 to 12 GiB, /var from 4096 to 6144 MiB");
  assert.deepEqual(grownVolumes(after, before), after.volumes);
});

test("a volume whose share shrinks in the new plan keeps its size", () => {
  const before = machine(10, { "/": 1024, "/var": 4096 });
  const after = machine(10, { "/": 2048, "/var": 3072 }, ["/"]);
  assert.deepEqual(grownVolumes(after, before), machine(10, { "/": 2048, "/var": 4096 }, ["/"]).volumes);
});

test("a smaller disk or a smaller configured volume is refused", () => {
  const before = machine(10, { "/var": 4096 });
  assert.throws(
    () => grownVolumes(machine(9, { "/var": 4096 }), before),
    isError("disk-shrinks", /diskGiB to 10 again/),
  );
  const smaller = machine(10, { "/var": 2048 }, ["/var"]);
  assert.throws(() => grownVolumes(smaller, before), isError("volume-shrinks", /\/var: 4 or more/));
});

test("volumes that fit a new disk but not the existing disk are refused", () => {
  const before = machine(10, { "/": 1024, "/var": 8192 });
  const after = machine(10, { "/": 4096, "/var": 2048 }, ["/"]);
  assert.throws(() => grownVolumes(after, before), isError("volumes-do-not-fit", /diskGiB: 13/));
});

test("a machine without volumes grows only its disk", () => {
  const [before, after] = [
    { name: "gateway", diskGiB: 4 },
    { name: "gateway", diskGiB: 5 },
  ];
  assert.equal(grownVolumes(after, before), undefined);
  assert.equal(describeGrowth(after, before), "gateway grows: disk from 4 to 5 GiB");
});
