// The example lab on Ubuntu instead of Debian, in system containers. Takes minutes, and the first run builds the images
// from Ubuntu's archive.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { assertOutages, verifyStack } from "../support/verify-stack";

const settings = `config:
  groundplane:dataCenter:
    driver: nspawn
    distribution: ubuntu
    pools:
      balancers: {count: 2}
      masters: {count: 3}
      workers: {count: 2}
      storage: {count: 3, disks: [{name: brick, sizeGiB: 4}]}
`;

describe("the lab of Ubuntu", { skip: nspawnSkipReason(), timeout: 30 * 60_000 }, () => {
  let project: ProjectCopy;
  let cluster: ClusterUnderTest;

  before(() => {
    project = copyProject(dataFolder());
    process.env.GROUNDPLANE_DATA = project.data;
    cluster = new ClusterUnderTest(project, `ubuntu-${process.pid.toString(36)}`);
    fs.writeFileSync(project.stackFile(cluster.stack), settings);
  });
  after(async () => {
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    project.remove();
  });

  test("start ends with every node Ready, and a second start changes nothing", async () => {
    mustSucceed("start", await cluster.groundplane("start", "--yes"));
    const nodes = mustSucceed(
      "get nodes",
      await cluster.kubectl("master-1", "get", "nodes", "-o", "wide", "--no-headers"),
    );
    assert.equal(nodes.stdout.match(/ Ready .* Ubuntu 24\.04/g)?.length, 5, nodes.stdout);
    const again = mustSucceed("start again", await cluster.groundplane("start", "--yes"));
    assert.doesNotMatch(again.stdout, /created|updated|replaced/);
  });

  test("the lab meets the contract", async (t) => {
    const faults = ["balancer-kill", "haproxy-crash", "isolation", "master-kill", "storage-kill"];
    assertOutages(await verifyStack(cluster, t, faults), ({ target = Number.POSITIVE_INFINITY }) => target);
  });
});
