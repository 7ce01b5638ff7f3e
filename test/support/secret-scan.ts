import * as fs from "node:fs";
import * as path from "node:path";
import { type ClusterUnderTest, mustSucceed } from "./cluster-under-test";

interface ExportedResource {
  readonly type: string;
  readonly outputs?: { readonly values?: unknown };
}

/** Every secret that the stack generated, by name, from the decrypted state, without public keys. */
export async function secretsOf(cluster: ClusterUnderTest): Promise<ReadonlyMap<string, string>> {
  const exported = mustSucceed("stack export", await cluster.pulumi("stack", "export", "--show-secrets"));
  const { deployment } = JSON.parse(exported.stdout) as { deployment: { resources: ExportedResource[] } };
  const resource = deployment.resources.find(({ type }) => type === "groundplane:index:ClusterSecrets");
  const secrets = new Map<string, string>();
  for (const [name, value] of Object.entries(plainValues(resource?.outputs?.values))) {
    if (!/\.(crt|pub)$|ca-hash$/.test(name)) secrets.set(name, value);
  }
  return secrets;
}

/** `--show-secrets` wraps a secret as `{ plaintext: "<json>" }`, either complete or value by value. */
function plainValues(value: unknown): Record<string, string> {
  const unwrapped = unwrap(value);
  if (typeof unwrapped !== "object" || unwrapped === null) return {};
  return Object.fromEntries(Object.entries(unwrapped).map(([name, inner]) => [name, String(unwrap(inner))]));
}

function unwrap(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("plaintext" in value)) return value;
  return JSON.parse((value as { plaintext: string }).plaintext);
}

export interface Searched {
  readonly transcript: readonly string[];
  readonly commandLines: readonly string[];
  readonly data: string;
}

/** Places that contain a secret, or a long line of it, in plain text: `<secret> in <place>`. */
export function occurrencesOfSecrets(secrets: ReadonlyMap<string, string>, searched: Searched): string[] {
  const needles = [...secrets].flatMap(([name, value]) => needlesOf(value).map((needle) => ({ name, needle })));
  const within = (place: string, text: string): string[] =>
    needles.filter(({ needle }) => text.includes(needle)).map(({ name }) => `${name} in ${place}`);
  return [
    ...within("output of a command", searched.transcript.join("\n")),
    ...within("a command line", searched.commandLines.join("\n")),
    ...readableFiles(searched.data).flatMap(({ file, text }) => within(file, text)),
  ];
}

/** Also finds base64, and the most distinctive line of multi-line keys, which may be indented. */
function needlesOf(value: string): string[] {
  const base64 = Buffer.from(value).toString("base64");
  const body = value.split("\n").filter((line) => line.length >= 32 && !line.startsWith("-----"));
  return [value, base64, ...(body[0] ? [body[0]] : [])].filter((needle) => needle.length >= 16);
}

/** State and logs with any mode, and every other file that other users can read. */
function readableFiles(data: string): { file: string; text: string }[] {
  const found: { file: string; text: string }[] = [];
  const walk = (folder: string, closed: boolean): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      const relative = path.relative(data, file);
      if (entry.isDirectory()) {
        const hidden = closed || (fs.statSync(file).mode & 0o005) === 0;
        walk(file, hidden);
      } else if (entry.isFile() && fs.statSync(file).size < 16 * 1024 * 1024) {
        const always = relative.startsWith("state/") || /\.log$/.test(entry.name);
        if (always || (!closed && (fs.statSync(file).mode & 0o004) !== 0)) {
          found.push({ file: relative, text: fs.readFileSync(file, "utf8") });
        }
      }
    }
  };
  walk(data, false);
  return found;
}
