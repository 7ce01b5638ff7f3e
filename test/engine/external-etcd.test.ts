/**
 * The complete program on the real engine, with machines of the fake driver: etcd machines join and leave one at a time, are
 * replaced, and are guarded as the members of etcd.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";

const stack = "external";
const names = (count: number) => Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);

test("etcd on machines of its own", { timeout: 30 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const configure = (etcd: number, masters = 2): void => {
    const file = project.stackFile(stack);
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
    const pools = `{balancers: {count: 1}, masters: {count: ${masters}}, etcd: {count: ${etcd}}, workers: {count: 1}}`;
    fs.writeFileSync(file, `${salt}config:\n  groundplane:dataCenter: {driver: fake, pools: ${pools}}\n`);
  };
  const joined = (): Readonly<Record<string, string>> =>
    JSON.parse(fs.readFileSync(path.join(project.data, "fake", stack, "cluster.json"), "utf8")).nodes;
  const members = () =>
    Object.keys(joined())
      .filter((name) => name.startsWith("etcd"))
      .sort();
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = (...words: string[]) => pulumi("up", "--yes", "--skip-preview", ...words);
  const replace = async (...machines: string[]) => {
    const { deployment } = JSON.parse((await pulumi("stack", "export")).stdout);
    const urns = (deployment.resources as { urn: string }[]).map(({ urn }) => urn);
    const wanted = urns.filter((urn) => machines.some((name) => urn.endsWith(`index:Machine::${name}`)));
    return up(...wanted.flatMap((urn) => ["--replace", urn]));
  };
  const mustRefuse = ({ exitCode, stdout, stderr }: CommandOutput, word: RegExp): void => {
    assert.notEqual(exitCode, 0, stdout);
    assert.match((stdout + stderr).replaceAll(/\s+/g, " "), word);
  };

  await t.test("one up creates them, adds two, and removes them one after the other", async () => {
    configure(3);
    mustSucceed("init", await pulumi("stack", "init"));
    mustSucceed("up", await up());
    const before = joined();
    let left: readonly (string | undefined)[] = [];
    for (const count of [5, 3]) {
      configure(count);
      const { stdout } = mustSucceed(`up with ${count}`, await up());
      left = [...stdout.matchAll(/Membership (etcd-\d)-membership deleted/g)].map(([, name]) => name);
      assert.deepEqual(members(), names(count));
    }
    assert.deepEqual(left, ["etcd-5", "etcd-4"]);
    assert.deepEqual(joined(), before, "no other machine has joined again");
    mustSucceed("no changes", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("any one of them can be replaced, and a majority cannot", async () => {
    const before = joined();
    mustSucceed("replace", await replace("etcd-1"));
    const after = joined();
    assert.notEqual(after["etcd-1"], before["etcd-1"]);
    assert.deepEqual({ ...after, "etcd-1": "" }, { ...before, "etcd-1": "" });
    mustRefuse(await replace("etcd-1", "etcd-3"), /cannot be removed now: of the other machines only etcd-2/);
    mustSucceed("repair", await up());
    assert.deepEqual(members(), names(3));
  });

  await t.test("a master is replaced beside another one, and never the last", async () => {
    mustSucceed("replace", await replace("master-1"));
    mustRefuse(await replace("master-1", "master-2"), /cannot be removed now: of the other machines none/);
    mustSucceed("repair", await up());
  });

  await t.test("etcd stays where it is", async () => {
    configure(0, 3);
    mustRefuse(
      await pulumi("preview"),
      /the cluster's data is on etcd-1, etcd-2, etcd-3 and cannot move to the masters/,
    );
    configure(3);
    mustSucceed("destroy", await pulumi("destroy", "--yes", "--skip-preview"));
  });
});
