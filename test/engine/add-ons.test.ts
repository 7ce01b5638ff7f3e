// Add-ons of a running stack, on the real engine with machines of the fake driver, whose guests run no containers.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const stack = "add-ons";
let project: ProjectCopy;
let cluster: ClusterUnderTest;

const configure = (addons: string, others = ""): void => {
  const pools =
    "{balancers: {count: 1}, masters: {count: 1}, workers: {count: 1}, storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}}";
  const dataCenter = `{driver: fake, pools: ${pools}, addons: ${addons}${others}}`;
  fs.writeFileSync(project.stackFile(stack), `config:\n  groundplane:dataCenter: ${dataCenter}\n`);
};
const up = async (): Promise<string> =>
  mustSucceed("up", await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive")).stdout;
const resources = (text: string): readonly string[] =>
  [
    ...new Set(
      [...text.matchAll(/^ [~+-]+ +groundplane:index:(\S+ \S+) (?:updated|created|deleted|replaced)/gm)].map(
        ([, what = ""]) => what,
      ),
    ),
  ].sort();

before(async () => {
  await obtainPulumi();
  project = copyProject(dataFolder());
  cluster = new ClusterUnderTest(project, stack);
  configure("{}");
  mustSucceed("init", await cluster.pulumi("stack", "init"));
  await up();
});
after(() => project?.remove());

test("an add-on changes the record and the gateway's files of a running stack, and back", async () => {
  for (const addons of ["{metallb: true, metrics-server: true}", "{metallb: false}"]) {
    configure(addons);
    const done = await up();
    assert.deepEqual(resources(done), ["Guard guard", "NodeFiles gateway-files"], done);
  }
});

test("a registry changes keys, the record, and files of the cluster's nodes and of what forwards to it", async () => {
  const files = ["balancer-1", "gateway", "master-1", "worker-1"].map((name) => `NodeFiles ${name}-files`);
  const changed = ["ClusterSecrets secrets-cluster", "Guard guard", "Machine gateway", ...files];
  configure("{registry: true}", ", hostPorts: {registry: 25000}");
  const added = await up();
  assert.deepEqual(resources(added), changed, added);
  configure("{}");
  const removed = await up();
  assert.deepEqual(resources(removed), changed, removed);
});

test("all problems of add-ons are named at once", async () => {
  configure("{metallb: true, metrics: true}", ", options: {runtime: docker}, hostPorts: {api: 80}");
  const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
  assert.notEqual(exitCode, 0);
  for (const key of ["addons\\.metrics", "addons\\.metallb", "hostPorts\\.api"])
    assert.match(stdout + stderr, new RegExp(key));
});
