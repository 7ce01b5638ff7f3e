import assert from "node:assert/strict";
import { createPrivateKey, KeyObject, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import * as x509 from "@peculiar/x509";
import { makeClusterKeys } from "../../../../provider/resources/cluster-keys";
import { readAuthority } from "../../../../provider/resources/given-authority";
import { rsa, type SampleAuthority, sampleAuthority, type Wanted } from "../../../support/sample-authorities";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "given-authority-"));
after(() => fs.rmSync(folder, { recursive: true }));
const files = { certificate: path.join(folder, "ca.crt"), key: path.join(folder, "ca.key") };

let root: SampleAuthority;
let issuing: SampleAuthority;
before(async () => {
  root = await sampleAuthority({ name: "O=Example, CN=Root" });
  issuing = await sampleAuthority({ name: "O=Example, CN=Issuing", issuer: root, pathLength: 0, days: 3_000 });
});

/** `undefined`: no such file. */
interface Written {
  readonly certificate?: string;
  readonly key?: string;
  readonly mode?: number;
}

async function read({ certificate, key, mode = 0o600 }: Written) {
  for (const file of Object.values(files)) fs.rmSync(file, { force: true, recursive: true });
  if (certificate !== undefined) fs.writeFileSync(files.certificate, certificate, { mode: 0o644 });
  if (key !== undefined) fs.writeFileSync(files.key, key, { mode });
  return readAuthority(files);
}

const chain = (...authorities: readonly SampleAuthority[]): string =>
  authorities.map(({ certificate }) => `${certificate}\n`).join("");

/** An authority that is a root, or one below the root or another issuer. */
const one = async (wanted: Wanted): Promise<Written> => {
  const authority = await sampleAuthority({ days: 3_000, ...wanted });
  return { certificate: chain(authority, ...(wanted.issuer ? [root] : [])), key: authority.key };
};
const below = async (issuer: Wanted): Promise<Written> => {
  const parent = await sampleAuthority({ name: "CN=Parent", ...issuer });
  const authority = await sampleAuthority({ name: "CN=Issuing", issuer: parent, days: 3_000 });
  return { certificate: chain(authority, parent), key: authority.key };
};

const encrypted = (type: "pkcs1" | "pkcs8", key: string): string =>
  createPrivateKey(key).export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }) as string;
const ofRsa = async () => sampleAuthority({ algorithm: rsa(2_048) });

interface Case {
  readonly what: string;
  readonly files: () => Written | Promise<Written>;
  readonly problems: readonly RegExp[];
}

const cases: readonly Case[] = [
  {
    what: "no files",
    files: () => ({}),
    problems: [
      /^secrets\.authority\.certificate: ".*ca\.crt" does not exist; correct the path/,
      /key: .* does not exist/,
    ],
  },
  {
    what: "texts that are neither",
    files: () => ({ certificate: "hello", key: "hello" }),
    problems: [/no certificate in PEM form; convert it, e\.g\. `openssl x509/, /no private key in PEM form; convert/],
  },
  {
    what: "a block that is no certificate",
    files: () => ({ certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key: issuing.key }),
    problems: [/certificate: .* contains something that is no certificate/],
  },
  {
    what: "a broken key",
    files: () => ({ certificate: chain(root), key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }),
    problems: [/key: .* contains a private key that cannot be read; `openssl pkey/],
  },
  {
    what: "a key in the certificate's file",
    files: () => ({ certificate: chain(root) + root.key, key: root.key }),
    problems: [/certificate: .* contains a private key; move it/],
  },
  {
    what: "another key",
    files: () => ({ certificate: chain(issuing, root), key: root.key }),
    problems: [/key: .* is not the key of CN=Issuing, O=Example; give the key/],
  },
  {
    what: "two keys, which others can read",
    files: () => ({ certificate: chain(root), key: root.key + issuing.key, mode: 0o640 }),
    problems: [/can be read or changed by other users \(mode 0640\); `chmod 600`/, /contains 2 private keys/],
  },
  {
    what: "an encrypted key",
    files: () => ({ certificate: chain(root), key: encrypted("pkcs8", root.key) }),
    problems: [/key: .* is encrypted; decrypt it: `umask 077; openssl pkey/],
  },
  {
    what: "an encrypted key in the older form",
    files: async () => {
      const { certificate, key } = await ofRsa();
      return { certificate, key: encrypted("pkcs1", key) };
    },
    problems: [/key: .* is encrypted/],
  },
  {
    what: "no root",
    files: () => ({ certificate: chain(issuing), key: issuing.key }),
    problems: [/ends with CN=Issuing, O=Example, which is no root; append the certificates/],
  },
  {
    what: "the wrong order",
    files: () => ({ certificate: chain(root, issuing), key: issuing.key }),
    problems: [/has certificates after the root CN=Root, O=Example; keep/, /key: .* is not the key of CN=Root/],
  },
  {
    what: "another issuer of the same name",
    files: async () => ({
      certificate: chain(issuing, await sampleAuthority({ name: "O=Example, CN=Root" })),
      key: issuing.key,
    }),
    problems: [/has CN=Root, O=Example after CN=Issuing, O=Example, whose issuer it is not/],
  },
  {
    what: "no authority",
    files: () => one({ issuer: root, isAuthority: false, name: "CN=Leaf" }),
    problems: [/the certificate CN=Leaf is not that of a certificate authority; have it issued with `basicConstraints/],
  },
  {
    what: "an authority that may not sign certificates",
    files: () => one({ usages: x509.KeyUsageFlags.cRLSign }),
    problems: [/may not sign certificates; .* `keyCertSign`/],
  },
  {
    what: "an issuer that allows no authority below it",
    files: () => below({ pathLength: 0 }),
    problems: [/the issuer CN=Parent allows 0 authorities below it \(pathlen\), and has 1/],
  },
  {
    what: "an authority for servers only",
    files: () => one({ issuer: root, purposes: [x509.ExtendedKeyUsage.serverAuth] }),
    problems: [/may not issue certificates both of servers and of clients \(extendedKeyUsage\)/],
  },
  {
    what: "a root for servers only",
    files: () => one({ purposes: [x509.ExtendedKeyUsage.serverAuth] }),
    problems: [/may not issue certificates both of servers and of clients \(extendedKeyUsage\)/],
  },
  {
    what: "an authority for certain names",
    files: () => one({ extensions: [new x509.Extension("2.5.29.30", true, new Uint8Array([0x30, 0]))] }),
    problems: [/allows certain names only \(nameConstraints\)/],
  },
  {
    what: "one that has ended",
    files: () => one({ fromDays: -9, days: -1 }),
    problems: [/ended on \d{4}-\d\d-\d\d; use another/],
  },
  {
    what: "one that ends soon",
    files: () => one({ days: 399 }),
    problems: [/ends on .*, and the cluster with it; .* 400 days/],
  },
  {
    what: "one that is not valid yet",
    files: () => one({ fromDays: 2 }),
    problems: [/is valid only from .*; wait, or correct/],
  },
  {
    what: "an issuer that ends before",
    files: () => below({ days: 1_000 }),
    problems: [/the issuer CN=Parent ends on .*, before what it issued/],
  },
  {
    what: "a short RSA key",
    files: () => one({ algorithm: rsa(1_024) }),
    problems: [/has an RSA key of 1024 bits; use an EC key/],
  },
  {
    what: "a signature with SHA-1",
    files: async () => {
      const parent = await sampleAuthority({ name: "CN=Parent", algorithm: rsa(2_048, "SHA-1"), hash: "SHA-1" });
      const authority = await sampleAuthority({ name: "CN=Issuing", issuer: parent, hash: "SHA-1", days: 3_000 });
      return { certificate: chain(authority, parent), key: authority.key };
    },
    problems: [/the certificate CN=Issuing is signed with a method that programs of the cluster refuse; .* SHA-256/],
  },
  {
    what: "several things at once",
    files: async () => ({ ...(await one({ days: 30, isAuthority: false })), key: root.key, mode: 0o644 }),
    problems: [/not that of a certificate authority/, /ends on/, /other users/, /is not the key of/],
  },
];

