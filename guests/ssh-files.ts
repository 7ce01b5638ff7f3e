import * as path from "node:path";
import { stackFolder } from "../host/data-folder";
import { writeFileAtomic } from "../host/file-store";
import { findProgram } from "../host/host-capacity";
import { type HostFinding, ok, warning } from "../model/host-finding";
import type { StackOutputs } from "../model/stack-outputs";
import { mostFormerKeys } from "./keys-to-try";

/** Files with which the system's own ssh reaches every node of a stack. */
export interface SshFiles {
  readonly config: string;
  readonly key: string;
  /** Keys that a node may still accept after an interrupted rotation. */
  readonly formerKeys?: readonly string[];
  readonly knownHosts: string;
}

export function sshFilesOf(stack: string): SshFiles {
  const folder = path.join(stackFolder(stack), "ssh");
  const inFolder = (name: string): string => path.join(folder, name);
  return { config: inFolder("config"), key: inFolder("key"), knownHosts: inFolder("known_hosts") };
}

/** Rewrites the files, readable only by the user: every user can read a key on a command line. */
export async function writeSshFiles(stack: string, outputs: StackOutputs): Promise<SshFiles> {
  const { key, ...others } = sshFilesOf(stack);
  const former = (outputs.formerSshKeys ?? []).slice(0, mostFormerKeys);
  const files = { ...others, key, formerKeys: former.map((_, index) => `${key}-former-${index + 1}`) };
  await writeFileAtomic(key, outputs.sshPrivateKey, 0o600);
  for (const [index, text] of former.entries()) await writeFileAtomic(`${key}-former-${index + 1}`, text, 0o600);
  await writeFileAtomic(files.knownHosts, outputs.knownHosts + formerKnownHosts(outputs), 0o600);
  await writeFileAtomic(files.config, renderSshConfig(files, outputs), 0o600);
  return files;
}

/** Lines of a known_hosts file: ssh accepts any key that it has for a host. */
export function formerKnownHosts({ gatewaySsh, inventory }: Pick<StackOutputs, "gatewaySsh" | "inventory">): string {
  const lines = (host: string, keys: readonly string[] = []): readonly string[] =>
    keys.map((key) => `${host} ${key}\n`);
  return [
    ...lines(`[${gatewaySsh.host}]:${gatewaySsh.port}`, gatewaySsh.formerHostKeys),
    ...inventory.flatMap(({ address, formerHostKeys }) => lines(address, formerHostKeys)),
  ].join("");
}

/** An OpenSSH client configuration that knows each node by its name. */
export function renderSshConfig(
  files: SshFiles,
  { gatewaySsh, inventory }: Pick<StackOutputs, "gatewaySsh" | "inventory">,
  platform: string = process.platform,
): string {
  const nodes = inventory.filter((node) => node.name !== "gateway");
  const jump = throughGateway(files.config, platform);
  const hosts = [
    block("gateway", [`HostName ${gatewaySsh.host}`, `Port ${gatewaySsh.port}`]),
    ...nodes.map((node) => block(node.name, [`HostName ${node.address}`, jump])),
    block("*", [
      "User root",
      ...[files.key, ...(files.formerKeys ?? [])].map((file) => `IdentityFile ${quoted(file)}`),
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

/**
 * Like `ProxyJump gateway`. ssh runs itself again for that, through the user's shell, and does not quote the path of this
 * file.
 */
function throughGateway(config: string, platform: string): string {
  const file = withForwardSlashes(config).replaceAll("%", "%%");
  const word = platform === "win32" ? `"${file}"` : shellWord(file);
  return `ProxyCommand ssh -F ${word} -W "[%h]:%p" gateway`;
}

const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** ssh splits at spaces, expands `%` and treats a backslash before a quotation mark as an escape. */
const quoted = (file: string): string => `"${withForwardSlashes(file).replaceAll("%", "%%").replaceAll('"', '\\"')}"`;

/** On Windows, ssh accepts both kinds of slashes. */
const withForwardSlashes = (file: string): string => file.replace(/(?<=^[A-Za-z]:.*)\\/g, "/");

/** The command line of the system's ssh. */
export function sshWords(config: string, node: string, words: readonly string[]): readonly string[] {
  return ["ssh", "-F", config, node, ...(words.length > 0 ? ["--", ...words] : [])];
}

/** `groundplane ssh` and `logs` run the system's own ssh. */
export async function checkSshClient(): Promise<readonly HostFinding[]> {
  const ssh = await findProgram("ssh");
  if (ssh) return [ok("ssh", `ssh is ${ssh}`)];
  return [warning("ssh", "ssh is not installed; `ssh` and `logs` need it", "apt-get install openssh-client")];
}
