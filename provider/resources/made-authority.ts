import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** Certificate authorities, and what all certificates of a new cluster have in common. */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const YEARS = 10;
/** The clocks of guests may be behind the host's clock. */
const CLOCK_TOLERANCE_MS = 3_600_000;

export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...certificateFrame(keys),
    name: `CN=${name}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      // Like the CAs that kubeadm creates.
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
    ],
  });
  return { certificate, keys };
}

/** With a name of its own, which servers tell those who connect: so the commands of a rotation see what they accept. */
export const makeLaterAuthority = (name: string): Promise<Authority> =>
  makeAuthority(`${name}-${randomBytes(8).toString("hex")}`);

/** Of a certificate's subject: whether groundplane made the authority with such a name. */
export const isMadeAuthority = (name: string, subject: string): boolean =>
  new RegExp(`^CN=${name}(?:-[0-9a-f]{16})?$`).test(subject);

export function certificateFrame(keys: webcrypto.CryptoKeyPair) {
  const notBefore = new Date(Date.now() - CLOCK_TOLERANCE_MS);
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + YEARS);
  const serialNumber = `00${randomBytes(15).toString("hex")}`; // the leading zero byte keeps the number positive
  return { serialNumber, notBefore, notAfter, signingAlgorithm: ALGORITHM, publicKey: keys.publicKey };
}

export const certificatePem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem").trim()}\n`;

/** "EC PRIVATE KEY": the format that kubeadm writes. */
export const privatePem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: "sec1", format: "pem" }) as string;
