import { createPrivateKey, createPublicKey } from "node:crypto";

/** An ed25519 key as OpenSSH reads and writes it. */
export interface SshKey {
  /** OpenSSH private key text with a final newline. Secret. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without comment. */
  readonly publicKey: string;
}

const KEY_TYPE = "ssh-ed25519";
/** Everything of a PKCS #8 ed25519 key but its 32 secret bytes. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The key of 32 secret bytes. Pure.
 *
 * ssh2 can generate keys as well, but it removes leading zero bytes of the public key, so one of 256 keys could not be read.
 */
export function sshKeyOf(secret: Buffer): SshKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const point = spki.subarray(spki.length - 32);
  const publicBlob = Buffer.concat([sshString(KEY_TYPE), sshString(point)]);
  return {
    privateKey: openSshPrivateKey(secret, point, publicBlob),
    publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")}`,
  };
}

function openSshPrivateKey(secret: Buffer, point: Buffer, publicBlob: Buffer): string {
  // Two equal numbers by which a reader knows that it decrypted well; they need not be random in a clear-text key.
  const checkNumber = point.subarray(0, 4);
  const fields = Buffer.concat([
    checkNumber,
    checkNumber,
    sshString(KEY_TYPE),
    sshString(point),
    sshString(Buffer.concat([secret, point])),
    sshString(""), // comment
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (fields.length % 8)) % 8 }, (_, index) => index + 1));
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    sshString("none"), // cipher
    sshString("none"), // key derivation
    sshString(""), // its options
    uint32(1), // number of keys
    sshString(publicBlob),
    sshString(Buffer.concat([fields, padding])),
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) as string[];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sshString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
