/**
 * Stacks that earlier versions created, on the fake driver and the real engine: this code takes them over, and refuses what a newer
 * version wrote. test/topologies/compat.test.ts does the same with real machines.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { imageFor } from "../../image/recipes/image-names";
import { VERSION_PROPERTY } from "../../model/formats";
import { defaultKubernetesVersion, unrecordedKubernetesVersion } from "../../model/releases";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { earlierStack, unpackStack } from "../support/earlier-stacks";
import { type EarlierCommit, earlierCommits } from "../support/earlier-versions";
import { contentsOf } from "../support/folder-contents";
import { copyProject } from "../support/project-copy";

const stack = earlierStack.name;

interface Stored {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
}

for (const [commit, lacks] of Object.entries(earlierCommits) as [EarlierCommit, string][])
  test(`a stack of ${commit}, ${lacks}`, { timeout: 10 * 60_000 }, async (t) => {
    if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
    const project = copyProject(dataFolder());
    after(() => project.remove());
    const cluster = new ClusterUnderTest(unpackStack(commit, project), stack);
    const inData = (...names: string[]) => path.join(project.data, ...names);
    const versionFile = inData("version.json");
    const stateFile = inData("state", ".pulumi", "stacks", "groundplane", `${stack}.json`);
    const machines = () => {
      const folder = inData("fake", stack, "machines");
      const record = (name: string) => JSON.parse(fs.readFileSync(path.join(folder, name, "machine.json"), "utf8"));
      return fs.readdirSync(folder).map((name) => {
        const { made, power } = record(name);
        const { uuid, image, disks, nics } = made.spec;
        return { name, power, generation: made.generation, uuid, image, disks, nics };
      });
    };
    const resources = (): readonly Stored[] =>
      JSON.parse(fs.readFileSync(stateFile, "utf8")).checkpoint.latest.resources;
    const imageOfMaster = () => machines().find(({ name }) => name === "master-1")?.image;
    const before = machines();
    assert.equal(before.length, 5);

    await t.test("a preview replaces and removes nothing, and start takes it over", async () => {
      assert.equal(fs.existsSync(versionFile), false);
      const review = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
      // The files that follow may contain any word.
      const [summary = ""] = review.split("<details>");
      assert.match(summary, /Risk: /);
      assert.doesNotMatch(summary, /\| is (?:recreated|removed) \||refused/i);
      assert.ok(summary.includes(`the stack keeps Kubernetes ${unrecordedKubernetesVersion}. `), summary);
      mustSucceed("start", await cluster.groundplane("start", "--yes"));
      assert.deepEqual(machines(), before);
      assert.deepEqual(JSON.parse(fs.readFileSync(versionFile, "utf8")), { version: 1 });
      const { kubernetesVersion } = JSON.parse(fs.readFileSync(inData("stacks", stack, "guard.json"), "utf8"));
      assert.equal(kubernetesVersion, unrecordedKubernetesVersion);
      assert.equal(imageOfMaster(), imageFor("kubernetes", unrecordedKubernetesVersion, "tree"));
    });

    await t.test("a second start changes nothing", async () => {
      assert.match(mustSucceed("start", await cluster.groundplane("start", "--yes")).stdout, /is up; no changes/);
      mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes", "--non-interactive"));
      assert.deepEqual(machines(), before);
    });

    const refusals = async (what: RegExp) => {
      const contents = () => ({
        machines: contentsOf([inData("fake")], ""),
        state: resources()
          .map(({ urn, id }) => `${urn} ${id}`)
          .sort(),
      });
      const untouched = contents();
      const commands: (readonly string[])[] = [
        ["start", "--yes"],
        ["status"],
        ["preview"],
        ["stop"],
        ["destroy", "--yes"],
      ];
      const outputs = [];
      for (const words of commands) outputs.push(await cluster.groundplane(...words));
      for (const words of [["preview"], ["up", "--yes", "--skip-preview"]])
        outputs.push(await cluster.pulumi(...words, "--non-interactive"));
      for (const { exitCode, stdout, stderr } of outputs) {
        assert.notEqual(exitCode, 0);
        const text = (stdout + stderr).replaceAll(/\s+/g, " ");
        assert.match(text, what);
        assert.match(
          text,
          /nothing was changed next step: use the clone that wrote it, or update this one \(`git pull`/,
        );
      }
      assert.deepEqual(contents(), untouched);
    };

    await t.test("a newer state is refused by commands and by plain Pulumi", async () => {
      const written = fs.readFileSync(stateFile, "utf8");
      const state = JSON.parse(written);
      const master = (state.checkpoint.latest.resources as Stored[]).find(
        ({ type, inputs }) => type === "groundplane:index:Machine" && inputs?.name === "master-1",
      );
      const inputs = master?.inputs ?? assert.fail("no master-1");
      inputs[VERSION_PROPERTY] = Number(inputs[VERSION_PROPERTY]) + 1;
      fs.writeFileSync(stateFile, JSON.stringify(state));
      await refusals(
        /a newer groundplane wrote the state of (?:the Machine master-1|this resource): it has version 3, and this one reads up to version 2/,
      );
      fs.writeFileSync(stateFile, written);
    });

    await t.test("a newer data folder is refused by commands and by plain Pulumi", async () => {
      fs.writeFileSync(versionFile, '{"version": 2}');
      await refusals(
        /a newer groundplane wrote the data folder \S+: it has version 2, and this one reads up to version 1/,
      );
      fs.writeFileSync(versionFile, '{"version": 1}');
    });

    await t.test("after a destroy, a new stack of the name gets the newest release", async () => {
      mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
      mustSucceed("start", await cluster.groundplane("start", "--yes"));
      assert.equal(imageOfMaster(), imageFor("kubernetes", defaultKubernetesVersion, "tree"));
    });

    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
  });
