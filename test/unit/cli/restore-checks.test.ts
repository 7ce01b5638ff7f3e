import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackupManifest } from "../../../backup/write-backup";
import { machinesToRecreate, refuseOtherStack, refuseSharedMachines } from "../../../cli/restore-checks";
import { defaultKubernetesVersion, kubernetesVersions } from "../../../model/releases";

const keys = { "kubernetes-ca.key": "another", "ssh-host-seed": "a secret" };
const manifest = { format: 1, stack: "lab", kubernetes: defaultKubernetesVersion } as BackupManifest;
const right = { stack: "lab", kubernetes: defaultKubernetesVersion, manifest, keys };

test("a backup fits a new stack, and a stack with the same keys", () => {
  refuseOtherStack(right);
  refuseOtherStack({ ...right, present: { ...keys } });
  refuseOtherStack({ ...right, present: { ...keys, "ssh-user-key": "rotated", "former-ssh-user-keys": "[]" } });
  refuseOtherStack({ ...right, present: { ...keys, "kubernetes-ca.key": "rotated" } });
  refuseOtherStack({ ...right, present: { ...keys, "etcd-ca.key": "rotated", "former-etcd-authorities": "[]" } });
});

test("a backup fits a stack that has the key of its Secrets, or had it before a rotation", () => {
  const own = { ...keys, "encryption-key": "one" };
  const once = { ...keys, "encryption-key": "two", "former-encryption-keys": '["one"]', "service-account.key": "new" };
  refuseOtherStack({ ...right, keys: own, present: own });
  refuseOtherStack({ ...right, keys: own, present: once });
  for (const [backup, present] of [
    [once, own],
    [own, { ...once, "former-encryption-keys": "[]" }],
  ] as const)
    assert.throws(() => refuseOtherStack({ ...right, keys: backup, present }), { id: "other-encryption" });
});

test("a backup fits a new stack of the next minor version, and no stack whose workers stay", () => {
  const [newest = "", former = "", oldest = ""] = kubernetesVersions;
  const of = (kubernetes: string) => ({ ...manifest, kubernetes });
  const next = { ...right, manifest: of(former), kubernetes: newest };
  refuseOtherStack(next);
  for (const refused of [
    { ...next, present: { ...keys } },
    { ...next, manifest: of(newest), kubernetes: former },
    { ...next, manifest: of(oldest) },
  ])
    assert.throws(() => refuseOtherStack(refused), { id: "other-release" });
});

test("another stack, release or set of keys is refused with the way, and without a key", () => {
  const cases = [
    [{ ...right, stack: "small" }, "other-stack", /add --stack lab/],
    [
      { ...right, kubernetes: "1.2.3" },
      "other-release",
      new RegExp(`into a new stack with kubernetesVersion: ${defaultKubernetesVersion}$`),
    ],
    [{ ...right, present: { ...keys, "ssh-host-seed": "other" } }, "other-keys", /`npx groundplane destroy`/],
    [{ ...right, present: { ...keys, more: "x" } }, "other-keys", /`npx groundplane destroy`/],
  ] as const;
  for (const [restored, id, hint] of cases) {
    assert.throws(
      () => refuseOtherStack(restored),
      (error: Error & { id: string; hint: string }) =>
        error.id === id && hint.test(error.hint) && !error.message.includes("a secret"),
    );
  }
});

test("a backup from before or after a rotation of the host keys is of the same stack", () => {
  const later = { ...keys, "ssh-host-seed": "later", "former-ssh-host-seeds": JSON.stringify([keys["ssh-host-seed"]]) };
  refuseOtherStack({ ...right, present: later });
  refuseOtherStack({ ...right, keys: later });
});

test("a machine with data of other roles is not recreated in a stack that exists", () => {
  refuseSharedMachines([["gateway"], ["master", "etcd", "worker"], ["etcd"], ["storage"]]);
  assert.throws(() => refuseSharedMachines([["gateway", "etcd"]]), { id: "restore-shared" });
  assert.throws(() => refuseSharedMachines([["master", "etcd", "storage"]]), { id: "restore-shared" });
});

test("masters and members of etcd are recreated, also those of an earlier revision's outputs", () => {
  const machines = ["gateway", "master-1", "etcd-1", "worker-1"].map((name) => ({ kind: "machine" as const, name }));
  const objects = [...machines, { kind: "disk" as const, name: "master-1" }];
  const nodes = [
    { name: "gateway", role: "gateway" },
    { name: "master-1", role: "master" },
    { name: "etcd-1", roles: ["etcd"] as const },
    { name: "worker-1", role: "worker" },
  ];
  const names = machinesToRecreate(objects, nodes).map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(names, ["machine master-1", "machine etcd-1"]);
});
