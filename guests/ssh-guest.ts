import { type ConnectGuest, FileRefusedError, type Guest, type GuestFile, type NewGuestFile } from "./guest";
import { connectGuest } from "./guest-ssh";
import type { RunOptions, RunResult, SshConnection } from "./ssh-connection";

/** Reads lines of `path` and prints lines of `mode base64` or `missing`. */
const READ_FILES = `
while IFS= read -r path; do
  if [ -f "$path" ]; then
    printf '%s %s\\n' "$(stat -L -c %a "$path")" "$(base64 -w 0 <"$path")"
  else
    echo missing
  fi
done`;

/** Exit code for a failed check; the output has the path and, on further lines, the reason. */
const REFUSED = 78;

/**
 * Reads lines of `mode path check content`, the last two as base64, with `-` for no check. Replaces the old files only after
 * every new file is complete and has passed its check. A file that did not exist is in place at once, because the check of a
 * later file may need it; a refusal removes it again.
 */
const WRITE_FILES = `
set -eu
umask 077
paths= added=
while read -r mode path check content; do
  mkdir -p -m 0755 "$(dirname "$path")"
  paths="$paths $path"
  new=$path.groundplane-new
  printf %s "$content" | base64 -d >"$new"
  chmod "$mode" "$new"
  if [ "$check" != - ] && ! said=$(sh -c "$(printf %s "$check" | base64 -d)" sh "$new" 2>&1 </dev/null); then
    for other in $paths; do rm -f "$other.groundplane-new"; done
    for other in $added; do rm -f "$other"; done
    printf '%s\n%s\n' "$path" "$said"
    exit ${REFUSED}
  fi
  if [ ! -e "$path" ]; then
    mv -f "$new" "$path"
    added="$added $path"
  fi
done
for path in $paths; do
  if [ -e "$path.groundplane-new" ]; then mv -f "$path.groundplane-new" "$path"; fi
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

  async writeFiles(files: readonly NewGuestFile[], signal?: AbortSignal): Promise<void> {
    const lines = files.map(({ path, mode, check, content }) => {
      return `${mode} ${path} ${check ? base64(check) : "-"} ${base64(content)}`;
    });
    if (lines.length > 0) await this.files(WRITE_FILES, lines, signal);
  }

  private async files(script: string, lines: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    const stdin = lines.map((line) => `${line}\n`).join("");
    const result = await this.connection.run(script, { stdin, signal, timeoutMs: FILES_TIMEOUT_MS });
    if (result.code === REFUSED) throw refusal(result.stdout);
    if (result.code !== 0) throw new Error(`cannot read or write the files of the node: ${result.stderr.trim()}`);
    return result.stdout;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function refusal(said: string): FileRefusedError {
  const [path = "", ...reason] = said.trim().split("\n");
  return new FileRefusedError(path, reason.slice(-8).join("\n").replaceAll(".groundplane-new", ""));
}

function parseFile(path: string, line: string): GuestFile | undefined {
  if (line === "missing") return undefined;
  const [mode = "", content = ""] = line.split(" ");
  return { path, mode: mode.padStart(4, "0"), content: Buffer.from(content, "base64").toString("utf8") };
}

const shellWord = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
