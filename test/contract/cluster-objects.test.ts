// The data centre's objects in a cluster, over gRPC, against an API server in this process.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { renderKubeconfig } from "../../components/kubeconfig";
import { apiConnectionIn, clusterApi } from "../../guests/cluster-api";
import { describeProblem, objectProblems, readObjects } from "../../guests/cluster-objects";
import { byName, type ClusterObject } from "../../model/cluster-object";
import { groundplaneProvider } from "../../provider/definition";
import type { Properties } from "../../provider/rpc/property-values";
import { type FakeClusterApi, fakeClusterApi } from "../support/fake-cluster-api";
import { initFailureOf, type ProviderClient, providerClient } from "../support/provider-client";

const type = "groundplane:index:ClusterObjects";
const id = "tested/it";

const namespace: ClusterObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "volumes" } };
const meta = { name: "provisioner", namespace: "volumes" };
const settings: ClusterObject = { apiVersion: "v1", kind: "ConfigMap", metadata: meta, data: { mode: "shared" } };
const container = { name: "one", image: "image:1", resources: { limits: { cpu: "1000m" } } };
const deployment: ClusterObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta,
  spec: { replicas: 1, template: { spec: { containers: [container] } } },
};
const binding: ClusterObject = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "provisioner" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "provisioner" },
  subjects: [{ kind: "ServiceAccount", ...meta }],
};
const everything = [deployment, binding, settings, namespace];
const paths = {
  namespace: "/api/v1/namespaces/volumes",
  settings: "/api/v1/namespaces/volumes/configmaps/provisioner",
  deployment: "/apis/apps/v1/namespaces/volumes/deployments/provisioner",
  binding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/provisioner",
};

let api: FakeClusterApi;
let client: ProviderClient;
beforeEach(async () => {
  await api?.stop();
  api = await fakeClusterApi();
  client ??= await providerClient(groundplaneProvider);
});
after(async () => {
  client?.stop();
  await api?.stop();
});

const inputsWith = (objects: readonly ClusterObject[]): Properties =>
  ({ stack: "tested", clusterId: "c", connection: api.connection, objects: byName(objects) }) as unknown as Properties;
/** As they are answered. */
const outputsWith = (objects: readonly ClusterObject[]): Properties => ({ ...inputsWith(objects), begun: true });
const create = (objects: readonly ClusterObject[]) => client.create(type, inputsWith(objects));
const read = (objects: readonly ClusterObject[]) => client.read(type, id, inputsWith(objects), inputsWith(objects));
const live = (path: string) => api.objects.get(path) ?? assert.fail(path);

/** The difference that a plain preview shows: the read state against what is rendered. */
async function drift(objects: readonly ClusterObject[]): Promise<Readonly<Record<string, string>>> {
  const { inputs } = await read(objects);
  return (await client.diff(type, inputs, outputsWith(objects))).paths;
}

test("objects are applied in order of their dependencies and read back without a difference", async () => {
  const { id: made } = await create(everything);
  assert.equal(made, id);
  const applied = api.requests.filter((request) => request.startsWith("PATCH "));
  assert.equal(applied[0], `PATCH ${paths.namespace}`);
  assert.equal(applied.at(-1), `PATCH ${paths.deployment}`);
  live(paths.deployment).spec.template.spec.containers[0].resources.limits.cpu = "1";
  assert.deepEqual(await drift(everything), {});
});

test("a preview sends no request", async () => {
  const planned = await client.create(type, inputsWith(everything), { preview: true });
  assert.deepEqual(planned.properties, outputsWith(everything));
  assert.deepEqual(api.requests, []);
});

test("a missing and a changed object are named in the difference, and an update restores them", async () => {
  await create(everything);
  api.objects.delete(paths.settings);
  live(paths.deployment).spec.replicas = 5;
  assert.deepEqual(await drift(everything), {
    'objects["ConfigMap volumes/provisioner"]': "ADD",
    'objects["Deployment volumes/provisioner"].spec.replicas': "UPDATE",
  });
  const { inputs } = await read(everything);
  await client.update(type, id, inputs, inputsWith(everything));
  assert.deepEqual(live(paths.settings).data, { mode: "shared" });
  assert.equal(live(paths.deployment).spec.replicas, 1);
  assert.deepEqual(await drift(everything), {});
});

test("an object that is being deleted is missing, and an update waits until it is gone and creates it again", async () => {
  await create(everything);
  api.endNamespace("volumes", 6);
  assert.ok('objects["Namespace volumes"]' in (await drift(everything)));
  await client.update(type, id, (await read(everything)).inputs, inputsWith(everything));
  assert.equal(live(paths.namespace).metadata.deletionTimestamp, undefined);
  assert.deepEqual(await drift(everything), {});
});

test("an object that a release no longer has is deleted, the others stay", async () => {
  await create(everything);
  const kept = [namespace, deployment];
  await client.update(type, id, (await read(everything)).inputs, inputsWith(kept));
  assert.ok(!api.objects.has(paths.settings) && !api.objects.has(paths.binding));
  assert.ok(api.objects.has(paths.namespace) && api.objects.has(paths.deployment));
  assert.deepEqual(await drift(kept), {});
});

