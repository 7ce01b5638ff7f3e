import assert from "node:assert/strict";
import { test } from "node:test";
import { renderKeepalivedConf } from "../../../cloud-init/files/keepalived-conf";
import { renderNginxConf } from "../../../cloud-init/files/nginx-conf";
import { renderPacemakerCib } from "../../../cloud-init/files/pacemaker-cib";
import { renderNodeSeed } from "../../../cloud-init/render-node-seed";
import { script } from "../../../cloud-init/scripts/read-script";
import { rootTrees } from "../../../image/recipes/root-tree";
import { type BalancerName, balancerNames, balancers } from "../../../model/balancers";
import { settingsInFiles } from "../../../model/changed-settings";
import { guestCommand, guestPaths } from "../../../model/guest-paths";
import type { NodeSeed } from "../../../model/seed";
import type { DataCenterPlan, NodePlan } from "../../../stacks/plan/data-center-plan";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "../../support/example-stacks";

type FailoverBy = "pacemaker" | "keepalived";

const planOf = (balancer: BalancerName, failoverBy: FailoverBy = "pacemaker", stack = "lab") => {
  const example = exampleConfiguration(stack);
  return planDataCenter({ ...example, options: { ...example.options, balancer, failoverBy } });
};
const seedOf = (plan: DataCenterPlan, role: "balancer" | "gateway" = "balancer"): NodeSeed =>
  renderNodeSeed(plan, nodesOf(plan, role)[0] as NodePlan);
const fileOf = ({ files }: NodeSeed, path: string): string | undefined =>
  files.find((file) => file.path === path)?.content;
const combinations = balancerNames.flatMap((balancer) =>
  (["pacemaker", "keepalived"] as const).map((failoverBy) => [balancer, failoverBy] as const),
);

test("nginx has every master with its name, and tries the next one after as long as HAProxy", () => {
  const plan = planOf("nginx");
  const conf = renderNginxConf(plan);
  for (const { name, address } of nodesOf(plan, "master"))
    assert.ok(conf.includes(`server ${address}:6443 max_fails=1 fail_timeout=2s; # ${name}\n`), conf);
  assert.match(conf, /proxy_connect_timeout 250ms;\n *proxy_next_upstream on;/);
  assert.equal(conf.match(/listen /g)?.length, 2, "the API's port and the socket for checks");
});

test("each program is installed, disabled in the image, and started by the nodes that have it", () => {
  for (const name of balancerNames) {
    const { unit, packages, configuration, reload } = balancers[name];
    for (const tree of Object.values(rootTrees)) {
      for (const one of packages) assert.ok(tree.packages.includes(one), one);
      assert.ok(tree.layer.disabledUnits.includes(`${unit}.service`), unit);
    }
    const seed = seedOf(planOf(name));
    const others = balancerNames.filter((other) => other !== name).map((other) => balancers[other].unit);
    const wanted = fileOf(seed, "/etc/systemd/system/groundplane.target") ?? "";
    assert.match(wanted, new RegExp(`^Wants=.*\\b${unit}\\.service`, "m"));
    for (const other of others) assert.doesNotMatch(wanted, new RegExp(`\\b${other}\\.service`));
    assert.equal(seed.files.find(({ path }) => path === configuration)?.reload, guestCommand(reload));
    assert.ok(fileOf(seed, guestCommand("role-ready"))?.includes(balancers[name].answers));
  }
});

test("no command of a node keeps a placeholder", () => {
  for (const [balancer, failoverBy] of combinations)
    for (const role of ["balancer", "gateway"] as const)
      for (const { path, content } of seedOf(planOf(balancer, failoverBy), role).files)
        assert.doesNotMatch(content, /@[a-z]+@/, path);
});

test("keepalived and Pacemaker watch the program that runs", () => {
  for (const name of balancerNames) {
    const plan = planOf(name, "keepalived");
    const { unit, socket } = balancers[name];
    const conf = renderKeepalivedConf(plan, nodesOf(plan, "balancer")[0] as NodePlan);
    assert.match(conf, new RegExp(`track_script {\\n *${unit}\\n`));
    assert.ok(conf.includes(`UNIX-CONNECT:${socket}"`));
    assert.match(renderPacemakerCib(plan), new RegExp(`class="systemd" type="${unit}"`));
  }
});

test("balancers and gateway know the program, also the one that is not the default", () => {
  const program = (role: "balancer" | "gateway", name: BalancerName) =>
    settingsInFiles(seedOf(planOf(name, "keepalived"), role).files.map(({ content }) => content))["options.balancer"];
  for (const role of ["balancer", "gateway"] as const) {
    assert.deepEqual([program(role, "nginx"), program(role, "haproxy")], ["nginx", undefined], role);
  }
});

