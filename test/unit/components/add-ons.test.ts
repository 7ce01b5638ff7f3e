import assert from "node:assert/strict";
import { test } from "node:test";
import { type AddOnRecipe, addOnRecipe, archiveName } from "../../../image/recipes/add-ons";
import { addOnNames } from "../../../model/add-ons";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import { recordDataCenter, resourceOf } from "../../support/recorded-graph";

const configuration = exampleConfiguration("lab");
const type = "groundplane:index:ContainerImages";

const resourceName = (node: string, { programs }: AddOnRecipe): string =>
  `${node}-container-image-${programs.name}-v${programs.version}`;

test("workers get the images of add-ons after their system disks, and then the cluster its objects", async () => {
  const plan = planDataCenter({ ...configuration, addons: { "metrics-server": true, metallb: true, registry: true } });
  const graph = await recordDataCenter(plan);
  const brought = graph.filter((each) => each.type === type).map(({ name }) => name);
  const recipes = addOnNames.map((name) => addOnRecipe(name, plan.kubernetes.version));
  const expected = ["worker-1", "worker-2"].flatMap((node) => recipes.map((recipe) => resourceName(node, recipe)));
  assert.deepEqual(brought.sort(), expected.sort());
  for (const recipe of recipes) {
    const { dependencies, inputs } = resourceOf(graph, type, resourceName("worker-1", recipe));
    assert.ok(dependencies.includes("worker-1-image") && dependencies.includes("worker-2-image"), `${dependencies}`);
    assert.deepEqual(inputs.images, { [recipe.image.name]: archiveName(recipe) });
  }
  const objectsType = "groundplane:index:ClusterObjects";
  const later = resourceOf(graph, objectsType, "cluster-add-ons");
  for (const name of brought) assert.ok(later.dependencies.includes(name));
  assert.ok(Object.hasOwn(later.inputs.objects as object, "DaemonSet metallb-system/speaker"));
  const first = resourceOf(graph, objectsType, "cluster-objects").inputs.initial as object;
  assert.ok(!Object.hasOwn(first, "DaemonSet metallb-system/speaker"), "its image is not on the nodes yet");
});

test("the image of a removed add-on is deleted by the engine, which comes after the cluster's objects", async () => {
  const named = async (metallb: boolean) => {
    const graph = await recordDataCenter(
      planDataCenter({ ...configuration, addons: { "metrics-server": true, metallb, registry: false } }),
    );
    return new Map(graph.map((each) => [each.name, JSON.stringify(each.inputs)]));
  };
  const [both, one] = [await named(true), await named(false)];
  const images = [...both.keys()].filter((name) => name.includes("-container-image-"));
  for (const name of images)
    if (one.has(name)) assert.equal(one.get(name), both.get(name), `${name} does not change`);
    else assert.match(name, /-metallb-/);
  assert.equal(images.filter((name) => !one.has(name)).length, 2);
});

test("a registry changes keys and files of the cluster's nodes, whose machines stay as they are", async () => {
  const named = async (registry: boolean) => {
    const addons = { "metrics-server": false, metallb: false, registry };
    const graph = await recordDataCenter(planDataCenter({ ...configuration, addons }));
    return new Map(graph.map((each) => [each.name, JSON.stringify(each.inputs)]));
  };
  const [without, withIt] = [await named(false), await named(true)];
  const changed = [...withIt].filter(([name, inputs]) => without.has(name) && without.get(name) !== inputs);
  const members = ["master-1", "master-2", "master-3", "worker-1", "worker-2"];
  // The seeds of nodes are read when they are created, and when they get another image.
  const ofNodes = members.flatMap((name) => [name, `${name}-files`, `${name}-image`]);
  const others = ["cluster-add-ons", "guard", "secrets-cluster"];
  assert.deepEqual(changed.map(([name]) => name).sort(), [...others, ...ofNodes].sort());
  const objects = withIt.get("cluster-add-ons") ?? "";
  for (const part of ["PersistentVolumeClaim kube-system/registry-data", '"clusterIP":"10.96.0.11"'])
    assert.ok(objects.includes(part), part);
  assert.match(withIt.get("worker-1-files") ?? "", /registry\.key/);
  assert.doesNotMatch(withIt.get("master-1-files") ?? "", /registry\.key/);
});

test("an add-on changes no resource of a stack but those that it is about", async () => {
  const named = async (metallb: boolean) => {
    const plan = planDataCenter({ ...configuration, addons: { "metrics-server": false, metallb, registry: false } });
    const graph = await recordDataCenter(plan);
    return new Map(graph.map((each) => [each.name, JSON.stringify(each.inputs)]));
  };
  const [without, withIt] = [await named(false), await named(true)];
  const changed = [...withIt].filter(([name, inputs]) => without.has(name) && without.get(name) !== inputs);
  // The seed of the gateway is read when it is created, and when it gets another image.
  const ofGateway = ["gateway", "gateway-files", "gateway-image"];
  assert.deepEqual(changed.map(([name]) => name).sort(), ["cluster-add-ons", ...ofGateway, "guard"]);
  assert.deepEqual(
    [...withIt.keys()].filter((name) => !without.has(name)),
    ["worker-1", "worker-2"].map((node) =>
      resourceName(node, addOnRecipe("metallb", examplePlan("lab").kubernetes.version)),
    ),
  );
  assert.ok(![...(await recordDataCenter(examplePlan("lab")))].some((each) => each.type === type));
});
