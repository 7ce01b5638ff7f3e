// The data centre's objects in a cluster on the real engine, against an API server in this process.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { byName, type ClusterObject } from "../../model/cluster-object";
import { type FakeClusterApi, fakeClusterApi } from "../support/fake-cluster-api";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { Resource } from "../support/provider-resources";

const namespace: ClusterObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "volumes" } };
const meta = { name: "provisioner", namespace: "volumes" };
const settings: ClusterObject = { apiVersion: "v1", kind: "ConfigMap", metadata: meta, data: { mode: "shared" } };
const paths = {
  namespace: "/api/v1/namespaces/volumes",
  settings: "/api/v1/namespaces/volumes/configmaps/provisioner",
};

let api: FakeClusterApi;
let project: ProviderProject;
before(async () => {
  api = await fakeClusterApi();
  project = await providerProject();
});
after(async () => {
  project?.remove();
  await api?.stop();
});

const stackWith = (...objects: readonly ClusterObject[]) =>
  project.program(async () => {
    const connection = { ...api.connection, clientKey: pulumi.secret(api.connection.clientKey) };
    new Resource("ClusterObjects", "cluster-objects", {
      stack: "tested",
      clusterId: "c",
      connection,
      objects: byName(objects),
    });
  });

test("objects are created once, and the administrator's key is in no readable state", async () => {
  const stack = await stackWith(namespace, settings);
  await stack.up();
  assert.deepEqual(api.objects.get(paths.settings)?.data, { mode: "shared" });
  assert.ok(!project.stateText().includes("PRIVATE KEY"));
  await stack.up({ expectNoChanges: true });
});

test("a plain preview names a deleted and a changed object, and up restores both", async () => {
  const stack = await stackWith(namespace, settings);
  api.objects.delete(paths.namespace);
  Object.assign(api.objects.get(paths.settings) ?? {}, { data: { mode: "broken" } });
  const plain = await stack.preview({ color: "never" });
  assert.match(plain.stdout, /Namespace volumes is missing; `pulumi up` restores it/);
  assert.match(plain.stdout, /ConfigMap volumes\/provisioner was changed: data\.mode/);
  assert.equal(plain.changeSummary.update, 1);
  const { stdout } = await stack.preview({ diff: true, color: "never" });
  assert.match(stdout, /mode: +"broken" => "shared"/);
  assert.ok(!stdout.includes("PRIVATE KEY"));
  const { summary } = await stack.up();
  assert.equal(summary.resourceChanges?.update, 1);
  assert.ok(api.objects.has(paths.namespace));
  assert.deepEqual(api.objects.get(paths.settings)?.data, { mode: "shared" });
  await stack.up({ expectNoChanges: true });
});

test("an API that does not respond leaves the state, and the next up finishes", async () => {
  const stack = await stackWith(namespace, settings);
  api.failNext(1_000, 503);
  const preview = await stack.preview({ color: "never" });
  assert.match(preview.stdout, /the cluster's API does not respond: the API is starting/);
  api.failNext(0, 503);
  await stack.up();
  await stack.up({ expectNoChanges: true });
});

test("an object that the program no longer has is deleted, and destroy sends no delete", async () => {
  await (await stackWith(namespace)).up();
  assert.ok(!api.objects.has(paths.settings));
  await (await stackWith(namespace)).destroy();
  assert.ok(api.objects.has(paths.namespace), "it is removed with the cluster");
});
