import assert from "node:assert/strict";
import { test } from "node:test";
import { objectsOfAddOns } from "../../../../cloud-init/files/kubernetes/add-ons/add-on-objects";
import { addOnObjects, clusterObjects } from "../../../../cloud-init/files/kubernetes/cluster-objects";
import { renderNftablesConf } from "../../../../cloud-init/files/nftables-conf";
import { renderNodeSeed } from "../../../../cloud-init/render-node-seed";
import { allAddOnRecipes, archiveName } from "../../../../image/recipes/add-ons";
import { imageRecipes } from "../../../../image/recipes/image-names";
import { type AddOnName, addOnNames } from "../../../../model/add-ons";
import { ownNamespaces } from "../../../../model/cluster-namespaces";
import { byName, type ClusterObject } from "../../../../model/cluster-object";
import { kubernetesVersions } from "../../../../model/releases";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { type DataCenterPlan, nodesOf } from "../../../../stacks/plan/data-center-plan";
import { addOnNodes } from "../../../../stacks/plan/plan-add-ons";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { uplinkOf } from "../../../../stacks/plan/plan-uplink";

const storage = { count: 1, disks: [{ name: "brick", sizeGiB: 10 }] };

function planWith(
  addOns: readonly AddOnName[],
  written: { readonly pools?: object; readonly [key: string]: unknown } = {},
): DataCenterPlan {
  const addons = Object.fromEntries(addOns.map((name) => [name, true]));
  const { configuration, problems } = parseConfiguration(
    { ...written, pools: { storage, ...written.pools }, addons },
    { stack: "apps" },
  );
  assert.ok(configuration, JSON.stringify(problems));
  return planDataCenter(configuration);
}

const without = planWith([]);
const all = planWith(addOnNames);
const onMasters = planWith(addOnNames, { pools: { workers: { count: 0 }, masters: { count: 3, roles: ["worker"] } } });

interface Pod {
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly imagePullPolicy: string;
    readonly args: readonly string[];
  }[];
  readonly affinity?: object;
}
const podsOf = (objects: readonly ClusterObject[]) =>
  objects.flatMap(({ spec, metadata }) => {
    const pod = (spec as { readonly template?: { readonly spec: Pod } } | undefined)?.template?.spec;
    return pod ? [{ ...metadata, pod }] : [];
  });
const textOf = (object: unknown): string => JSON.stringify(object);

test("a stack without add-ons has nothing of them: no object, no image, no route, no rule", () => {
  assert.deepEqual(objectsOfAddOns(without), []);
  assert.deepEqual(addOnNodes(without), []);
  const [gateway] = nodesOf(without, "gateway");
  assert.ok(gateway);
  assert.doesNotMatch(textOf(renderNodeSeed(without, gateway)), /service.addresses/);
  for (const { kubernetes } of kubernetesVersions.flatMap((version) => imageRecipes(version, "tree")))
    for (const { name } of kubernetes?.parts ?? []) assert.ok(!(addOnNames as readonly string[]).includes(name));
});

test("each add-on adds its own objects, and the others stay as they are", () => {
  for (const name of addOnNames) {
    const own = objectsOfAddOns(planWith([name]));
    assert.ok(own.length > 0, name);
    assert.deepEqual(clusterObjects(planWith([name])).slice(0, -own.length), clusterObjects(without));
  }
  assert.deepEqual(addOnObjects(all), addOnObjects(without));
  byName(clusterObjects(all));
});

test("pods of add-ons use images that are brought to their nodes, in namespaces whose health counts", () => {
  const brought = new Set(allAddOnRecipes().map(({ image }) => image.name));
  const pods = podsOf(objectsOfAddOns(all));
  assert.deepEqual(pods.map(({ namespace, name }) => `${namespace}/${name}`).sort(), [
    "kube-system/metrics-server",
    "kube-system/registry",
    "metallb-system/controller",
    "metallb-system/speaker",
  ]);
  for (const { namespace = "", pod } of pods) {
    assert.ok(ownNamespaces.includes(namespace));
    for (const { image, imagePullPolicy } of pod.containers) {
      assert.ok(brought.has(image), image);
      assert.equal(imagePullPolicy, "Never", "no registry has it");
    }
  }
});

test("every release has each add-on, and an archive's name depends on what is in it", () => {
  const recipes = allAddOnRecipes();
  assert.equal(recipes.length, kubernetesVersions.length * addOnNames.length);
  const names = new Map(recipes.map((recipe) => [archiveName(recipe), recipe.image.name]));
  assert.equal(new Set(names.values()).size, names.size);
  const [one] = recipes;
  assert.ok(one);
  assert.notEqual(archiveName({ ...one, image: { ...one.image, user: "1:1" } }), archiveName(one));
});

