import type { PublicName, SecretName } from "../model/seed";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";

interface SeedFileBase {
  /** Absolute; parent folders are created with mode 0755. */
  readonly path: string;
  /** Octal text, e.g. `0644`. */
  readonly mode: string;
  /** `user:group`, `root:root` when absent. Both must exist in the image. */
  readonly owner?: string;
}

/** A text file. The text may reference single-line secrets by `secretReference`. */
export interface TextFile extends SeedFileBase {
  readonly content: string;
  /**
   * Present: the file follows the plan on a running node (it becomes part of `NodeSeed.files`). Such a text must not reference
   * secrets.
   */
  readonly changes?: FileChanges;
}

/** How a running node activates a changed file, see `NodeFile`. */
export interface FileChanges {
  readonly reload: string;
  readonly check?: string;
  /** What a running node gets with the changed file, see `NodeFile`. No part of a seed. */
  readonly alongside?: readonly (TextFile | SecretFile)[];
  /** The version of Kubernetes that the file is for, see `NodeFile`. */
  readonly release?: string;
}

/** A file that is exactly one secret, byte for byte. */
export interface SecretFile extends SeedFileBase {
  readonly secret: SecretName;
}

/** A file that is exactly one public value, e.g. a certificate, and follows the plan on a running node. */
export interface PublicFile extends SeedFileBase {
  readonly secret: PublicName;
  readonly changes: FileChanges;
}

export type SeedFile = TextFile | SecretFile | PublicFile;

/** The additions of a role to a node's seed, beside the common part in `roles/common.ts`. */
export interface RoleContent {
  readonly files: readonly SeedFile[];
  /** Variables for node.env that the role's scripts read; upper-case names. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What a running node needs to apply a change of `environment`, see `NodeFile.alongside`. */
  readonly withSettings?: readonly (TextFile | SecretFile)[];
  /** Commands as argv, run once at first boot, after all files are written and before `enable`. */
  readonly commands: readonly (readonly string[])[];
  /** systemd units of the role: wanted by groundplane.target, started (without waiting) after `commands`. */
  readonly enable: readonly string[];
}

export const noContent: RoleContent = { files: [], commands: [], enable: [] };

/**
 * The contents of several roles of one node. Roles share content, so what is equal counts once.
 *
 * @throws Error when two roles give one file or variable different values
 */
export function mergeContents(contents: readonly RoleContent[]): Required<RoleContent> {
  const environment: Record<string, string> = {};
  for (const [name, value] of contents.flatMap((content) => Object.entries(content.environment ?? {}))) {
    if ((environment[name] ?? value) !== value) throw new Error(`two roles of a node set ${name} differently`);
    environment[name] = value;
  }
  return {
    files: withoutRepeatedFiles(contents.flatMap(({ files }) => files)),
    environment,
    withSettings: withoutRepeatedFiles(contents.flatMap(({ withSettings = [] }) => withSettings)),
    commands: withoutRepetitions(contents.flatMap(({ commands }) => commands)),
    enable: [...new Set(contents.flatMap(({ enable }) => enable))],
  };
}

/** Files of one path that differ remain: the seed refuses them. */
function withoutRepetitions<T>(items: readonly T[]): readonly T[] {
  const seen = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...seen.values()];
}

/** Files of different paths differ, so most of them need no comparison of their texts. */
function withoutRepeatedFiles<T extends SeedFile>(files: readonly T[]): readonly T[] {
  const paths = new Set(files.map(({ path }) => path));
  return paths.size === files.length ? files : withoutRepetitions(files);
}

export type RenderRole = (plan: DataCenterPlan, node: NodePlan) => RoleContent;

/** Reference to a single-line secret inside a text; the provider fills it in when it writes the seed. */
export const secretReference = (name: SecretName): string => `\${secret:${name}}`;

/** A unit that no package has. It is read again when it changes; `reload` says what else happens then. */
export const ownUnit = (name: string, content: string, reload?: string): TextFile => ({
  path: `/etc/systemd/system/${name}`,
  mode: "0644",
  content,
  changes: { reload: ["systemctl daemon-reload", ...(reload === undefined ? [] : [reload])].join(" && ") },
});

/** A drop-in: additional settings of a packaged unit. */
export const unitFile = (unit: string, name: string, content: string): TextFile => ({
  path: `/etc/systemd/system/${unit}.d/${name}.conf`,
  mode: "0644",
  content,
});
