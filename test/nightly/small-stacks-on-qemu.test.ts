// The example stacks of at most four machines on virtual machines, from an empty host to `kubectl get nodes`: minutes each with KVM,
// about 15 minutes each without it. GROUNDPLANE_STACKS=small,pair selects some of them, and GROUNDPLANE_TEST_DISTRIBUTION=ubuntu
// boots Ubuntu's disks instead of Debian's.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { dataFolder } from "../../host/data-folder";
import { isClusterNode } from "../../model/roles";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, eventually, mustSucceed } from "../support/cluster-under-test";
import { examplePlan, exampleStacks } from "../support/example-plans";
import { exampleSettings } from "../support/example-stacks";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { guestSkipReason } from "../support/qemu-guests";
import { qemuTracesOf } from "../support/qemu-host";

const MOST_MACHINES = 4;

const named = process.env.GROUNDPLANE_STACKS?.split(",");
const examples = exampleStacks.filter(
  (name) => examplePlan(name).nodes.length <= MOST_MACHINES && (named?.includes(name) ?? true),
);

const distribution = process.env.GROUNDPLANE_TEST_DISTRIBUTION ?? "debian";

/** `failover: calm`, as doctor advises where processors are emulated. */
function fileOf(name: string): string {
  const settings = exampleSettings(name);
  const options = { ...(settings.options as object), failover: "calm" };
  return stringify({ config: { "groundplane:dataCenter": { ...settings, driver: "qemu", distribution, options } } });
}

guestSkipReason().then((skip) => {
  for (const example of examples) onQemu(example, skip);
});

function onQemu(example: string, skip: string | false): void {
  const { nodes } = examplePlan(example);
  const members = nodes.filter(({ roles }) => isClusterNode(roles)).map(({ name }) => name);
  const [master = ""] = nodes.filter(({ roles }) => roles.includes("master")).map(({ name }) => name);
  const stack = `${example}-${process.pid.toString(36)}`;
  describe(`${example} on QEMU`, { skip, timeout: 3 * 3_600_000 }, () => {
    let project: ProjectCopy;
    let cluster: ClusterUnderTest;

    before(async () => {
      await obtainPulumi();
      project = copyProject(dataFolder());
      cluster = new ClusterUnderTest(project, stack);
      fs.writeFileSync(project.stackFile(stack), fileOf(example));
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
        "all nodes Ready",
        600_000,
        () => cluster.kubectl(master, "get", "nodes", "--output=wide"),
        ({ stdout }) => (stdout.match(/ Ready /g) ?? []).length === members.length,
      );
      t.diagnostic(nodes.stdout);
      const system = new RegExp(` ${distribution} `, "gi");
      assert.equal(nodes.stdout.match(system)?.length, members.length, "each node runs the distribution");
      const pods = mustSucceed("get pods", await cluster.kubectl(master, "get", "pods", "--all-namespaces"));
      t.diagnostic(pods.stdout);
      assert.doesNotMatch(pods.stdout, /Pending|Error|CrashLoop/);
    });

    test("each machine extends kubeadm's time limits by its measured speed", async (t) => {
      for (const node of members) {
        const said = await cluster.onNode(
          node,
          "journalctl --boot --unit groundplane-cluster --output cat --no-pager | grep -o 'runs [0-9]* times slower' || echo 'as fast as usual'",
        );
        t.diagnostic(`${node}: kubeadm ${said.stdout.trim()}`);
        assert.match(said.stdout, /times slower|as fast as usual/);
      }
    });

    test("the gateway gives the time to every machine", async () => {
      for (const { name: node, address, roles } of nodes) {
        if (roles.includes("gateway")) continue;
        const gateway = address.replace(/\d+$/, "1");
        const sources = () => cluster.onNode(node, "chronyc -n -c sources");
        // `^` is a server; its reach is not 0 after the first answer.
        const answered = new RegExp(`^\\^,.,${gateway.replaceAll(".", "\\.")},\\d+,\\d+,[1-9]`, "m");
        await eventually(`${node} hears from ${gateway}`, 120_000, sources, ({ stdout }) => answered.test(stdout));
      }
    });

    test("AppArmor confines the pods of virtual machines", async () => {
      const profile = await cluster.onNode(
        members.at(-1) ?? "",
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
}
