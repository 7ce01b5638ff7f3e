import assert from "node:assert/strict";
import { test } from "node:test";
import { renderNodeSeed } from "../../../cloud-init/render-node-seed";
import { mergeContents } from "../../../cloud-init/role-content";
import { backupContent } from "../../../cloud-init/roles/backups";
import { secondsOfPeriod, timeOfBackup } from "../../../model/backups";
import { parseConfiguration } from "../../../stacks/config/parse-configuration";
import { type DataCenterPlan, nodesOf } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { exampleSettings } from "../../support/example-stacks";

function planOf(stack: string, changes: object): DataCenterPlan {
  const { configuration, problems } = parseConfiguration({ ...exampleSettings(stack), ...changes }, { stack });
  return planDataCenter(configuration ?? assert.fail(JSON.stringify(problems)));
}

const contentOf = (plan: DataCenterPlan, index: number) => {
  const node = nodesOf(plan, "master")[index] ?? assert.fail("no such master");
  return mergeContents([backupContent(plan, node)]);
};
const timerOf = (every: string, index = 0): string | undefined =>
  contentOf(planOf("lab", { backups: { every } }), index)
    .files.flatMap((file) => ("content" in file && file.path.endsWith(".timer") ? [file.content] : []))
    .join("")
    .match(/OnCalendar=(.*)/)?.[1];

test("periods have a unit, and limits", () => {
  assert.deepEqual(["90m", "6h", "2d"].map(secondsOfPeriod), [5_400, 21_600, 172_800]);
  for (const every of ["6", "6 h", "0h", "1.5h", "6H", "", "4m", "31d", 6]) {
    const { problems = [] } = parseConfiguration({ backups: { every } }, { stack: "lab" });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["backups.every"],
      String(every),
    );
  }
  const [problem] = parseConfiguration({ backups: { every: "6" } }, { stack: "lab" }).problems ?? [];
  assert.match(problem?.rule ?? "", /5m to 30d/);
  assert.match(problem?.fix ?? "", /write e\.g\. 30m, 6h or 1d/);
});

test("an empty key has defaults, and without the key nothing is planned", () => {
  assert.deepEqual(planOf("lab", { backups: {} }).backups, { everySeconds: 21_600, keep: 28 });
  const plan = planOf("lab", {});
  assert.equal(plan.backups, undefined);
  assert.ok(!Object.keys(plan.settings).some((key) => key.startsWith("backups")));
  assert.ok(!renderNodeSeed(plan, nodesOf(plan, "master")[0] ?? assert.fail()).userData.includes("BACKUP"));
});

test("masters look often, one after the other", () => {
  assert.deepEqual(
    ["5m", "1h", "6h", "30d"].map((every) => timerOf(every)),
    ["*:0/1:00", "*:0/5:00", "*:0/15:00", "*:0/15:00"],
  );
  assert.equal(timerOf("6h", 2), "*:0/15:16");
});

test("masters reach the volume only for backups", () => {
  const [without, plan] = [planOf("lab", {}), planOf("lab", { backups: {} })];
  const rule = /ip saddr @master ip daddr @storage tcp dport \{ 24007-24008, 49152-60999 \}/;
  const gateway = (each: DataCenterPlan) => renderNodeSeed(each, nodesOf(each, "gateway")[0] ?? assert.fail()).userData;
  assert.match(gateway(plan), rule);
  assert.doesNotMatch(gateway(without), rule);
  const masters = plan.segments.find(({ name }) => name === "masters")?.cidr ?? assert.fail();
  assert.ok(plan.volume?.clients.includes(masters));
  assert.ok(!without.volume?.clients.includes(masters));
});

test("without storage machines, backups are on a data disk of the master, or in a folder", () => {
  const small = { pools: { balancers: { count: 1 }, masters: { count: 3 }, storage: { count: 0 } }, backups: {} };
  assert.equal(contentOf(planOf("lab", small), 0).environment.BACKUP_FOLDER, "/var/lib/groundplane/backups");
  const disks = [{ name: "copies", sizeGiB: 5 }];
  const { environment } = contentOf(
    planOf("lab", { ...small, pools: { ...small.pools, masters: { count: 3, disks } } }),
    0,
  );
  assert.deepEqual(
    [environment.BACKUP_MOUNT, environment.BACKUP_FOLDER, environment.BACKUP_VOLUME],
    ["/data/copies", "/data/copies/groundplane-backups", undefined],
  );
});

test("the name of a backup has its time", () => {
  assert.equal(timeOfBackup("my-lab-20261129T040506Z.backup")?.toISOString(), "2026-11-29T04:05:06.000Z");
  for (const name of ["lab.backup", "lab-20261129T040506Z.backup.age", "lab-20261399T040506Z.backup", ".lock"])
    assert.equal(timeOfBackup(name), undefined, name);
});