for (const { what, files: written, problems } of cases) {
  test(`refused: ${what}`, async () => {
    const found = (await read(await written())).problems ?? assert.fail("accepted");
    assert.equal(found.length, problems.length, found.join("\n"));
    for (const [index, problem] of problems.entries()) assert.match(found[index] ?? "", problem);
    for (const text of found) assert.match(text, /^secrets\.authority\.(certificate|key): "\/.*"/);
  });
}

test("a key of a type that Kubernetes does not support is refused", async () => {
  const authority = await sampleAuthority({ algorithm: { name: "Ed25519" } });
  const { problems = [] } = await read({ certificate: authority.certificate, key: authority.key });
  assert.match(problems.join(), /has a key of the type ed25519, which Kubernetes does not support/);
});

test("a folder in place of a file is named with the reason", async () => {
  await read({ certificate: chain(root), key: root.key });
  fs.rmSync(files.key);
  fs.mkdirSync(files.key);
  assert.match(
    ((await readAuthority(files)).problems ?? []).join(),
    /key: ".*" cannot be read \(EISDIR\); give a file/,
  );
});

test("the authority of a cluster is one certificate, and its issuers are kept beside it", async () => {
  const { authority } = await read({ certificate: `# Example\r\n${chain(issuing, root)}`, key: issuing.key });
  assert.ok(authority);
  assert.match(authority.description, /^CN=Issuing, O=Example, issued by CN=Root, O=Example, which ends on 20\d\d-/);
  const keys = await makeClusterKeys(authority);
  const own = new X509Certificate(keys["kubernetes-ca.crt"] ?? "");
  assert.equal(keys["kubernetes-ca.crt"]?.match(/BEGIN/g)?.length, 1);
  assert.equal(own.fingerprint256, new X509Certificate(issuing.certificate).fingerprint256);
  assert.ok(own.checkPrivateKey(createPrivateKey(keys["kubernetes-ca.key"] ?? "")));
  assert.match(keys["kubernetes-ca.key"] ?? "", /^-----BEGIN EC PRIVATE KEY-----\n[\s\S]*\n$/, "as kubeadm writes it");
  const issuers = new X509Certificate(keys["kubernetes-ca-issuers.crt"] ?? "");
  assert.equal(issuers.fingerprint256, new X509Certificate(root.certificate).fingerprint256);
});

test("roots, and keys of RSA and of other curves are accepted", async () => {
  const written = [
    await ofRsa(),
    await sampleAuthority({ algorithm: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-256" } }),
  ];
  for (const { certificate, key, keys } of written) {
    const { authority, problems } = await read({ certificate, key });
    assert.ok(authority, problems?.join());
    assert.match(authority.description, /a root, which ends on/);
    const made = await makeClusterKeys(authority);
    assert.ok(!("kubernetes-ca-issuers.crt" in made));
    assert.ok(createPrivateKey(made["kubernetes-ca.key"] ?? "").equals(KeyObject.from(keys.privateKey)));
  }
});
