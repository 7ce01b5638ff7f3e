/**
 * A running stack moves to the next minor version of Kubernetes, with the complete program on the real engine and machines of the fake
 * driver. Its provider is killed on the way.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { imageFor } from "../../image/recipes/image-names";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { orderOfRoll } from "../support/order-of-roll";
import { copyProject } from "../support/project-copy";
import { from, to } from "../support/upgrade-step";

const stack = "upgraded";
const nodes = ["master-1", "master-2", "master-3", "worker-1"];

const settings = (version: string, change = "") => `config:
  groundplane:dataCenter:
    driver: fake
    kubernetesVersion: ${version}
    pools:
      balancers: { count: 1 }
      masters: { count: 3 }
      workers: { count: 1 }
${change}`;

test("an upgrade on the real engine", { timeout: 10 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const inMachine = (name: string, ...names: string[]) =>
    path.join(project.data, "fake", stack, "machines", name, ...names);
  const machine = (name: string) => {
    const { made, power } = JSON.parse(fs.readFileSync(inMachine(name, "machine.json"), "utf8"));
    return { image: made.spec.image, former: made.former, generation: made.generation, power };
  };
  const releaseInFile = (name: string): string | undefined =>
    /kubernetesVersion: "?v([\d.]+)/.exec(
      fs.readFileSync(inMachine(name, "root", "etc", "groundplane", "kubeadm", "control-plane.yaml"), "utf8"),
    )?.[1];
  const configure = (version: string, change?: string) =>
    fs.writeFileSync(project.stackFile(stack), settings(version, change));
  const refusal = async () => {
    const { exitCode, stdout, stderr } = await pulumi("preview");
    assert.notEqual(exitCode, 0);
    return (stdout + stderr).replaceAll(/\s+/g, " ");
  };

  configure(from);
  mustSucceed("init", await pulumi("stack", "init"));
  mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));
  const before = nodes.map(machine);
  const image = imageFor("kubernetes", to, "tree");

  await t.test("a preview refuses it with another change, and else lists the nodes with the reason", async () => {
    configure(to, "    options: { podGraceSeconds: 7 }\n");
    assert.match(await refusal(), /a release is changed alone, and options\.podGraceSeconds would change with it/);
    configure(to);
    const text = mustSucceed("preview", await pulumi("preview")).stdout.replaceAll(/\s+/g, " ");
    for (const node of nodes)
      assert.match(
        text,
        new RegExp(`${node} moves from \\S+ to ${image} \\(Kubernetes ${from} -> ${to}\\): it is drained`),
      );
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(review), "master-1, master-2, master-3, worker-1", review);
    assert.match(review, /An upgrade takes more than its nodes; that of `lab` in system containers: about \d+ s, /);
  });

  await t.test("files of the release wait for the node's image, and a killed upgrade goes on", async () => {
    const rolling = pulumi("up", "--yes", "--skip-preview");
    await eventually(
      "master-2 has another disk",
      patienceMs,
      async () => machine("master-2").former !== undefined,
      Boolean,
    );
    await killProviders(project);
    assert.notEqual((await rolling).exitCode, 0);
    assert.deepEqual([releaseInFile("master-1"), releaseInFile("master-3")], [to, from]);
    assert.equal(machine("master-3").image, before[2]?.image);
    mustSucceed("up", await pulumi("up", "--yes", "--skip-preview"));
    for (const [index, name] of nodes.entries())
      assert.deepEqual(machine(name), { ...before[index], image, former: undefined }, name);
    assert.deepEqual(nodes.slice(0, 3).map(releaseInFile), [to, to, to]);
    mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));
  });

  await t.test("the way back is refused", async () => {
    configure(from);
    assert.match(await refusal(), /Kubernetes and etcd have no downgrade/);
    configure(to);
  });

  mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
});
