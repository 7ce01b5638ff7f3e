/**
 * The complete program on the real engine, with machines of the fake driver: what the guard refuses, and how masters are
 * added, removed and replaced.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";

interface Counts {
  readonly balancers?: number;
  readonly masters?: number;
  readonly storage?: number;
  readonly cidr?: string;
}

const settings = ({ balancers = 2, masters = 3, storage = 3, cidr = "192.168.56.0/21" }: Counts) => `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: { count: ${balancers} }
      masters: { count: ${masters} }
      workers: { count: 1 }
      storage: { count: ${storage}, disks: [{ name: brick, sizeGiB: 1 }] }
    network: { cidr: ${cidr} }
`;

const names = (count: number) => Array.from({ length: count }, (_, index) => `master-${index + 1}`);

test("the guard of a data centre", { timeout: 30 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, "guarded");
  after(() => project.remove());
  const fake = (...parts: string[]) => path.join(project.data, "fake", "guarded", ...parts);
  const nodes = () => JSON.parse(fs.readFileSync(fake("cluster.json"), "utf8")).nodes as Record<string, string>;
  const masters = () =>
    Object.keys(nodes())
      .filter((name) => name.startsWith("master"))
      .sort();
  const configure = (counts: Counts = {}) => {
    const file = project.stackFile("guarded");
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    fs.writeFileSync(file, (/^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "") + settings(counts));
  };
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = (...words: string[]) => pulumi("up", "--yes", "--skip-preview", ...words);
  const replace = async (...machines: string[]) => {
    const { deployment } = JSON.parse((await pulumi("stack", "export")).stdout);
    const urns = (deployment.resources as { urn: string }[]).map(({ urn }) => urn);
    const wanted = urns.filter((urn) => machines.some((name) => urn.endsWith(`index:Machine::${name}`)));
    assert.equal(wanted.length, machines.length);
    return up(...wanted.flatMap((urn) => ["--replace", urn]));
  };
  const power = (name: string, state: "running" | "stopped") => {
    const record = fake("machines", name, "machine.json");
    fs.writeFileSync(record, JSON.stringify({ ...JSON.parse(fs.readFileSync(record, "utf8")), power: state }));
  };
  const mustRefuse = (output: CommandOutput, ...words: RegExp[]) => {
    assert.notEqual(output.exitCode, 0, output.stdout);
    for (const word of words) assert.match(output.stdout + output.stderr, word);
  };

  await t.test("one up adds or removes several masters, one after the other", async () => {
    configure({ masters: 1 });
    mustSucceed("init", await pulumi("stack", "init"));
    mustSucceed("up", await up());
    const { "master-1": first } = nodes();
    let left: readonly (string | undefined)[] = [];
    for (const count of [5, 1, 3]) {
      configure({ masters: count });
      const { stdout } = mustSucceed(`up with ${count}`, await up());
      if (count === 1)
        left = [...stdout.matchAll(/Membership (master-\d)-membership deleted/g)].map(([, name]) => name);
      assert.deepEqual(masters(), names(count));
    }
    assert.equal(nodes()["master-1"], first, "the machine that stayed has been left alone");
    assert.deepEqual(left, ["master-5", "master-4", "master-3", "master-2"]);
  });

  await t.test("any single master can be replaced, also the first, and joins under its old name", async () => {
    const before = nodes();
    mustSucceed("replace", await replace("master-1"));
    assert.notEqual(nodes()["master-1"], before["master-1"]);
    assert.equal(nodes()["master-2"], before["master-2"]);
  });

  await t.test("preview refuses a plan that the cluster cannot survive, and lists all reasons", async () => {
    configure({ cidr: "192.168.64.0/21" });
    const everything = [/masters: master-1, master-2, master-3 would be recreated/, /balancers: /, /storage: /];
    mustRefuse(await pulumi("preview"), ...everything, /one after the other/);
    configure({ balancers: 1, storage: 1 });
    const fewer = [/1 storage machines? for a volume of 3/, /keep at least 3/];
    mustRefuse(await pulumi("preview"), ...fewer);
    mustRefuse(await up(), ...fewer);
    configure({ masters: 1 });
    power("master-2", "stopped");
    mustRefuse(await pulumi("preview"), /etcd would stop/, /revert this change/);
    assert.equal(masters().length, 3);
    configure();
    mustSucceed("repair", await up());
  });

  await t.test("a manual replacement of a majority is refused, and the next up repairs the stack", async () => {
    mustRefuse(await replace("master-1", "master-3"), /cannot be removed now: of the other machines only master-2/);
    mustRefuse(await replace("balancer-1", "balancer-2"), /cannot be removed now: of the other machines none/);
    mustSucceed("up", await up());
    assert.deepEqual(masters(), names(3));
    mustSucceed("no changes", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("etcd's own member list is checked before a master leaves", async () => {
    configure({ masters: 1 });
    const cluster = JSON.parse(fs.readFileSync(fake("cluster.json"), "utf8"));
    // master-2's machine runs, but its etcd member belongs to a machine that no longer exists.
    const lost = { ...cluster, nodes: { ...cluster.nodes, "master-2": "lost" } };
    fs.writeFileSync(fake("cluster.json"), JSON.stringify(lost));
    mustRefuse(await up(), /master-3 cannot leave the cluster now: only master-1 of/);
    fs.writeFileSync(fake("cluster.json"), JSON.stringify(cluster));
    mustSucceed("up", await up());
    assert.deepEqual(masters(), names(1));
    mustRefuse(await replace("master-1"), /the only machine of its pool/);
  });

  await t.test("the guard allows destroy of the complete stack", async () => {
    mustSucceed("destroy", await pulumi("destroy", "--yes", "--skip-preview"));
    assert.deepEqual(fs.readdirSync(path.join(project.data, "stacks")), []);
  });
});
