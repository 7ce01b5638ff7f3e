import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { utils } from "ssh2";
import { sshKeyOf } from "../../../model/ssh-key";

/** Their public keys begin with one and with two zero bytes. */
const unusual = ["da", "24"].map((end) => end.padStart(64, "0"));

function isUsable(secret: Buffer): void {
  const { privateKey, publicKey } = sshKeyOf(secret);
  const parsed = utils.parseKey(privateKey);
  assert.ok(!(parsed instanceof Error), String(parsed));
  assert.equal(`ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}`, publicKey);
  const known = utils.parseKey(publicKey);
  assert.ok(!(known instanceof Error), String(known));
  const signature = parsed.sign("text");
  assert.ok(Buffer.isBuffer(signature) && known.verify("text", signature));
}

test("a client can read and use the key of any secret", () => {
  for (const secret of unusual) isUsable(Buffer.from(secret, "hex"));
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => isUsable(Buffer.from(bytes))));
});
