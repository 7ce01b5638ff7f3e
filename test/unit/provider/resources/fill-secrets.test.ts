import assert from "node:assert/strict";
import { test } from "node:test";
import { fillSecrets, referredSecrets } from "../../../../provider/resources/fill-secrets";

const seed = (userData: string) => ({ userData, metaData: "", networkConfig: "" });
const secrets = { "bootstrap-token": "abc.def$&", "etcd-ca.key": "first\nsecond\n", "ssh-host-key:master-1": "k" };

test("every reference is replaced, also by a secret with dollar signs", () => {
  const filled = fillSecrets(seed(`a: \${secret:bootstrap-token}\nb: \${secret:ssh-host-key:master-1}`), secrets);
  assert.equal(filled.userData, "a: abc.def$&\nb: k");
});

test("base64 references contain complete secrets with newlines", () => {
  const filled = fillSecrets(seed(`\${secret-base64:etcd-ca.key}`), secrets);
  assert.equal(Buffer.from(filled.userData, "base64").toString(), secrets["etcd-ca.key"]);
});

test("a multi-line secret is refused within a line, and the error does not show it", () => {
  assert.throws(
    () => fillSecrets(seed(`\${secret:etcd-ca.key}`), secrets),
    (error: Error) => /etcd-ca\.key/.test(error.message) && !/first/.test(error.message),
  );
});

test("an unknown secret is an error, also the name of an inherited property", () => {
  for (const name of ["absent", "constructor"]) {
    assert.throws(() => fillSecrets(seed(`\${secret:${name}}`), secrets), new RegExp(`"${name}"`));
  }
});

test("shell variables and other dollar signs are not references", () => {
  const text = "$HOME ${secret} ${secrets:x} $(id)";
  assert.equal(fillSecrets(seed(text), {}).userData, text);
});

test("each referred name is found once", () => {
  const text = `\${secret:a} \${secret-base64:a} \${secret:b}`;
  assert.deepEqual(referredSecrets(seed(text)), ["a", "b"]);
});
