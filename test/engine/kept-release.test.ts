/**
 * A stack whose file names no release keeps the one that it runs: in every command, and with plain Pulumi. On the fake driver and the real
 * engine. test/engine/compat.test.ts does the same with stacks of earlier versions.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { imageFor } from "../../image/recipes/image-names";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";
import { from, to } from "../support/upgrade-step";

const stack = "keeping";

const settings = (version = "", masters = 3) => `config:
  groundplane:dataCenter:
    driver: fake
${version === "" ? "" : `    kubernetesVersion: ${version}\n`}    pools:
      balancers: { count: 1 }
      masters: { count: ${masters} }
      workers: { count: 1 }
`;

test("a stack keeps its release", { timeout: 10 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const configure = (version?: string, masters?: number) =>
    fs.writeFileSync(project.stackFile(stack), settings(version, masters));
  const pulumi = async (...words: string[]) =>
    mustSucceed(words.join(" "), await cluster.pulumi(...words, "--non-interactive")).stdout.replaceAll(/\s+/g, " ");
  const up = () => pulumi("up", "--yes", "--skip-preview");
  const groundplane = async (...words: string[]) =>
    mustSucceed(words.join(" "), await cluster.groundplane(...words)).stdout;
  const imageOf = (name: string): string =>
    JSON.parse(fs.readFileSync(path.join(project.data, "fake", stack, "machines", name, "machine.json"), "utf8")).made
      .spec.image;
  const runs = async (version: string) => {
    const image = imageFor("kubernetes", version, "tree");
    assert.equal(imageOf("master-1"), image);
    // Commands plan what Pulumi has done.
    const listed = JSON.parse(await groundplane("image", "list", "--json")) as { name: string; ofStack: boolean }[];
    assert.ok(listed.some(({ name, ofStack }) => ofStack && name === image));
    await pulumi("preview", "--expect-no-changes");
  };
  const news = `The stack's file names no kubernetesVersion, so the stack keeps Kubernetes ${from}. ${to} is available: `;

  await t.test("without a key, it keeps what an up with a key has brought", async () => {
    configure(from);
    await pulumi("stack", "init");
    await up();
    await runs(from);
    configure();
    await runs(from);
    await up();
    await runs(from);
  });

  await t.test("previews say that a newer one is available, and how the stack gets it", async () => {
    const way = `${news}set kubernetesVersion: ${to}, build its images (\`npx groundplane image build --stack ${stack}\`)`;
    for (const text of [await pulumi("preview"), await groundplane("preview")]) assert.ok(text.includes(way), text);
    assert.ok(!(await up()).includes(news));
    configure(from);
    for (const text of [await pulumi("preview"), await groundplane("preview")])
      assert.ok(!text.includes("is available"), text);
  });

  await t.test("a stack with a single master is told the same way", async () => {
    configure("", 1);
    const text = await groundplane("preview");
    assert.ok(text.includes(`${news}set kubernetesVersion: ${to}, `), text);
  });

  await t.test("its record can be lost: the state has its release, and the next up records it", async () => {
    configure();
    const record = path.join(project.data, "stacks", stack, "guard.json");
    const { kubernetesVersion, ...earlier } = JSON.parse(fs.readFileSync(record, "utf8"));
    assert.equal(kubernetesVersion, from);
    fs.writeFileSync(record, JSON.stringify(earlier));
    assert.match(await pulumi("preview"), /Guard guard update .* Resources: ~ 1 to update \d+ unchanged/);
    await up();
    assert.equal(JSON.parse(fs.readFileSync(record, "utf8")).kubernetesVersion, from);
    await runs(from);
  });

  await t.test("a key upgrades it, and without the key it keeps the new one", async () => {
    configure(to);
    await up();
    await runs(to);
    configure();
    await runs(to);
    assert.ok(!(await groundplane("preview")).includes("is available"));
  });

  await t.test("after a destroy, a new stack of the name gets the newest", async () => {
    configure(from, 1);
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    configure(from);
    await up();
    await runs(from);
    await pulumi("destroy", "--yes", "--skip-preview");
    configure();
    await up();
    await runs(to);
  });

  mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
});
