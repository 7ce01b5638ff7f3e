import { createPrivateKey, createPublicKey, hkdfSync } from "node:crypto";

/**
 * A node's SSH host key, derived from the stack's host seed and the node's name: known before the machine exists, the
 * same when it is recreated, and independent of every other node's. Pure.
 */
export interface HostKey {
  /** OpenSSH private key text with a final newline. Secret. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without comment. */
  readonly publicKey: string;
}

const KEY_TYPE = "ssh-ed25519";
/** Everything of a PKCS #8 ed25519 key but its 32 secret bytes. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** `hostSeed`: hex text of 32 bytes (`ssh-host-seed`). */
export function deriveHostKey(hostSeed: string, node: string): HostKey {
  if (!/^[0-9a-f]{64}$/.test(hostSeed)) throw new Error("the host seed must be 32 bytes in hex");
  const info = `groundplane ssh host key ${node}`;
  const secret = Buffer.from(hkdfSync("sha256", Buffer.from(hostSeed, "hex"), Buffer.alloc(0), info, 32));
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
