import assert from "node:assert/strict";
import { test } from "node:test";
import { utils } from "ssh2";
import { deriveHostKey } from "../../../model/derive-host-key";

const seed = "5e".repeat(32);

test("the key is an OpenSSH key whose public key is the pinned line", () => {
  for (const node of ["gateway", "master-1", "a", "worker-1000"]) {
    const { privateKey, publicKey } = deriveHostKey(seed, node);
    const parsed = utils.parseKey(privateKey);
    assert.ok(!(parsed instanceof Error), String(parsed));
    assert.equal(`ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}`, publicKey);
    const signature = parsed.sign("text");
    assert.ok(Buffer.isBuffer(signature) && parsed.verify("text", signature));
  }
});

test("a derived key never changes, because running nodes keep their keys across versions", () => {
  const { publicKey } = deriveHostKey(seed, "gateway");
  assert.equal(publicKey, deriveHostKey(seed, "gateway").publicKey);
  assert.equal(publicKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvmmLBBj92ZATO1acqu1jv80roY6pv6W67Bz8iV9TJG");
});

test("a different node or seed gives a different key", () => {
  const keys = [deriveHostKey(seed, "a"), deriveHostKey(seed, "b"), deriveHostKey("00".repeat(32), "a")];
  assert.equal(new Set(keys.map((key) => key.publicKey)).size, 3);
});

test("a seed that is not 32 bytes of hex is refused without being shown", () => {
  assert.throws(
    () => deriveHostKey("not a seed", "a"),
    (error: Error) => !error.message.includes("not a seed"),
  );
});
