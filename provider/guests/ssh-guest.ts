import type { ConnectGuest, Guest, GuestFile } from "../guest";
import { connectGuest } from "../host/guest-ssh";
import type { RunOptions, RunResult, SshConnection } from "../host/ssh-connection";

/** Lines of `path` come in, lines of `mode base64` or `missing` go out. */
const READ_FILES = `
while IFS= read -r path; do
  if [ -f "$path" ]; then
    printf '%s %s\\n' "$(stat -L -c %a "$path")" "$(base64 -w 0 <"$path")"
  else
    echo missing
  fi
done`;

/** Lines of `mode path base64` come in. A file is complete before it takes the place of the old one. */
const WRITE_FILES = `
set -eu
umask 077
while read -r mode path content; do
  mkdir -p -m 0755 "$(dirname "$path")"
  printf %s "$content" | base64 -d >"$path.groundplane-new"
  chmod "$mode" "$path.groundplane-new"
  mv -f "$path.groundplane-new" "$path"
done`;

const FILES_TIMEOUT_MS = 60_000;

export const connectSshGuest: ConnectGuest = async (connection, options) =>
  new SshGuest(await connectGuest(connection, options));

class SshGuest implements Guest {
  constructor(private readonly connection: SshConnection) {}

  run(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.connection.run(argv.map(shellWord).join(" "), options);
  }

  async readFiles(paths: readonly string[], signal?: AbortSignal): Promise<readonly (GuestFile | undefined)[]> {
    const output = await this.files(READ_FILES, paths, signal);
    const lines = output.split("\n");
    return paths.map((path, index) => parseFile(path, lines[index] ?? "missing"));
  }

  async writeFiles(files: readonly GuestFile[], signal?: AbortSignal): Promise<void> {
    const lines = files.map(({ path, mode, content }) => {
      return `${mode} ${path} ${Buffer.from(content).toString("base64")}`;
    });
    if (lines.length > 0) await this.files(WRITE_FILES, lines, signal);
  }

  private async files(script: string, lines: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    const stdin = lines.map((line) => `${line}\n`).join("");
    const result = await this.connection.run(script, { stdin, signal, timeoutMs: FILES_TIMEOUT_MS });
    if (result.code !== 0) throw new Error(`cannot handle the node's files: ${result.stderr.trim()}`);
    return result.stdout;
  }
}

function parseFile(path: string, line: string): GuestFile | undefined {
  if (line === "missing") return undefined;
  const [mode = "", content = ""] = line.split(" ");
  return { path, mode: mode.padStart(4, "0"), content: Buffer.from(content, "base64").toString("utf8") };
}

const shellWord = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
