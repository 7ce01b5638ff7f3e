import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { utils } from "ssh2";
import { makeClusterKeys } from "../../../../provider/resources/cluster-keys";

test("a set of keys is complete, and each key has the format that its program reads", async () => {
  const keys = await makeClusterKeys();
  const of = (name: string): string => keys[name] ?? assert.fail(`${name} is missing`);
  for (const name of ["kubernetes-ca", "front-proxy-ca", "etcd-ca"]) {
    const certificate = new X509Certificate(of(`${name}.crt`));
    assert.ok(certificate.ca && certificate.verify(certificate.publicKey), name);
    assert.equal(certificate.subject, `CN=${name}`);
    assert.equal(certificate.issuer, certificate.subject);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(of(`${name}.key`))), name);
    const years = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / (365.25 * 86_400_000);
    assert.equal(Math.round(years), 10);
    assert.ok(Date.parse(certificate.validFrom) < Date.now());
  }
  const authority = new X509Certificate(of("kubernetes-ca.crt"));
  const admin = new X509Certificate(of("admin.crt"));
  assert.ok(admin.verify(admin.publicKey) && !admin.checkIssued(authority) && !admin.ca, "it is its own authority");
  assert.match(admin.subject, /^CN=groundplane:administrator:[0-9a-f]{16}\nO=system:masters$/);
  assert.deepEqual(admin.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  const spki = authority.publicKey.export({ type: "spki", format: "der" });
  assert.equal(of("kubernetes-ca-hash"), `sha256:${createHash("sha256").update(spki).digest("hex")}`);
  const serviceAccount = createPublicKey(of("service-account.key")).export({ type: "spki", format: "pem" });
  assert.equal(serviceAccount, of("service-account.pub"));
  assert.ok(!("bootstrap-token" in keys), "each join makes its own");
  assert.equal(Buffer.from(of("encryption-key"), "base64").length, 32);
  assert.match(of("corosync-key"), /^[0-9a-f]{256}$/);
  assert.match(of("ssh-host-seed"), /^[0-9a-f]{64}$/);
  const user = utils.parseKey(of("ssh-user-key"));
  assert.ok(!(user instanceof Error));
  assert.equal(of("ssh-user-key.pub"), `ssh-ed25519 ${user.getPublicSSH().toString("base64")}`);
});

test("two sets have no key in common", async () => {
  const [one, two] = [await makeClusterKeys(), await makeClusterKeys()];
  for (const name of Object.keys(one)) assert.notEqual(one[name], two[name], name);
});
