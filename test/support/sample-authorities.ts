import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** Certificates and keys of authorities as a user may have them, with one thing wrong or nothing. */

const DAY_MS = 86_400_000;
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export const rsa = (bits: number, hash = "SHA-256") => ({
  ...{ name: "RSASSA-PKCS1-v1_5", hash, modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]) },
});

export interface Wanted {
  readonly name?: string;
  readonly issuer?: SampleAuthority;
  readonly algorithm?: object;
  /** Of the issuer's signature. */
  readonly hash?: string;
  /** From now. */
  readonly days?: number;
  readonly fromDays?: number;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly usages?: x509.KeyUsageFlags;
  readonly purposes?: readonly string[];
  readonly extensions?: readonly x509.Extension[];
}

export interface SampleAuthority {
  readonly certificate: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly subject: string;
}

export async function sampleAuthority(wanted: Wanted = {}): Promise<SampleAuthority> {
  x509.cryptoProvider.set(webcrypto);
  const { issuer, algorithm = P256, hash = "SHA-256", days = 3_650, fromDays = -1, isAuthority = true } = wanted;
  const keys = (await webcrypto.subtle.generateKey(algorithm as typeof P256, true, [
    ...(["sign", "verify"] as const),
  ])) as webcrypto.CryptoKeyPair;
  const signer = issuer?.keys ?? keys;
  const { usages, purposes } = wanted;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: wanted.name ?? "CN=Sample, O=Example",
    issuer: issuer?.subject ?? wanted.name ?? "CN=Sample, O=Example",
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { ...signer.privateKey.algorithm, hash } as typeof P256,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, wanted.pathLength, true),
      ...(usages === undefined ? [] : [new x509.KeyUsagesExtension(usages, true)]),
      ...(purposes ? [new x509.ExtendedKeyUsageExtension([...purposes])] : []),
      ...(wanted.extensions ?? []),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }) as string;
  return { certificate: certificate.toString("pem"), key, keys, subject: certificate.subject };
}
