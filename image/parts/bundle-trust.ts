import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { BundleManifest } from "./bundle-manifest";

/**
 * How a user recognizes a bundle. The checksums in it show only that it is complete: a person who changes a part can change
 * them, too.
 */
export interface BundleTrust {
  /** As `bundle create` printed it; hex, with or without `sha256:`. */
  readonly digest?: string;
  /** File with the public key, PEM. */
  readonly key?: string;
}

/** The second entry of a signed bundle: the signature of the manifest, in base64. */
export const SIGNATURE_NAME = "manifest.sig";

/** As it is written into a bundle: the digest and the signature are about these bytes. */
export const manifestText = (manifest: BundleManifest): string => JSON.stringify(manifest, null, 2);

/** The manifest has the checksum of every file, so that its own stands for the whole bundle, compressed or not. */
export const bundleDigest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @throws UserError `bundle-key` when the file holds no usable key */
export async function signManifest(host: Host, text: string, keyFile: string): Promise<string> {
  const key = await readKey(host, keyFile, createPrivateKey);
  return sign(null, Buffer.from(text), key).toString("base64");
}

/**
 * @param signature undefined when the bundle has none
 * @throws UserError `bundle-untrusted`, `bundle-key`
 */
export async function checkTrust(
  host: Host,
  file: string,
  { text, signature }: { readonly text: string; readonly signature?: string },
  { digest, key }: BundleTrust,
): Promise<void> {
  const found = bundleDigest(text);
  if (digest !== undefined && digest.toLowerCase().replace(/^sha256:/, "") !== found)
    throw untrusted(`the bundle ${file} has the digest ${found}; expected ${digest}`);
  if (key === undefined) return;
  if (signature === undefined) throw untrusted(`the bundle ${file} is not signed`);
  const publicKey = await readKey(host, key, createPublicKey);
  if (!verify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64")))
    throw untrusted(`the bundle ${file} is not signed with the key of ${key}`);
}

async function readKey(host: Host, file: string, parse: (pem: string) => KeyObject): Promise<KeyObject> {
  const pem = await host.files.readText(file);
  if (pem === undefined) throw badKey(`there is no file ${file}`);
  const key = parsed(pem, parse);
  if (key?.asymmetricKeyType !== "ed25519") throw badKey(`${file} holds no Ed25519 key that can be read`);
  return key;
}

function parsed(pem: string, parse: (pem: string) => KeyObject): KeyObject | undefined {
  try {
    return parse(pem);
  } catch {
    return undefined;
  }
}

const untrusted = (problem: string): UserError =>
  new UserError(
    "bundle-untrusted",
    problem,
    "do not use it; get it again from its author, and compare the digest that `bundle create` printed",
  );

const badKey = (problem: string): UserError =>
  new UserError(
    "bundle-key",
    problem,
    "make a key without a passphrase: openssl genpkey -algorithm ed25519 -out bundle.key, and its public part: " +
      "openssl pkey -in bundle.key -pubout -out bundle.pub",
  );
