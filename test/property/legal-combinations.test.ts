// Any legal combination of pools, roles and options renders, and its guard never lets a majority go.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { load } from "js-yaml";
import { renderHosts } from "../../cloud-init/files/hosts";
import { clusterObjects } from "../../cloud-init/files/kubernetes/cluster-objects";
import { renderNodeSeed, renderSeeds } from "../../cloud-init/render-node-seed";
import { guardedMembers } from "../../components/guarded-members";
import { refusedLosses } from "../../model/plan-losses";
import { majorityOf, type PresentMember } from "../../model/pool-change";
import { refusedSettings } from "../../model/refused-settings";
import { type Role, roles } from "../../model/roles";
import { renderDiagram } from "../../review/render-diagram";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { collisionsOf, listenersOf } from "../../stacks/plan/plan-listeners";
import { stopOrder } from "../../stacks/plan/stop-order";
import { changedConfiguration, validConfiguration } from "../support/arbitrary-configuration";

/** Rendering a large stack takes a second. */
const fewRuns = { numRuns: 25 };

const small = validConfiguration.map((configuration) => {
  const { pools } = configuration;
  return {
    ...configuration,
    pools: { ...pools, workers: { ...pools.workers, count: Math.min(2, pools.workers.count) } },
  };
});

test("every seed renders and is YAML, and what a machine does follows from its roles", () => {
  fc.assert(
    fc.property(small, (configuration) => {
      const plan = planDataCenter(configuration);
      assert.ok(clusterObjects(plan).length > 0);
      for (const seed of renderSeeds(plan)) {
        assert.equal(typeof load(seed.userData), "object");
        const node = plan.nodes.find(({ name }) => name === seed.node) as NodePlan;
        const has = (path: string): boolean => seed.files.some((file) => file.path === path);
        const mounts = has("/etc/systemd/system/groundplane-volume.service");
        assert.equal(mounts, plan.volume !== undefined && node.roles.includes("worker"), node.name);
        const forwards = ["/etc/haproxy/haproxy.cfg", "/etc/nginx/nginx.conf"].some(has);
        assert.equal(forwards, node.roles.includes("balancer"), node.name);
        assert.equal(/^ *taints: \[\]$/m.test(seed.userData), isOpenMaster(node), node.name);
      }
      const names = plan.nodes.map(({ name }) => name);
      assert.deepEqual(stopOrder(plan, new Set(names)).flat().sort(), [...names].sort());
      for (const name of names) assert.ok(renderDiagram(plan, "text").includes(`─ ${name} `) || name === "gateway");
    }),
    fewRuns,
  );
});

test("a seed depends on nothing that was rendered before it", () => {
  fc.assert(
    fc.property(small, small, (first, second) => {
      const seedsOf = (configuration: typeof first, isReversed: boolean) => {
        const plan = planDataCenter(configuration);
        const nodes = isReversed ? [...plan.nodes].reverse() : plan.nodes;
        const seeds = nodes.map((node) => renderNodeSeed(plan, node));
        return isReversed ? seeds.reverse() : seeds;
      };
      const before = seedsOf(first, false);
      seedsOf(second, false);
      assert.deepEqual(seedsOf(first, true), before);
    }),
    { numRuns: 8 },
  );
});

test("/etc/hosts of a node has itself and the nodes that are known everywhere, in the order of the plan", () => {
  fc.assert(
    fc.property(small, (configuration) => {
      const plan = planDataCenter(configuration);
      for (const node of plan.nodes) {
        const listed =
          renderHosts(plan, node)
            .match(/^[0-9.]+ \S+ \S+$/gm)
            ?.map((line) => line.split(" ")[2]) ?? [];
        const isListed = ({ name, roles: ofOther }: NodePlan): boolean =>
          node.roles.includes("gateway") || name === node.name || ofOther.some((role) => roles[role].isKnownEverywhere);
        assert.deepEqual(listed, [...plan.nodes.filter(isListed).map(({ name }) => name), "api"], node.name);
      }
    }),
    fewRuns,
  );
});

const isOpenMaster = ({ roles }: NodePlan): boolean => roles.includes("master") && roles.includes("worker");

test("no two programs of a machine listen on the same port of the same address", () => {
  fc.assert(
    fc.property(validConfiguration, (configuration) => {
      const plan = planDataCenter(configuration);
      for (const node of plan.nodes) assert.deepEqual(collisionsOf(listenersOf(plan, node)), [], node.name);
    }),
  );
});

test("every worker may mount the volume and is reached where workers are, whatever its segment", () => {
  fc.assert(
    fc.property(validConfiguration, (configuration) => {
      const plan = planDataCenter(configuration);
      for (const { name, roles, interfaces } of nodesOf(plan, "worker")) {
        const home = plan.segments.find((segment) => segment.name === interfaces[0]?.segment)?.cidr;
        // The gateway has an address of its own beside the storage machines.
        const beside = interfaces.find(({ segment }) => segment === "storage")?.address;
        const client = roles.includes("gateway") ? beside : home;
        assert.ok(plan.volume === undefined || plan.volume.clients.includes(client ?? ""), name);
      }
    }),
  );
});