test("speakers answer in one segment only, through which the gateway routes the planned range", () => {
  const cases = [
    [all, "workers", /DoesNotExist/],
    [onMasters, "masters", /--ignore-exclude-lb/],
  ] as const;
  for (const [plan, segment, placement] of cases) {
    const objects = byName(objectsOfAddOns(plan));
    assert.deepEqual(objects["L2Advertisement metallb-system/planned"]?.spec, {
      ...{ ipAddressPools: ["planned"], interfaces: [segment] },
    });
    assert.match(textOf(objects["IPAddressPool metallb-system/planned"]), new RegExp(plan.serviceAddresses));
    assert.match(textOf(objects["DaemonSet metallb-system/speaker"]), placement);
    const [gateway] = nodesOf(plan, "gateway");
    assert.ok(gateway);
    const { files } = renderNodeSeed(plan, gateway);
    const route = files.find(({ path }) => path.endsWith("/groundplane-service-addresses.service"))?.content ?? "";
    assert.match(route, new RegExp(`ip route replace ${plan.serviceAddresses} dev ${segment} `));
    const target = files.find(({ path }) => path.endsWith("/groundplane.target"))?.content ?? "";
    assert.match(target, /groundplane-service-addresses\.service/, "a running gateway starts it, too");
    // Not into the network of the host while the gateway lacks the route.
    const accepted = `iifname [^\n]* oifname "${segment}" ip daddr ${plan.serviceAddresses} accept`;
    const rules = renderNftablesConf(plan).split("\n");
    assert.equal(rules.filter((rule) => rule.includes(`ip daddr ${plan.serviceAddresses} `)).length, 1);
    assert.match(rules.join("\n"), new RegExp(accepted));
  }
  assert.doesNotMatch(renderNftablesConf(planWith(["metrics-server"])), /service addresses/);
});

test("speakers are replaced when another failover profile gives them other timers", () => {
  const speaker = (failover: string) => {
    const objects = byName(objectsOfAddOns(planWith(["metallb"], { options: { failover } })));
    const { data } = objects["ConfigMap metallb-system/metallb-memberlist-config"] as unknown as {
      data: Record<string, string>;
    };
    const timers = JSON.parse(data["config.json"] ?? "") as Record<string, unknown>;
    return { timers, pod: textOf(objects["DaemonSet metallb-system/speaker"]) };
  };
  const [fast, calm] = [speaker("fast"), speaker("calm")];
  assert.deepEqual(
    [fast.timers.ProbeInterval, fast.timers.ProbeTimeout, fast.timers.SuspicionMult],
    ["500ms", "250ms", 3],
  );
  assert.deepEqual(
    [calm.timers.ProbeInterval, calm.timers.ProbeTimeout, calm.timers.SuspicionMult],
    ["1000ms", "500ms", 4],
  );
  assert.notEqual(fast.pod, calm.pod);
});

test("a port of the host leads through the gateway to a Service", () => {
  const services = [
    { port: 8080, address: "192.168.62.1" },
    { port: 8443, address: "192.168.63.9", servicePort: 443 },
  ];
  const plan = planWith(["metallb"], { hostPorts: { services } });
  assert.deepEqual(uplinkOf(plan).forwards.slice(2), [
    ...[
      { hostPort: 8080, guestPort: 8080 },
      { hostPort: 8443, guestPort: 8443 },
    ],
  ]);
  const rules = renderNftablesConf(plan);
  assert.match(rules, /iifname "uplink" ip daddr 10\.0\.2\.15 tcp dport 8080 dnat ip to 192\.168\.62\.1:80\n/);
  assert.match(rules, /tcp dport 8443 dnat ip to 192\.168\.63\.9:443\n/);
});

test("each port leads to its own Service while the gateway has the rules of the former plan", () => {
  const [first, second] = [
    { port: 8080, address: "192.168.62.1" },
    { port: 8081, address: "192.168.62.2" },
  ];
  const [before, now] = [[first, second], [second]].map((services) =>
    planWith(["metallb"], { hostPorts: { services } }),
  );
  assert.ok(before && now);
  const guestPort = uplinkOf(now).forwards.find(({ hostPort }) => hostPort === second.port)?.guestPort;
  assert.match(renderNftablesConf(before), new RegExp(`tcp dport ${guestPort} dnat ip to 192\\.168\\.62\\.2:80\n`));
});

test("a stack of another release has the versions of its row", () => {
  const images = (kubernetesVersion: string) =>
    podsOf(objectsOfAddOns(planWith(addOnNames, { kubernetesVersion }))).flatMap(({ pod }) =>
      pod.containers.map(({ image }) => image),
    );
  const known = new Set(allAddOnRecipes().map(({ image }) => image.name));
  for (const version of kubernetesVersions) assert.ok(images(version).every((image) => known.has(image)));
});
