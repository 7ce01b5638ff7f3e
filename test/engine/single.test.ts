/**
 * The complete program on the real engine, with machines of the fake driver: the gateway bootstraps a cluster of its own, workers
 * join it, and its machine and roles stay.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { copyProject } from "../support/project-copy";

const stack = "alone";

test("one machine", { timeout: 30 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const { pools } = exampleSettings("single") as { readonly pools: object };
  const configure = (change: object): void => {
    const file = project.stackFile(stack);
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
    const dataCenter = JSON.stringify({ driver: "fake", pools: { ...pools, ...change } });
    fs.writeFileSync(file, `${salt}config:\n  groundplane:dataCenter: ${dataCenter}\n`);
  };
  const joined = (): readonly string[] =>
    Object.keys(
      JSON.parse(fs.readFileSync(path.join(project.data, "fake", stack, "cluster.json"), "utf8")).nodes,
    ).sort();
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = (...words: string[]) => pulumi("up", "--yes", "--skip-preview", ...words);
  const mustRefuse = ({ exitCode, stdout, stderr }: CommandOutput, word: RegExp): void => {
    assert.notEqual(exitCode, 0, stdout);
    assert.match((stdout + stderr).replaceAll(/\s+/g, " "), word);
  };

  await t.test("up creates it, and changes nothing afterwards", async () => {
    configure({});
    mustSucceed("init", await pulumi("stack", "init"));
    mustSucceed("up", await up());
    assert.deepEqual(joined(), ["gateway"]);
    mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("workers join in one up, and the gateway's machine stays", async () => {
    configure({ workers: { count: 2 } });
    const { stdout } = mustSucceed("up", await up());
    assert.deepEqual(joined(), ["gateway", "worker-1", "worker-2"]);
    assert.doesNotMatch(stdout, /replaced|deleted/);
    assert.doesNotMatch(stdout, /Machine gateway updated/);
    mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("its machine and its roles are kept", async () => {
    const { deployment } = JSON.parse((await pulumi("stack", "export")).stdout);
    const [urn = ""] = (deployment.resources as { urn: string }[])
      .map((resource) => resource.urn)
      .filter((each) => each.endsWith("index:Machine::gateway"));
    mustRefuse(await up("--replace", urn), /gateway cannot be removed: it is the only machine of its pool/);
    configure({ gateway: {}, balancers: { count: 1 }, masters: { count: 1 } });
    mustRefuse(await pulumi("preview"), /pools\.gateway\.roles\[0\]: balancer cannot become none/);
  });
});
