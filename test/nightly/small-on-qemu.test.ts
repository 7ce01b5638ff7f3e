// The stack `small` on virtual machines, from an empty host to `kubectl get nodes`: minutes with KVM, about 15
// minutes without it.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, eventually, mustSucceed } from "../support/cluster-under-test";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { guestSkipReason } from "../support/qemu-guests";
import { qemuTracesOf } from "../support/qemu-host";

const stack = `small-${process.pid.toString(36)}`;
const settings = `config:
  groundplane:dataCenter:
    driver: qemu
    pools:
      balancers: {count: 1}
      masters: {count: 1}
      workers: {count: 1}
    # As doctor advises where processors are emulated.
    options: {failover: calm}
`;

guestSkipReason().then((skip) => {
  describe("small on QEMU", { skip, timeout: 3 * 3_600_000 }, () => {
    let project: ProjectCopy;
    let cluster: ClusterUnderTest;

    before(async () => {
      await obtainPulumi();
      project = copyProject(dataFolder());
      cluster = new ClusterUnderTest(project, stack);
      fs.writeFileSync(project.stackFile(stack), settings);
      mustSucceed(
        "image build",
        await cluster.run([process.execPath, "cli/groundplane.cjs", "image", "build", "--stack", stack]),
      );
    });

    after(async () => {
      mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
      assert.deepEqual(await qemuTracesOf(project.data, [stack]), []);
      project.remove();
    });

    test("up ends with every node Ready and every pod running", async (t) => {
      const started = performance.now();
      mustSucceed("pulumi stack init", await cluster.pulumi("stack", "init"));
      mustSucceed("pulumi up", await cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs"));
      t.diagnostic(`up: ${((performance.now() - started) / 1000).toFixed(0)} s`);
      const nodes = await eventually(
        "both nodes Ready",
        600_000,
        () => cluster.kubectl("master-1", "get", "nodes", "--output=wide"),
        ({ stdout }) => (stdout.match(/ Ready /g) ?? []).length === 2,
      );
      t.diagnostic(nodes.stdout);
      const pods = mustSucceed("get pods", await cluster.kubectl("master-1", "get", "pods", "--all-namespaces"));
      t.diagnostic(pods.stdout);
      assert.doesNotMatch(pods.stdout, /Pending|Error|CrashLoop/);
    });

    test("each machine extends kubeadm's time limits by its measured speed", async (t) => {
      for (const node of ["master-1", "worker-1"]) {
        const said = await cluster.onNode(
          node,
          "journalctl --boot --unit groundplane-cluster --output cat --no-pager | grep -o 'runs [0-9]* times slower' || echo 'as fast as usual'",
        );
        t.diagnostic(`${node}: kubeadm ${said.stdout.trim()}`);
        assert.match(said.stdout, /times slower|as fast as usual/);
      }
    });

    test("the gateway gives the time to every machine", async () => {
      for (const [node, gateway] of [
        ["master-1", "192.168.57.1"],
        ["balancer-1", "192.168.56.1"],
      ] as const) {
        const sources = () => cluster.onNode(node, "chronyc -n -c sources");
        // `^` is a server; its reach is not 0 after the first answer.
        const answered = new RegExp(`^\\^,.,${gateway.replaceAll(".", "\\.")},\\d+,\\d+,[1-9]`, "m");
        await eventually(`${node} hears from ${gateway}`, 120_000, sources, ({ stdout }) => answered.test(stdout));
      }
    });

    test("AppArmor confines the pods of virtual machines", async () => {
      const profile = await cluster.onNode(
        "worker-1",
        "aa-status --json 2>/dev/null | grep -o cri-containerd.apparmor.d | head -n 1",
      );
      assert.equal(profile.stdout.trim(), "cri-containerd.apparmor.d");
    });

    test("a second up changes nothing", async () => {
      const again = mustSucceed(
        "pulumi up",
        await cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs"),
      );
      assert.doesNotMatch(again.stdout, /updated|created|replaced/);
    });
  });
});
