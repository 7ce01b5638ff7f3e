// The data centre's objects against Kubernetes' own API server: its defaults, its validation and its server-side apply.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { loadAll } from "js-yaml";
import { allClusterObjects } from "../../cloud-init/files/kubernetes/cluster-objects";
import { type ClusterApi, clusterApi } from "../../guests/cluster-api";
import { applyObjects, describeProblem, objectProblems, readObjects } from "../../guests/cluster-objects";
import { byName, type ClusterObject, clusterObjectPath } from "../../model/cluster-object";
import { defaultKubernetesVersion } from "../../model/releases";
import { addonsFile } from "../support/addons-file";
import { patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";
import { missingPrograms, type RealClusterApi, realClusterApi } from "../support/real-cluster-api";

describe("on Kubernetes' API server", () => {
  let missing: string | undefined;
  let server: RealClusterApi;
  let api: ClusterApi;
  let objects: readonly ClusterObject[];
  before(async () => {
    missing = await missingPrograms("etcd", "kube-apiserver", "kubectl");
    if (missing) return;
    server = await realClusterApi();
    api = clusterApi(server.connection);
    objects = allClusterObjects(examplePlan("lab"), server.connection.certificateAuthority);
  });
  after(() => {
    api?.close();
    server?.stop();
  });

  const patience = () => ({ signal: AbortSignal.timeout(patienceMs), deadlineMs: patienceMs, onWaiting: () => {} });
  const problems = async () => {
    const live = await readObjects(api, objects, AbortSignal.timeout(patienceMs));
    return objectProblems(objects, live).map(describeProblem);
  };
  const kubectl = (words: readonly string[], input = ""): string =>
    execFileSync(server.kubectl[0] as string, [...server.kubectl.slice(1), ...words], { input, encoding: "utf8" });
  const objectAt = async (name: string) => {
    const object = byName(objects)[name] ?? assert.fail(name);
    return (await api.request("GET", clusterObjectPath(object))).body as {
      readonly metadata: {
        readonly generation?: number;
        readonly managedFields: readonly { readonly manager: string }[];
      };
    };
  };

  test("objects that kubeadm and kubectl applied are taken over, and their workloads change only where the data centre's differ", async (context) => {
    if (missing) return context.skip(missing);
    const former = loadAll(readFileSync(addonsFile(defaultKubernetesVersion), "utf8")) as (ClusterObject & {
      metadata: object;
    })[];
    for (const object of former) {
      const { resourceVersion: _version, ...metadata } = object.metadata as Record<string, unknown>;
      const collection = clusterObjectPath(object).replace(/\/[^/]+$/, "?fieldManager=kubeadm");
      const { status } = await api.request("POST", collection, { body: { ...object, metadata } });
      assert.equal(status, 201, JSON.stringify(object.metadata));
    }
    const network = objects.filter(({ kind, metadata }) =>
      /flannel/.test(`${kind} ${metadata.namespace} ${metadata.name}`),
    );
    assert.equal(network.length, 6);
    for (const object of network) kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(object));
    // A workload of the second generation restarts its pods. kube-proxy gets the library of iptables, for each mode.
    const generations = {
      "DaemonSet kube-system/kube-proxy": 2,
      "Deployment kube-system/coredns": 1,
      "DaemonSet kube-flannel/kube-flannel-ds": 1,
    };
    await applyObjects(api, objects, true, patience());
    for (const [name, expected] of Object.entries(generations)) {
      const { generation, managedFields } = (await objectAt(name)).metadata;
      assert.equal(generation, expected, name);
      assert.deepEqual(
        managedFields.map(({ manager }) => manager),
        ["groundplane"],
        name,
      );
    }
  });

  test("all objects of the lab are as rendered after they were applied, whatever the server's defaults are", async (context) => {
    if (missing) return context.skip(missing);
    assert.deepEqual(await problems(), []);
    await applyObjects(api, objects, false, patience());
    assert.deepEqual(await problems(), []);
  });

  test("what a user deletes or changes is named, and applied again", async (context) => {
    if (missing) return context.skip(missing);
    kubectl(["--namespace=kube-system", "scale", "deployment", "coredns", "--replicas=5"]);
    kubectl(["delete", "clusterrolebinding", "flannel"]);
    const parked = '{"spec":{"template":{"spec":{"nodeSelector":{"parked":"yes"}}}}}';
    kubectl(["--namespace=kube-flannel", "patch", "daemonset", "kube-flannel-ds", "-p", parked]);
    kubectl(["--namespace=kube-system", "set", "image", "daemonset/kube-proxy", "kube-proxy=other:1"]);
    kubectl(["delete", "clusterrolebinding", "system:coredns"]);
    kubectl(["create", "clusterrolebinding", "system:coredns", "--clusterrole=view", "--group=all"]);
    assert.deepEqual(await problems(), [
      "DaemonSet kube-system/kube-proxy was changed: spec.template.spec.containers[0].image",
      "ClusterRoleBinding flannel is missing",
      "DaemonSet kube-flannel/kube-flannel-ds was changed: spec.template.spec.nodeSelector.parked",
      "ClusterRoleBinding system:coredns was changed: roleRef.name, subjects[0].kind, subjects[0].name, subjects[0].namespace",
      "Deployment kube-system/coredns was changed: spec.replicas",
    ]);
    await applyObjects(api, objects, false, patience());
    assert.deepEqual(await problems(), []);
  });

  test("labels and entries of a user stay", async (context) => {
    if (missing) return context.skip(missing);
    kubectl(["label", "namespace", "volumes", "team=storage"]);
    kubectl(["--namespace=kube-system", "set", "env", "daemonset/kube-proxy", "EXTRA=1"]);
    assert.deepEqual(await problems(), []);
    await applyObjects(api, objects, false, patience());
    assert.match(kubectl(["--namespace=kube-system", "get", "daemonset", "kube-proxy", "-o", "yaml"]), /name: EXTRA/);
    assert.match(kubectl(["get", "namespace", "volumes", "-o", "yaml"]), /team: storage/);
  });
});
