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
  return `#cloud-config\n${emitYaml(identity)}write_files:\n${files}${emitYaml({ runcmd: content.commands })}`;
}

const emittedItems = new WeakMap<SeedFile, string>();

/** Most files are the same object for all nodes of a role: caching halves the time for a thousand nodes. */
function writeFilesItem(file: SeedFile): string {
  let item = emittedItems.get(file);
  if (item === undefined) {
    item = emitYaml([writeFile(file)]);
    emittedItems.set(file, item);
  }
  return item;
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
