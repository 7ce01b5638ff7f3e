import { createPrivateKey, type KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { certificateFrame, certificatePem, generateKeys, privatePem } from "./made-authority";

/** Certificates of servers that the cluster's authority signs here, because none of its signers signs such ones. */

type Keys = Readonly<Record<string, string>>;

/** @returns the new values of servers: `NAME.crt` and `NAME.key` */
export async function serverKeys(present: Keys, servers: Readonly<Record<string, readonly string[]>>): Promise<Keys> {
  x509.cryptoProvider.set(webcrypto);
  const made = await Promise.all(Object.entries(servers).map(([name, names]) => certify(present, name, names)));
  return Object.assign({}, ...made);
}

async function certify(present: Keys, name: string, names: readonly string[]): Promise<Keys> {
  const keys = await generateKeys();
  const authority = new x509.X509Certificate(present["kubernetes-ca.crt"] ?? "");
  const { signingKey, signingAlgorithm } = await signerOf(createPrivateKey(present["kubernetes-ca.key"] ?? ""));
  const certificate = await x509.X509CertificateGenerator.create({
    ...certificateFrame(keys),
    ...{ signingKey, signingAlgorithm },
    subject: `CN=${name}`,
    // As it is encoded there: clients compare the bytes.
    issuer: authority.subjectName,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
    ],
  });
  return { [`${name}.crt`]: certificatePem(certificate), [`${name}.key`]: privatePem(keys.privateKey) };
}

const curves: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

/** A given authority may have a key of another kind than ours. */
async function signerOf(key: KeyObject) {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const hash = "SHA-256";
  const signingAlgorithm =
    type === "ec"
      ? { name: "ECDSA", namedCurve: curves[details?.namedCurve ?? ""] ?? "", hash }
      : { name: type === "rsa" ? "RSASSA-PKCS1-v1_5" : "Ed25519", hash };
  const bytes = key.export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", bytes, signingAlgorithm, false, ["sign"]);
  return { signingKey, signingAlgorithm };
}