/** What happens to one machine: it is stopped before the change, and the change keeps, replaces or removes it. */
const fate = fc.record({ running: fc.boolean(), change: fc.constantFrom("keep", "keep", "replace", "remove") });
type Fate = typeof fate extends fc.Arbitrary<infer F> ? F : never;

interface Changed {
  readonly before: DataCenterPlan;
  readonly after: DataCenterPlan;
  readonly present: ReadonlyMap<string, PresentMember>;
  readonly fateOf: (node: NodePlan) => Fate;
}

const changed: fc.Arbitrary<Changed> = small.chain((configuration) => {
  const before = planDataCenter(configuration);
  return fc.array(fate, { minLength: before.nodes.length, maxLength: before.nodes.length }).map((fates): Changed => {
    const fateOf = (node: NodePlan): Fate => fates[before.nodes.indexOf(node)] as Fate;
    const nodes = before.nodes.flatMap((node) => {
      const { change } = fateOf(node);
      if (change === "remove") return [];
      return [change === "replace" ? { ...node, uuid: `${node.uuid}-other` } : node];
    });
    const present = before.nodes.map((node): [string, PresentMember] => {
      const { name, roles, uuid, interfaces } = node;
      return [name, { name, roles, uuid, macs: interfaces.map(({ mac }) => mac), running: fateOf(node).running }];
    });
    return { before, after: { ...before, nodes }, present: new Map(present), fateOf };
  });
});

test("a change that the guard accepts leaves etcd, the balancers and the volume a majority", () => {
  let accepted = 0;
  fc.assert(
    fc.property(changed, ({ before, after, present, fateOf }) => {
      const guarded = guardedMembers(after, "fake");
      const replicas = Math.max(guarded.replicas, guardedMembers(before, "fake").replicas);
      if (refusedLosses(before.nodes, present, { ...guarded, replicas }, before.volume?.shape).length > 0) return;
      accepted += 1;
      const of = (role: Role) => nodesOf(before, role);
      const isTouched = (role: Role): boolean => of(role).some((node) => fateOf(node).change !== "keep");
      // `up` starts what stays; what goes is not started any more.
      const staying = (role: Role) => of(role).filter((node) => fateOf(node).change === "keep");
      const leaving = of("etcd").filter((node) => fateOf(node).change === "remove");
      if (isTouched("etcd") && leaving.length < of("etcd").length) {
        // A recreated member leaves and joins again, and those that leave work until then.
        const working = staying("etcd").length + leaving.filter((node) => fateOf(node).running).length;
        assert.ok(working >= majorityOf(of("etcd").length), "etcd keeps a majority");
      }
      if (isTouched("balancer") && of("balancer").length > 1) {
        assert.ok(
          staying("balancer").some((node) => fateOf(node).running),
          "a balancer holds the floating IP",
        );
      }
      if (isTouched("storage") && replicas > 1) {
        const running = staying("storage").filter((node) => fateOf(node).running);
        assert.ok(running.length >= majorityOf(replicas), "the volume keeps a majority of its copies");
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 10, `only ${accepted} changes were accepted`);
});

test("a change of pools, roles and options that a preview accepts keeps the data and a balancer", () => {
  let accepted = 0;
  fc.assert(
    fc.property(changedConfiguration, ([one, other]) => {
      const [before, after] = [planDataCenter(one), planDataCenter(other)];
      const present = before.nodes.map(({ name, roles, uuid, interfaces }): [string, PresentMember] => [
        name,
        { name, roles, uuid, macs: interfaces.map(({ mac }) => mac), running: true },
      ]);
      const guarded = guardedMembers(after, "fake");
      const replicas = Math.max(guarded.replicas, guardedMembers(before, "fake").replicas);
      const losses = refusedLosses(before.nodes, new Map(present), { ...guarded, replicas }, before.volume?.shape);
      if (losses.length + refusedSettings(before.settings, after.settings).length > 0) return;
      accepted += 1;
      const identity = ({ uuid, interfaces }: NodePlan) => `${uuid} ${interfaces.map(({ mac }) => mac)}`;
      const planned = new Map(after.nodes.map((node) => [node.name, node]));
      const kept = (role: Role) =>
        nodesOf(before, role).filter((node) => {
          const next = planned.get(node.name);
          return next?.roles.includes(role) && identity(next) === identity(node);
        });
      const members = nodesOf(before, "etcd");
      const leaving = members.filter(({ name }) => !planned.has(name));
      assert.ok(kept("etcd").length > 0, "a member with the data stays");
      assert.ok(kept("etcd").length + leaving.length >= majorityOf(members.length), "etcd keeps a majority");
      assert.ok(kept("balancer").length > 0, "a balancer holds the floating IP");
      assert.ok(kept("master").length > 0, "a master stays, through which others join");
      if (nodesOf(before, "storage").length > 0) assert.ok(kept("storage").length >= majorityOf(replicas));
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 10, `only ${accepted} changes were accepted`);
});
