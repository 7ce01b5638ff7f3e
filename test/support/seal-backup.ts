import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** What a master would have written of a snapshot: the format of cloud-init/scripts/backup/take-backup.sh. */
export function sealBackup(stack: string, snapshot: Buffer, encryptionKey: string, kubernetes: string): Buffer {
  const keyFor = (purpose: string): string =>
    createHash("sha256").update(`groundplane backup ${purpose}\n${encryptionKey}\n`).digest("hex");
  const manifest = {
    ...{ format: 1, stack, created: "2026-11-29T04:00:00Z", kubernetes },
    ...{ member: "master-1", members: ["master-1"] },
  };
  const plain = Buffer.concat([
    Buffer.from(`${JSON.stringify(manifest)}\n{"header":{"revision":4711}}\n[{"Status":{"version":"3.6.0"}}]\n`),
    Buffer.from(`${snapshot.length} ${snapshot.subarray(-32).toString("hex")}\n`),
    snapshot,
  ]);
  const salt = randomBytes(8);
  const derived = pbkdf2Sync(keyFor("encryption"), salt, 1, 48, "sha256");
  const cipher = createCipheriv("aes-256-ctr", derived.subarray(0, 32), derived.subarray(32));
  const content = Buffer.concat([
    Buffer.from(`groundplane-backup-1 ${stack}\nSalted__`),
    ...[salt, cipher.update(plain), cipher.final()],
  ]);
  const digest = createHmac("sha256", Buffer.from(keyFor("authentication"), "hex"))
    .update(content)
    .digest();
  return Buffer.concat([content, digest]);
}
