import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { volumeMountUnits } from "../../../cloud-init/files/storage/gluster-client";
import { storageBackend } from "../../../cloud-init/planned-storage";
import type { SeedFile, TextFile } from "../../../cloud-init/role-content";
import { workerContent } from "../../../cloud-init/roles/kubernetes-node";
import { masterContent } from "../../../cloud-init/roles/master";
import { storageContent } from "../../../cloud-init/roles/storage";
import { type NodePlan, nodesOf, type VolumePlan } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import type { LooseDocument } from "./kubernetes/loose-document";

const lab = examplePlan("lab");
const small = examplePlan("small");
const volume = lab.volume as VolumePlan;
const [first, second] = nodesOf(lab, "storage") as [NodePlan, NodePlan, NodePlan];
const textOf = (files: readonly SeedFile[], file: string): string =>
  (files.find((each) => each.path === file) as TextFile | undefined)?.content ?? assert.fail(`no ${file}`);

test("storage machines know each other's planned identity at boot", () => {
  const identity = (node: NodePlan) => textOf(storageContent(lab, node).files, "/var/lib/glusterd/glusterd.info");
  const id = /^UUID=(.*)$/m.exec(identity(first))?.[1] ?? "";
  assert.match(id, /^[0-9a-f-]{36}$/);
  const seenBySecond = textOf(storageContent(lab, second).files, `/var/lib/glusterd/peers/${id}`);
  assert.equal(seenBySecond, `uuid=${id}\nstate=3\nhostname1=${first.address}\n`);
  const peers = storageContent(lab, first).files.filter((file) => file.path.startsWith("/var/lib/glusterd/peers/"));
  assert.equal(peers.length, 2, "not itself");
});

test("the configuration selects three copies, two copies and an arbiter, or one copy", () => {
  const configuration = exampleConfiguration("lab");
  const typeOf = (count: number, shape: "replica-3" | "arbiter"): string | undefined => {
    const pools = { ...configuration.pools, storage: { ...configuration.pools.storage, count } };
    const plan = planDataCenter({ ...configuration, pools, storage: { volume: shape } });
    return storageContent(plan, first).environment?.VOLUME_TYPE;
  };
  assert.equal(typeOf(3, "replica-3"), "replica 3");
  assert.equal(typeOf(3, "arbiter"), "replica 3 arbiter 1");
  assert.equal(typeOf(1, "replica-3"), "");
});

test("only workers and storage machines may mount the volume", () => {
  const options = storageContent(lab, first).environment?.VOLUME_OPTIONS ?? "";
  assert.match(options, /^auth\.allow=192\.168\.58\.0\/23,192\.168\.60\.11,192\.168\.60\.12,192\.168\.60\.13 /);
});

test("a worker mounts the volume from any storage machine, before the kubelet, on a file system that accepts no files", () => {
  const [floor, mount] = volumeMountUnits(volume) as [TextFile, TextFile];
  assert.match(floor.content, /^Type=tmpfs\nOptions=.*nr_inodes=2$/m);
  assert.match(mount.content, /^What=192\.168\.60\.11:\/data$/m);
  assert.match(mount.content, /backup-volfile-servers=192\.168\.60\.12:192\.168\.60\.13$/m);
  for (const { content } of [floor, mount]) assert.match(content, /^Before=kubelet\.service$/m);
  const [worker] = nodesOf(lab, "worker") as [NodePlan];
  const [master] = nodesOf(lab, "master") as [NodePlan];
  const unitsOf = (files: readonly SeedFile[]) => files.filter((file) => file.path.endsWith(".mount"));
  assert.deepEqual(unitsOf(workerContent(lab, worker).files), [floor, mount]);
  assert.deepEqual(
    unitsOf(masterContent(lab, master).files),
    [floor],
    "masters run no volumes, but pods may stray there",
  );
});

test("without storage machines no node has a volume", () => {
  assert.equal(small.volume, undefined);
  assert.equal(storageBackend(small), undefined);
  const [worker] = nodesOf(small, "worker") as [NodePlan];
  const { files, environment, enable } = workerContent(small, worker);
  const { CLUSTER_NAMESPACES: _namespaces, ...variables } = environment ?? {};
  assert.doesNotMatch(JSON.stringify({ variables, enable }), /volume/i);
  assert.ok(files.every(({ path }) => !/volume/.test(path)));
});

test("the provisioner uses the mount, its class is the default, and its pods run where the volume is mounted", () => {
  const objects: readonly LooseDocument[] = storageBackend(lab)?.objects(lab) ?? [];
  const byKind = (kind: string) => objects.find((object) => object.kind === kind) ?? assert.fail(kind);
  const { data } = byKind("ConfigMap");
  assert.equal(JSON.parse(data["config.json"]).sharedFileSystemPath, volume.mountPoint);
  assert.deepEqual((load(data["helperPod.yaml"]) as LooseDocument).spec.nodeSelector, {
    "groundplane.internal/volume": "mounted",
  });
  const { metadata, provisioner } = byKind("StorageClass");
  assert.equal(metadata.annotations["storageclass.kubernetes.io/is-default-class"], "true");
  const { args } = byKind("Deployment").spec.template.spec.containers[0];
  assert.ok(args.includes(`--provisioner-name=${provisioner}`));
});
