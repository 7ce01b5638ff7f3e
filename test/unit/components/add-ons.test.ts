import assert from "node:assert/strict";
import { test } from "node:test";
import { addOnRecipe, archiveName } from "../../../image/recipes/add-ons";
import { addOnNames } from "../../../model/add-ons";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import { recordDataCenter, resourceOf } from "../../support/recorded-graph";

const configuration = exampleConfiguration("lab");
const type = "groundplane:index:ContainerImages";

test("workers get the images of add-ons after their system disks, and then the cluster its objects", async () => {
  const plan = planDataCenter({ ...configuration, addons: { "metrics-server": true, metallb: true } });
  const graph = await recordDataCenter(plan);
  const brought = graph.filter((each) => each.type === type).map(({ name }) => name);
  assert.deepEqual(brought.sort(), ["worker-1-container-images", "worker-2-container-images"]);
  const { dependencies, inputs } = resourceOf(graph, type, "worker-1-container-images");
  assert.ok(dependencies.includes("worker-1-image") && dependencies.includes("worker-2-image"), `${dependencies}`);
  const recipes = addOnNames.map((name) => addOnRecipe(name, plan.kubernetes.version));
  assert.deepEqual(inputs.images, Object.fromEntries(recipes.map((each) => [each.image.name, archiveName(each)])));
  const objectsType = "groundplane:index:ClusterObjects";
  const later = resourceOf(graph, objectsType, "cluster-add-ons");
  for (const name of brought) assert.ok(later.dependencies.includes(name));
  assert.ok(Object.hasOwn(later.inputs.objects as object, "DaemonSet metallb-system/speaker"));
  const first = resourceOf(graph, objectsType, "cluster-objects").inputs.initial as object;
  assert.ok(!Object.hasOwn(first, "DaemonSet metallb-system/speaker"), "its image is not on the nodes yet");
});

test("an add-on changes no resource of a stack but those that it is about", async () => {
  const named = async (metallb: boolean) => {
    const plan = planDataCenter({ ...configuration, addons: { "metrics-server": false, metallb } });
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
    ["worker-1-container-images", "worker-2-container-images"],
  );
  assert.ok(![...(await recordDataCenter(examplePlan("lab")))].some((each) => each.type === type));
});
