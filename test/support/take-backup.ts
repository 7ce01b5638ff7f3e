import * as fs from "node:fs";
import * as path from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { type ClusterUnderTest, mustSucceed } from "./cluster-under-test";

/** Takes a backup for a new key. Returns the words of the command that restores it. */
export async function takeBackup(cluster: ClusterUnderTest): Promise<readonly string[]> {
  const inData = (name: string): string => path.join(cluster.project.data, name);
  const [file, identity] = [inData("one.backup.age"), inData("identity.txt")];
  const key = await generateX25519Identity();
  fs.writeFileSync(identity, `# a comment\n${key}\n`, { mode: 0o600 });
  mustSucceed("backup", await cluster.groundplane("backup", file, "--recipient", await identityToRecipient(key)));
  return ["restore", file, "--identity", identity, "--yes"];
}
