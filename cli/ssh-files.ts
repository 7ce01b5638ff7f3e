import * as path from "node:path";
import { stackFolder } from "../host/data-folder";
import { writeFileAtomic } from "../host/file-store";
import type { StackOutputs } from "../model/stack-outputs";

/** Files by which the system's own ssh reaches every node of a stack. */
export interface SshFiles {
  readonly config: string;
  readonly key: string;
  readonly knownHosts: string;
}

export function sshFilesOf(stack: string): SshFiles {
  const folder = path.join(stackFolder(stack), "ssh");
  const inFolder = (name: string): string => path.join(folder, name);
  return { config: inFolder("config"), key: inFolder("key"), knownHosts: inFolder("known_hosts") };
}

/** Writes them anew, readable by the user alone: a key on a command line would be everybody's. */
export async function writeSshFiles(stack: string, outputs: StackOutputs): Promise<SshFiles> {
  const files = sshFilesOf(stack);
  await writeFileAtomic(files.key, outputs.sshPrivateKey, 0o600);
  await writeFileAtomic(files.knownHosts, outputs.knownHosts, 0o600);
  await writeFileAtomic(files.config, renderSshConfig(files, outputs), 0o600);
  return files;
}

/** An OpenSSH client configuration in which each node goes by its own name. */
export function renderSshConfig(
  files: Pick<SshFiles, "key" | "knownHosts">,
  { gatewaySsh, inventory }: Pick<StackOutputs, "gatewaySsh" | "inventory">,
): string {
  const nodes = inventory.filter((node) => node.name !== "gateway");
  const hosts = [
    block("gateway", [`HostName ${gatewaySsh.host}`, `Port ${gatewaySsh.port}`]),
    ...nodes.map((node) => block(node.name, [`HostName ${node.address}`, "ProxyJump gateway"])),
    block("*", [
      "User root",
      `IdentityFile ${quoted(files.key)}`,
      "IdentitiesOnly yes",
      "IdentityAgent none",
      `UserKnownHostsFile ${quoted(files.knownHosts)}`,
      "GlobalKnownHostsFile /dev/null",
      "StrictHostKeyChecking yes",
      "ConnectTimeout 15",
      "LogLevel ERROR",
    ]),
  ];
  return hosts.join("\n");
}

function block(host: string, lines: readonly string[]): string {
  return [`Host ${host}`, ...lines.map((line) => `  ${line}`), ""].join("\n");
}

/** ssh splits at spaces, expands `%` and takes a backslash for an escape; on Windows it knows both kinds of slashes. */
const quoted = (file: string): string => `"${file.replace(/(?<=^[A-Za-z]:.*)\\/g, "/").replaceAll("%", "%%")}"`;