test("a field that a release no longer has is removed, also when kubeadm or kubectl set it first", async () => {
  const former = { manager: "kubectl", operation: "Apply", fields: ["data", "immutable"] };
  const controller = { manager: "kube-controller-manager", operation: "Update", fields: ["status"] };
  api.objects.set(paths.namespace, structuredClone(namespace) as object as Record<string, unknown>);
  const frozen = { ...settings, immutable: true };
  api.objects.set(paths.settings, { ...frozen, metadata: { ...meta, managedFields: [former, controller] } });
  await create([namespace, frozen]);
  const managers = live(paths.settings).metadata.managedFields.map(({ manager }: { manager: string }) => manager);
  assert.deepEqual(managers, ["kube-controller-manager", "groundplane"]);
  await client.update(type, id, inputsWith([namespace, frozen]), inputsWith([namespace, settings]));
  assert.equal(live(paths.settings).immutable, undefined);
});

test("a cluster that lacks initial objects gets them once; they are neither compared nor deleted here", async () => {
  const initial = byName([deployment]) as unknown as Properties;
  const inputs = { ...inputsWith([namespace, settings, binding]), begun: true, initial } as Properties;
  const later = { ...deployment, spec: { replicas: 2 } };
  const { properties } = await client.create(type, inputs);
  assert.equal(live(paths.deployment).spec.replicas, 1);
  assert.ok(!("initial" in properties));
  live(paths.deployment).spec.replicas = 7;
  const changed = { ...inputs, initial: byName([later]) as unknown as Properties };
  const seen = await client.read(type, id, inputs, properties);
  assert.deepEqual((await client.diff(type, seen.inputs, changed)).paths, {});
  await client.update(type, id, seen.inputs, changed);
  assert.equal(live(paths.deployment).spec.replicas, 7, "another resource keeps it");
  // An earlier version kept all objects in one resource.
  await client.update(type, id, inputsWith(everything), changed);
  assert.equal(live(paths.deployment).spec.replicas, 7);
  api.objects.delete(paths.deployment);
  const lacking = await client.read(type, id, inputs, properties);
  assert.deepEqual((await client.diff(type, lacking.inputs, changed)).paths, { begun: "UPDATE" });
  await client.update(type, id, lacking.inputs, changed);
  assert.equal(live(paths.deployment).spec.replicas, 2);
});

test("fields of others stay", async () => {
  await create(everything);
  live(paths.settings).data.extra = "a user's";
  live(paths.namespace).metadata.labels = { team: "a" };
  assert.deepEqual(await drift(everything), {});
  await client.update(type, id, inputsWith(everything), inputsWith(everything));
  assert.deepEqual(live(paths.settings).data, { mode: "shared", extra: "a user's" });
});

test("a user's entry in a node selector is removed, because the pods would run elsewhere or nowhere", async () => {
  const template = { spec: { nodeSelector: {}, containers: [container] } };
  const selecting = { ...deployment, spec: { replicas: 1, template } };
  await create([namespace, selecting]);
  live(paths.deployment).spec.template.spec.nodeSelector = { parked: "yes" };
  assert.equal(Object.keys(await drift([namespace, selecting])).length, 1);
  await client.update(type, id, (await read([namespace, selecting])).inputs, inputsWith([namespace, selecting]));
  assert.deepEqual(live(paths.deployment).spec.template.spec.nodeSelector, {});
  assert.deepEqual(await drift([namespace, selecting]), {});
});

test("an object with another value in an immutable field is replaced", async () => {
  await create(everything);
  live(paths.binding).roleRef.name = "cluster-admin";
  await client.update(type, id, (await read(everything)).inputs, inputsWith(everything));
  assert.equal(live(paths.binding).roleRef.name, "provisioner");
});

test("an API that starts is waited for, an object that it refuses is an error with its reason", async () => {
  api.failNext(5, 503);
  await create(everything);
  api.failNext(9, 400);
  await assert.rejects(create(everything), /cannot apply Namespace volumes: the API is starting/);
});

test("when the API does not respond, the state stays as it was and is not called equal", async () => {
  const { properties } = await create(everything);
  await api.stop();
  const error = await client.read(type, id, properties, properties).then(
    () => assert.fail("the read fails"),
    (failure: unknown) => failure,
  );
  assert.match(String(error), /the cluster's API does not respond/);
  assert.deepEqual(initFailureOf(error)?.outputs, properties);
  assert.equal(initFailureOf(error)?.refreshBeforeUpdate, true);
});

test("a delete sends no request: the objects are removed with the cluster", async () => {
  await create(everything);
  api.requests.length = 0;
  await client.delete(type, id, inputsWith(everything));
  assert.deepEqual(api.requests, []);
});

test("a Secret is refused, because the state and previews show the objects", async () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "volumes" } };
  const inputs = { ...inputsWith([]), objects: { "Secret volumes/s": secret } } as unknown as Properties;
  const { failures } = await client.check(type, inputs);
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /Secret is not a kind of cluster objects; those are Namespace, /);
});

test("the key stays secret in all answers", async () => {
  const secretPaths = ["connection.clientKey"];
  const { secretPaths: secret } = await client.create(type, inputsWith(everything), { secretPaths });
  assert.ok(secret.has("connection.clientKey"));
});

test("the problems are the same for a kubeconfig of the stack", async () => {
  await create(everything);
  api.objects.delete(paths.deployment);
  live(paths.settings).data = {};
  const cluster = clusterApi(apiConnectionIn(renderKubeconfig({ stack: "tested", ...api.connection })));
  const problems = objectProblems(everything, await readObjects(cluster, everything, AbortSignal.timeout(5_000)));
  cluster.close();
  assert.deepEqual(problems.map(describeProblem), [
    "Deployment volumes/provisioner is missing",
    "ConfigMap volumes/provisioner was changed: data.mode",
  ]);
});
