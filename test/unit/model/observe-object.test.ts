import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterObject } from "../../../model/cluster-object";
import { changedFields, foreignEntries, observedObject } from "../../../model/observe-object";

const metadata = { name: "web", namespace: "own" };
const deployment = (spec: object): ClusterObject => ({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
const podWith = (container: object) =>
  deployment({ template: { spec: { containers: [{ name: "one", ...container }] } } });

/** As the API server returns it: with defaults, a status and its own metadata. */
const live = (rendered: ClusterObject, change: object = {}) => ({
  ...structuredClone(rendered),
  metadata: { ...rendered.metadata, uid: "1", resourceVersion: "7", managedFields: [], generation: 1 },
  status: { replicas: 1 },
  ...change,
});

test("an object with the server's defaults, metadata and status is as rendered", () => {
  const rendered = deployment({ replicas: 1, template: { spec: { containers: [{ name: "one", image: "i" }] } } });
  const spec = {
    replicas: 1,
    progressDeadlineSeconds: 600,
    template: {
      metadata: { creationTimestamp: null },
      spec: { restartPolicy: "Always", containers: [{ name: "one", image: "i", terminationMessagePath: "/dev/log" }] },
    },
  };
  assert.deepEqual(changedFields(rendered, live(rendered, { spec })), []);
  assert.deepEqual(observedObject(rendered, live(rendered, { spec })), rendered);
});

test("a changed field is named, and the observed object has the cluster's value", () => {
  const rendered = deployment({ replicas: 1 });
  const changed = live(rendered, { spec: { replicas: 3 } });
  assert.deepEqual(changedFields(rendered, changed), ["spec.replicas"]);
  assert.deepEqual(observedObject(rendered, changed).spec, { replicas: 3 });
});

test("a removed field is named by its path, also in a text of a ConfigMap", () => {
  const rendered = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { "net-conf.json": "{}", other: "x" },
  } as const;
  assert.deepEqual(changedFields(rendered, live(rendered, { data: { other: "x" } })), ['data["net-conf.json"]']);
  assert.deepEqual(changedFields(rendered, live(rendered, { data: undefined })), ["data"]);
});

test("fields, labels and list entries of others are no change", () => {
  const rendered = podWith({ env: [{ name: "A", value: "1" }], volumeMounts: [{ name: "v", mountPath: "/v" }] });
  const containers = [
    { name: "injected", image: "other" },
    {
      name: "one",
      env: [
        { name: "B", value: "2" },
        { name: "A", value: "1" },
      ],
      volumeMounts: [
        { name: "token", mountPath: "/token" },
        { name: "v", mountPath: "/v" },
      ],
    },
  ];
  const present = live(rendered, { spec: { template: { spec: { containers } } } });
  assert.deepEqual(changedFields(rendered, { ...present, metadata: { ...metadata, labels: { by: "a user" } } }), []);
});

test("an entry that is missing in a list is a change", () => {
  const rendered = podWith({
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
    ],
  });
  const one = live(podWith({ env: [{ name: "B", value: "2" }] }));
  assert.deepEqual(changedFields(rendered, one), ["spec.template.spec.containers[0].env"]);
});

test("a list without identities belongs to one manager as a whole", () => {
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
  const role: ClusterObject = { apiVersion: "v1", kind: "Role", metadata, rules };
  assert.deepEqual(changedFields(role, live(role, { rules: [...rules, ...rules] })), ["rules"]);
  const wider = live(role, { rules: [{ ...rules[0], verbs: ["*"] }] });
  assert.deepEqual(changedFields(role, wider), ["rules[0].verbs[0]"]);
  const subjects = [{ kind: "Group", name: "g" }];
  const binding: ClusterObject = { apiVersion: "v1", kind: "RoleBinding", metadata, subjects };
  const defaulted = [{ kind: "Group", name: "g", apiGroup: "rbac.authorization.k8s.io" }];
  assert.deepEqual(changedFields(binding, live(binding, { subjects: defaulted })), []);
});

test("ports are found by number and protocol; a port without a protocol is TCP", () => {
  const port = { containerPort: 53, protocol: "UDP" };
  const rendered = podWith({
    ports: [
      { containerPort: 53, name: "tcp" },
      { ...port, name: "udp" },
    ],
  });
  const ports = [
    { ...port, name: "udp" },
    { containerPort: 53, protocol: "TCP", name: "tcp" },
  ];
  assert.deepEqual(changedFields(rendered, live(podWith({ ports }))), []);
  const renamed = [
    { ...port, name: "other" },
    { containerPort: 53, protocol: "TCP", name: "tcp" },
  ];
  assert.deepEqual(changedFields(rendered, live(podWith({ ports: renamed }))), [
    "spec.template.spec.containers[0].ports[1].name",
  ]);
});

test("quantities are compared by value, other texts are not", () => {
  const sizes = (cpu: unknown, memory: string) => podWith({ resources: { limits: { cpu, memory } } });
  assert.deepEqual(changedFields(sizes("1000m", "1024Mi"), live(sizes("1", "1Gi"))), []);
  assert.deepEqual(changedFields(sizes(0.1, "70Mi"), live(sizes("100m", "70Mi"))), []);
  assert.equal(changedFields(sizes("1", "70Mi"), live(sizes("1", "70M"))).length, 1);
  assert.equal(changedFields(podWith({ args: ["1000m"] }), live(podWith({ args: ["1"] }))).length, 1);
  assert.equal(changedFields(podWith({ image: "1Gi" }), live(podWith({ image: "1024Mi" }))).length, 1);
});

test("false, zero and empty values that the server leaves out are no change", () => {
  const rendered = podWith({ stdin: false, args: [], workingDir: "" });
  assert.deepEqual(changedFields(rendered, live(podWith({}))), []);
  assert.equal(changedFields(rendered, live(podWith({ stdin: true }))).length, 1);
});

test("an additional entry in a node selector is a change, which a patch removes", () => {
  const withSelector = (nodeSelector?: object) => deployment({ template: { spec: { nodeSelector } } });
  const path = ["spec.template.spec.nodeSelector.parked"];
  for (const own of [{}, { "kubernetes.io/os": "linux" }]) {
    const rendered = withSelector(own);
    assert.deepEqual(changedFields(rendered, live(rendered)), []);
    const parked = live(withSelector({ ...own, parked: "yes" }));
    assert.deepEqual(changedFields(rendered, parked), path);
    const removal = { spec: { template: { spec: { nodeSelector: { parked: null } } } } };
    assert.deepEqual(foreignEntries(rendered, parked), removal);
    assert.equal(foreignEntries(rendered, live(rendered)), undefined);
  }
  assert.deepEqual(changedFields(withSelector({}), live(withSelector())), []);
});
