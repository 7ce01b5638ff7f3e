/**
 * Another image reaches three masters and a worker of a running stack, with the complete program on the real engine and machines of the
 * fake driver.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { orderOfRoll } from "../support/order-of-roll";
import { useOtherImage } from "../support/other-image";
import { copyProject } from "../support/project-copy";

const stack = "rolled-members";
const settings = `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: { count: 1 }
      masters: { count: 3 }
      workers: { count: 1 }
`;

const nodes = ["master-1", "master-2", "master-3", "worker-1"];

test("images of masters on the real engine", { timeout: 10 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const folder = (...names: string[]) => path.join(project.data, "fake", stack, ...names);
  const machine = (name: string) => {
    const { made, power } = JSON.parse(fs.readFileSync(folder("machines", name, "machine.json"), "utf8"));
    return { image: made.spec.image, former: made.former, generation: made.generation, power };
  };
  const members = () => JSON.parse(fs.readFileSync(folder("cluster.json"), "utf8")).members;

  fs.writeFileSync(project.stackFile(stack), settings);
  mustSucceed("init", await pulumi("stack", "init"));
  mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));
  const before = nodes.map(machine);
  const membersBefore = members();
  const { before: former, after: image } = useOtherImage(project, "one");

  await t.test("a preview says which nodes, in which order, and what is unavailable", async () => {
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(review), "master-1, master-2, master-3, worker-1", review);
    assert.match(
      review,
      new RegExp(`\`master-2\` \\| gets another image \\| image: ${former} -> ${image} \\| open connections .*2 of 3`),
    );
  });

  await t.test(
    "up gives them the image one after the other, as the same machines and new members of etcd",
    async () => {
      mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));
      for (const [index, name] of nodes.entries())
        assert.deepEqual(machine(name), { ...before[index], image, former: undefined }, name);
      assert.deepEqual(Object.keys(members()).sort(), Object.keys(membersBefore).sort());
      for (const name of Object.keys(membersBefore)) assert.notEqual(members()[name], membersBefore[name], name);
      mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));
    },
  );

  await t.test("a stack whose state is lost is adopted, although no master has bootstrapped the cluster", async () => {
    const state = JSON.parse(mustSucceed("export", await pulumi("stack", "export")).stdout);
    const isBootstrap = ({ urn }: { readonly urn: string }) => /index:Bootstrap::/.test(urn);
    const { resources } = state.deployment;
    const gone = resources.find(isBootstrap).urn;
    state.deployment.resources = resources
      .filter((resource: { readonly urn: string }) => !isBootstrap(resource))
      .map(({ dependencies = [], ...rest }: { readonly dependencies?: readonly string[] }) => ({
        ...rest,
        dependencies: dependencies.filter((urn) => urn !== gone),
      }));
    const file = path.join(project.data, "former-state.json");
    fs.writeFileSync(file, JSON.stringify(state));
    mustSucceed("import", await pulumi("stack", "import", "--file", file));
    mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));
    mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));
  });

  mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
});