test("a running cluster gets another program by its name alone, as change-balancing does it", () => {
  const [haproxy, nginx] = [renderPacemakerCib(planOf("haproxy")), renderPacemakerCib(planOf("nginx"))];
  assert.equal(haproxy.replaceAll(/\bhaproxy\b/g, "nginx"), nginx);
  assert.equal(nginx.replaceAll(/\bnginx\b/g, "haproxy"), haproxy);
});

test("change-balancing writes the drop-ins of a seed", () => {
  const text = script("balancer/change-balancing");
  const userData = seedOf(planOf("haproxy")).userData;
  assert.match(userData, /RestartSec=100ms/);
  assert.ok(text.includes("90-restart Restart=always RestartSec=100ms"));
  assert.match(userData, /pacemaker\.service\.d\/10-haproxy-first\.conf/);
  assert.match(userData, /ExecStartPre=-\/usr\/bin\/systemctl start haproxy\.service/);
  assert.ok(text.includes('"10-$BALANCER-first" "ExecStartPre=-/usr/bin/systemctl start $BALANCER.service"'));
});

test("each change finds its command: one of its two sides always has it", () => {
  for (const [balancer, failoverBy] of combinations) {
    const isDefault = balancer === "haproxy" && failoverBy === "pacemaker";
    const has = (role: "balancer" | "gateway"): boolean =>
      fileOf(seedOf(planOf(balancer, failoverBy), role), guestCommand("change-balancing")) !== undefined;
    assert.equal(has("balancer"), !isDefault, `${balancer} ${failoverBy}`);
    assert.equal(has("gateway"), failoverBy === "keepalived", `${balancer} ${failoverBy}`);
  }
});

test("machines with keepalived have what Corosync and Pacemaker need later", () => {
  for (const balancer of balancerNames) {
    const plan = planOf(balancer, "keepalived");
    for (const role of ["balancer", "gateway"] as const) {
      const seed = seedOf(plan, role);
      assert.ok(seed.secrets.includes("corosync-key"), role);
      assert.equal(fileOf(seed, guestPaths.futureCluster), renderPacemakerCib(plan), role);
    }
  }
});

test("a single balancer with nginx owns the floating IP and has no cluster", () => {
  const seed = seedOf(planOf("nginx", "pacemaker", "small"));
  assert.match(seed.networkConfig, /192\.168\.56\.10\/24/);
  assert.match(fileOf(seed, "/etc/systemd/system/groundplane.target") ?? "", /^Wants=.*nginx\.service/m);
  assert.ok(!seed.secrets.includes("corosync-key"));
});

const settingsOf = ({ files }: NodeSeed) => files.find(({ path }) => path === guestPaths.nodeEnvironment);

test("changed settings come with what applies them, also on machines of another number of balancers", () => {
  const command = guestCommand("change-balancing");
  const pair = [command, guestPaths.futureCluster, "/etc/corosync/authkey"];
  for (const role of ["balancer", "gateway"] as const) {
    for (const [balancer, failoverBy] of combinations) {
      const { alongside } = settingsOf(seedOf(planOf(balancer, failoverBy), role)) ?? {};
      assert.deepEqual(
        alongside?.map(({ path }) => path),
        pair,
      );
      assert.equal(alongside?.at(-1)?.content, "${secret:corosync-key}");
    }
    const seed = seedOf(planOf("haproxy", "pacemaker", "small"), role);
    assert.deepEqual(
      settingsOf(seed)?.alongside?.map(({ path }) => path),
      [command],
    );
    assert.ok(!seed.userData.includes("change-balancing"), "a machine is created without it");
  }
  assert.equal(
    settingsOf(renderNodeSeed(planOf("haproxy"), nodesOf(planOf("haproxy"), "worker")[0] as NodePlan))?.alongside,
    undefined,
  );
});

test("a growing cluster begins in maintenance, by what change-balancing finds in its configuration", () => {
  const text = script("balancer/change-balancing");
  const cib = renderPacemakerCib(planOf("haproxy"));
  for (const found of ['admin_epoch="0"', '<cluster_property_set id="cluster">'])
    assert.ok(text.includes(found) && cib.split(found).length === 2, found);
});

test("a single balancer's network has the floating IP in the form that change-balancing looks for", () => {
  const { networkConfig } = seedOf(planOf("haproxy", "pacemaker", "small"));
  assert.match(networkConfig, /- "192\.168\.56\.11\/24"\n *- "192\.168\.56\.10\/24"/);
  assert.doesNotMatch(seedOf(planOf("haproxy")).networkConfig, /192\.168\.56\.10\//);
});
