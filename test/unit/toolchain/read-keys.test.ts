import assert from "node:assert/strict";
import { test } from "node:test";
import { keysIn, secretTextsIn } from "../../../toolchain/run-pulumi/read-keys";

const exported = (values: unknown): string =>
  JSON.stringify({
    deployment: { resources: [{ type: "other" }, { type: "groundplane:index:ClusterSecrets", outputs: { values } }] },
  });
const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "x", plaintext: JSON.stringify(value) });

test("keys are read whether Pulumi shows them as a whole or one by one", () => {
  const keys = { "etcd-ca.key": "a\nb", "ssh-host-seed": "c" };
  assert.deepEqual(keysIn(exported(secret(keys))), keys);
  assert.deepEqual(keysIn(exported({ "etcd-ca.key": secret("a\nb"), "ssh-host-seed": secret("c") })), keys);
});

test("a state without keys has none", () => {
  assert.equal(keysIn(JSON.stringify({ deployment: {} })), undefined);
  assert.equal(keysIn(exported(undefined)), undefined);
});

test("secret texts are those that the state encrypts, at any depth", () => {
  assert.deepEqual(
    secretTextsIn(exported({ "etcd-ca.key": secret("a"), shown: "b", deep: secret({ inner: ["c"] }) })),
    ["a", "c"],
  );
  const outputs = { kubeconfig: secret("k"), apiEndpoint: "e" };
  const stack = JSON.stringify({
    deployment: { resources: [{ type: "pulumi:pulumi:Stack", outputs }, { type: "other" }] },
  });
  assert.deepEqual(secretTextsIn(stack), ["k"]);
  assert.deepEqual(secretTextsIn(JSON.stringify({})), []);
});
