import type { NodePlan } from "../stacks/plan/data-center-plan";
import { emitYaml, isPlainText } from "./emit-yaml";
import type { SeedFile, TextFile } from "./role-content";

interface WriteFile {
  readonly path: string;
  readonly permissions: string;
  readonly owner?: string;
  readonly encoding?: "b64";
  readonly content: string;
}

export interface NodeContent {
  readonly files: readonly SeedFile[];
  /** As argv, in this order, at the end of first boot. */
  readonly commands: readonly (readonly string[])[];
}

/** The node's user-data. Uses only the modules that the image keeps: write_files, hostname, users, ssh and runcmd. */
export function renderCloudConfig(node: NodePlan, content: NodeContent): string {
  const identity = {
    hostname: node.name,
    fqdn: node.fqdn,
    prefer_fqdn_over_hostname: false,
    users: [],
    disable_root: false,
    // The seed contains the host key; cloud-init neither deletes it nor generates others.
    ssh_deletekeys: false,
    ssh_genkeytypes: ["ed25519"],
  };
  const files = content.files.map(writeFilesItem).join("");
  return `#cloud-config\n${emitYaml(identity)}write_files:\n${files}${runCommands(content.commands)}`;
}

interface Emitted {
  readonly from: string;
  readonly yaml: string;
}

/**
 * What was emitted last for each path. Most files of a node have the text that they had on the node before, and YAML takes most of
 * the time of a seed. The number of paths limits what is kept.
 */
const emittedFiles = new Map<string, Emitted>();
let emittedCommands: Emitted = { from: "", yaml: "" };

function writeFilesItem(file: SeedFile): string {
  const { path, mode, owner = "" } = file;
  const from = `${mode} ${owner} ${"secret" in file ? `secret ${file.secret}` : `text ${file.content}`}`;
  const last = emittedFiles.get(path);
  if (last?.from === from) return last.yaml;
  const yaml = emitYaml([writeFile(file)]);
  emittedFiles.set(path, { from, yaml });
  return yaml;
}

function runCommands(commands: NodeContent["commands"]): string {
  const from = JSON.stringify(commands);
  if (emittedCommands.from !== from) emittedCommands = { from, yaml: emitYaml({ runcmd: commands }) };
  return emittedCommands.yaml;
}

function writeFile(file: SeedFile): WriteFile {
  const place = { path: file.path, permissions: file.mode, ...(file.owner && { owner: file.owner }) };
  if ("secret" in file) return { ...place, encoding: "b64", content: `\${secret-base64:${file.secret}}` };
  return isPlainText(file.content) ? { ...place, content: file.content } : { ...place, ...encoded(file) };
}

/** Text with characters that some YAML parsers lose is encoded as base64, which hides references to secrets. */
function encoded(file: TextFile): Pick<WriteFile, "encoding" | "content"> {
  if (/\$\{secret(-base64)?:/.test(file.content)) {
    throw new Error(`${file.path} refers to a secret and must be printable text`);
  }
  return { encoding: "b64", content: Buffer.from(file.content, "utf8").toString("base64") };
}
