import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const { groupPureJobs, nextJob, orderJobs, runJobs } = require("../../runner/schedule.cjs");
const { containerFiles, emulatingFiles, expectedSeconds, heldBy } = require("../../runner/tiers.cjs");

test("long jobs start first", () => {
  const jobs = [{ name: "short" }, { name: "longest", seconds: 900 }, { name: "long", seconds: 60 }];
  assert.deepEqual(
    orderJobs(jobs).map(({ name }: { name: string }) => name),
    ["longest", "long", "short"],
  );
});

test("the files of a pure tier share processes, and a tier with few files has fewer of them", () => {
  const jobsOf = (tier: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      tier,
      file: `${tier}-${index}`,
      name: `${tier}-${index}`,
      pure: true,
    }));
  const jobs = [...jobsOf("unit", 9), ...jobsOf("golden", 2), ...jobsOf("property", 1)];
  const grouped: { name: string; file?: string; files?: string[] }[] = groupPureJobs(jobs, 3);
  assert.deepEqual(
    grouped.map(({ name, file, files }) => ({ name, files: files ?? file })),
    [
      { name: "unit, part 1 of 3", files: ["unit-0", "unit-3", "unit-6"] },
      { name: "unit, part 2 of 3", files: ["unit-1", "unit-4", "unit-7"] },
      { name: "unit, part 3 of 3", files: ["unit-2", "unit-5", "unit-8"] },
      { name: "golden, part 1 of 1", files: ["golden-0", "golden-1"] },
      { name: "property-0", files: "property-0" },
    ],
  );
});

test("a job starts if a slot is free and no running job holds its resource", () => {
  const [first, second, free] = [{ holds: ["qemu"] }, { holds: ["qemu", "machines"] }, {}];
  assert.equal(nextJob([second, free], [first], 2), free);
  assert.equal(nextJob([second], [first], 2), undefined);
  assert.equal(nextJob([second], [free], 2), second);
  assert.equal(nextJob([free], [first, second], 2), undefined);
  assert.equal(nextJob([free, {}], [{}], 2), free, "two that hold nothing run side by side");
});

test("every job runs once, as many at once as there are slots, and results keep their order", async () => {
  let [running, most] = [0, 0];
  const jobs = [3, 1, 2, 5, 4].map((seconds) => ({ seconds, holds: seconds > 3 ? ["containers"] : undefined }));
  const results = await runJobs(jobs, 2, async ({ seconds }: { seconds: number }) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return seconds;
  });
  assert.deepEqual(results, [3, 1, 2, 5, 4]);
  assert.equal(most, 2);
});

test("only files that run whole machines exclude each other, and every named file exists", () => {
  assert.deepEqual(heldBy("contract", "test/contract/nspawn.test.ts"), ["containers"]);
  assert.equal(heldBy("contract", "test/contract/preview.test.ts"), undefined);
  assert.deepEqual(heldBy("qemu", "test/qemu/guest-program.test.ts"), ["emulation"]);
  assert.equal(heldBy("qemu", "test/qemu/switch.test.ts"), undefined);
  const [one, other, lab] = ["external-etcd", "two-servers", "lab"].map((name) =>
    heldBy("e2e", `test/e2e/${name}.test.ts`),
  );
  assert.equal(nextJob([{ holds: one }], [{ holds: other }], 2), undefined, "one stack after the other");
  for (const holds of [one, other, ["machines"], ["containers"], ["emulation"]])
    assert.equal(nextJob([{ holds }], [{ holds: lab }], 2), undefined, "no other machines run beside the lab");
  for (const file of [...containerFiles, ...Object.keys(expectedSeconds)]) {
    assert.ok(fs.existsSync(path.join(__dirname, "../../..", file)), file);
  }
});

test("the files that emulate a whole operating system are those that boot a guest's image", () => {
  const files = fs.readdirSync(path.join(__dirname, "../../qemu")).map((name) => `test/qemu/${name}`);
  const bootsImage = (file: string) =>
    /\bguestSkipReason\(/.test(fs.readFileSync(path.join(__dirname, "../../..", file), "utf8"));
  assert.deepEqual(files.filter(bootsImage).sort(), emulatingFiles);
});
