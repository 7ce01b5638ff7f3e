import { createHash, KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { authorityIssuers } from "../../model/cluster-secrets-types";
import {
  encryptionKeysIn,
  formerEncryptionKeys,
  formerEtcdAuthorities,
  formerEtcdAuthoritiesIn,
  formerHostSeeds,
  formerHostSeedsIn,
  formerKubernetesAuthorities,
  formerKubernetesAuthoritiesIn,
  formerUserKeys,
  formerUserKeysIn,
} from "../../model/former-keys";
import type { RotatableKey } from "../../model/key-rotations";
import { sshKeyOf } from "../../model/ssh-key";
import type { GivenAuthority } from "./given-authority";
import {
  type Authority,
  certificateFrame,
  certificatePem,
  generateKeys,
  makeAuthority,
  makeLaterAuthority,
  privatePem,
} from "./made-authority";

/** All secrets of a new cluster. ECDSA P-256 throughout: fast to generate, accepted everywhere. */

/**
 * The API server itself authorises the administrator's group, so the certificate works as soon as the API starts: before
 * kubeadm binds `kubeadm:cluster-admins`, and when role bindings are lost or broken. Each certificate has its own name, which audit logs
 * show and `follow-clients` looks for.
 */
const administratorSubject = () => `CN=groundplane:administrator:${randomBytes(8).toString("hex")},O=system:masters`;

type Keys = Readonly<Record<string, string>>;

/**
 * A complete set of new values by `SecretName`, without the per-node ones. PEM texts end with a newline.
 *
 * @param given the cluster's authority, if the user has one
 */
export async function makeClusterKeys(given?: GivenAuthority): Promise<Record<string, string>> {
  x509.cryptoProvider.set(webcrypto);
  const frontProxy = await makeAuthority("front-proxy-ca");
  const etcd = await makeAuthority("etcd-ca");
  return {
    ...(given ? givenSecrets(given) : kubernetesSecrets(await makeAuthority("kubernetes-ca"))),
    ...authoritySecrets("front-proxy-ca", frontProxy),
    ...(await etcdSecrets(etcd)),
    ...(await serviceAccountSecrets()),
    ...(await administratorSecrets()),
    "encryption-key": encryptionSecret(),
    ...corosyncSecrets(),
    ...sshUserSecrets(),
    ...sshHostSecrets(),
  };
}

const givenSecrets = ({ certificate, issuers, key, publicKey }: GivenAuthority): Keys => ({
  ...{ "kubernetes-ca.crt": certificate, "kubernetes-ca.key": key, "kubernetes-ca-hash": publicKeyHash(publicKey) },
  ...(issuers !== "" && { [authorityIssuers]: issuers }),
});

function authoritySecrets(name: string, { certificate, keys }: Authority): Record<string, string> {
  return { [`${name}.crt`]: certificatePem(certificate), [`${name}.key`]: privatePem(keys.privateKey) };
}

async function clientSecrets(name: string, subject: string, authority: Authority): Promise<Record<string, string>> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...certificateFrame(keys),
    subject,
    issuer: authority.certificate.subject,
    signingKey: authority.keys.privateKey,
    extensions: await clientExtensions(authority.keys.publicKey),
  });
  return { [`${name}.crt`]: certificatePem(certificate), [`${name}.key`]: privatePem(keys.privateKey) };
}

const kubernetesSecrets = (authority: Authority): Keys => ({
  ...authoritySecrets("kubernetes-ca", authority),
  "kubernetes-ca-hash": publicKeyHash(KeyObject.from(authority.keys.publicKey)),
});

const etcdSecrets = async (authority: Authority): Promise<Keys> => ({
  ...authoritySecrets("etcd-ca", authority),
  ...(await clientSecrets("etcd-client", "CN=kube-apiserver-etcd-client", authority)),
});

/**
 * A certificate that signs itself. No authority vouches for it: API servers accept it because it is in their file, and only as long.
 */
async function administratorSecrets(): Promise<Record<string, string>> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...certificateFrame(keys),
    ...{ name: administratorSubject(), keys },
    extensions: await clientExtensions(keys.publicKey),
  });
  return { "admin.crt": certificatePem(certificate), "admin.key": privatePem(keys.privateKey) };
}

const clientExtensions = async (authority: webcrypto.CryptoKey): Promise<x509.Extension[]> => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  await x509.AuthorityKeyIdentifierExtension.create(authority),
];

const corosyncSecrets = (): Keys => ({ "corosync-key": randomBytes(128).toString("hex") });

/** A node's key is derived from it. */
const sshHostSecrets = (): Keys => ({ "ssh-host-seed": randomBytes(32).toString("hex") });

const encryptionSecret = (): string => randomBytes(32).toString("base64");

async function serviceAccountSecrets(): Promise<Record<string, string>> {
  const { privateKey, publicKey } = await generateKeys();
  return { "service-account.key": privatePem(privateKey), "service-account.pub": publicPem(publicKey) };
}

const makers: Readonly<Record<RotatableKey, (present: Keys) => Promise<Keys>>> = {
  administrator: administratorSecrets,
  "ssh-user-key": async (present) => ({
    ...sshUserSecrets(),
    [formerUserKeys]: JSON.stringify([present["ssh-user-key"], ...formerUserKeysIn(present)]),
  }),
  "ssh-host-keys": async (present) => ({
    ...sshHostSecrets(),
    [formerHostSeeds]: JSON.stringify([present["ssh-host-seed"], ...formerHostSeedsIn(present)]),
  }),
  "etcd-ca": async (present) => ({
    ...(await etcdSecrets(await makeLaterAuthority("etcd-ca"))),
    [formerEtcdAuthorities]: JSON.stringify([
      `${present["etcd-ca.crt"]}${present["etcd-ca.key"]}`,
      ...formerEtcdAuthoritiesIn(present),
    ]),
  }),
  "kubernetes-ca": async (present) => ({
    ...kubernetesSecrets(await makeLaterAuthority("kubernetes-ca")),
    [formerKubernetesAuthorities]: JSON.stringify([
      `${present["kubernetes-ca.crt"]}${present["kubernetes-ca.key"]}`,
      ...formerKubernetesAuthoritiesIn(present),
    ]),
  }),
  "front-proxy-ca": async () => authoritySecrets("front-proxy-ca", await makeLaterAuthority("front-proxy-ca")),
  "corosync-key": async () => corosyncSecrets(),
  "encryption-key": async (present) => ({
    "encryption-key": encryptionSecret(),
    [formerEncryptionKeys]: JSON.stringify(encryptionKeysIn(present).map(({ secret }) => secret)),
  }),
  "service-account-key": serviceAccountSecrets,
};

/** The keys with new values of some. */
export async function rotateKeys(present: Keys, rotated: readonly RotatableKey[]): Promise<Keys> {
  x509.cryptoProvider.set(webcrypto);
  const made = await Promise.all(rotated.map((key) => makers[key](present)));
  return Object.assign({ ...present }, ...made);
}

/** Whether API servers accept the certificate although it is in no file of theirs: until 0.1.0, the cluster's authority signed it. */
export function isSignedByCluster(administrator: string): boolean {
  const { issuer, subject } = new X509Certificate(administrator);
  return issuer !== subject;
}

function sshUserSecrets(): Record<string, string> {
  const { privateKey, publicKey } = sshKeyOf(randomBytes(32));
  return { "ssh-user-key": privateKey, "ssh-user-key.pub": publicKey };
}

const publicPem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: "spki", format: "pem" }) as string;

/** The hash by which `kubeadm join` verifies the cluster. */
function publicKeyHash(key: KeyObject): string {
  const spki = key.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}
