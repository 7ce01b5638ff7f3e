import { hkdfSync } from "node:crypto";
import { type SshKey, sshKeyOf } from "./ssh-key";

/**
 * A node's SSH host key, derived from the stack's host seed and the node's name: known before the machine exists, the
 * same when it is recreated, and independent of every other node's. Pure.
 *
 * @param hostSeed hex text of 32 bytes (`ssh-host-seed`)
 */
export function deriveHostKey(hostSeed: string, node: string): SshKey {
  if (!/^[0-9a-f]{64}$/.test(hostSeed)) throw new Error("the host seed must be 32 bytes in hex");
  const info = `groundplane ssh host key ${node}`;
  return sshKeyOf(Buffer.from(hkdfSync("sha256", Buffer.from(hostSeed, "hex"), Buffer.alloc(0), info, 32)));
}
