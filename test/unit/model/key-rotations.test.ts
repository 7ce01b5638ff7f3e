import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeStages,
  isRotated,
  type KeyRotation,
  keyRotations,
  keysToRotate,
  settledStage,
} from "../../../model/key-rotations";

const rotations: readonly (readonly [string, KeyRotation])[] = Object.entries(keyRotations);

test("in no stage of a rotation, and in no mixture of two neighbours, a client lacks a key that a node accepts", () => {
  for (const [name, { stages }] of rotations) {
    const all = [settledStage("former"), ...stages];
    for (const [index, stage] of all.entries()) {
      const next = all[index + 1] ?? stage;
      if (next.atOnce) continue;
      for (const { accepted } of [stage, next])
        for (const { offered } of [stage, next])
          assert.ok(
            offered.some((key) => accepted.includes(key)),
            `${name}, stage ${index}: ${offered} at a node that accepts ${accepted}`,
          );
    }
  }
});

test("after a rotation, no node accepts the former key, and every client begins with the new one", () => {
  for (const [name, { stages }] of rotations) {
    assert.deepEqual(stages.at(-1)?.accepted, ["new"], name);
    assert.equal(stages.at(-1)?.offered[0], "new", name);
    const dropped = stages.findIndex(({ accepted }) => !accepted.includes("former"));
    assert.ok(
      stages.slice(dropped).every(({ accepted }) => !accepted.includes("former")),
      `${name}: a dropped key does not come back`,
    );
  }
});

test("a number rotates its key once, and a lower or absent one does nothing", () => {
  assert.deepEqual(keysToRotate({}, { administrator: 1 }), ["administrator"]);
  assert.deepEqual(keysToRotate({ administrator: 1 }, { administrator: 3, "ssh-user-key": 1 }), [
    ...["administrator", "ssh-user-key"],
  ]);
  assert.deepEqual(keysToRotate({ administrator: 3 }, { administrator: 3 }), []);
  assert.deepEqual(keysToRotate({ administrator: 3 }, { administrator: 2 }), []);
  assert.deepEqual(keysToRotate({ administrator: 3 }, {}), []);
});

test("the stages are one sentence in their order", () => {
  assert.equal(
    describeStages(keyRotations.administrator),
    "The masters also accept the new certificate; then groundplane and the kubeconfig have the new one; then the masters no " +
      "longer accept the former one.",
  );
});

test("only rotated secrets may differ between backup and stack", () => {
  for (const name of ["admin.crt", "admin.key", "ssh-user-key", "ssh-user-key.pub", "former-ssh-user-keys"].concat([
    ...["ssh-host-seed", "former-ssh-host-seeds"],
    ...["encryption-key", "former-encryption-keys", "service-account.key", "service-account.pub"],
  ]))
    assert.ok(isRotated(name), name);
  for (const name of [
    "etcd-ca.crt",
    "etcd-ca.key",
    "etcd-client.key",
    "former-etcd-authorities",
    "front-proxy-ca.key",
  ].concat(["corosync-key", "kubernetes-ca.key", "kubernetes-ca-hash", "former-kubernetes-authorities"]))
    assert.ok(isRotated(name), name);
  assert.ok(!isRotated("kubernetes-ca-issuers.crt"));
});
