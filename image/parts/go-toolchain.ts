import * as path from "node:path";
import { CommandError } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { isAtLeast, parseVersion } from "../../model/versions";

/** The oldest Go that builds Kubernetes: its modules require it. */
export const OLDEST_GO = "1.26";

/**
 * Reproducible builds: no C compiler unless a build asks for it, no version control, only modules whose checksums are
 * committed. `local`: an older Go would download the newer one that a go.mod requires, whose checksum is not committed.
 */
const buildEnvironment = {
  CGO_ENABLED: "0",
  GOFLAGS: "-buildvcs=false -mod=readonly",
  GOWORK: "off",
  GOTOOLCHAIN: "local",
};

export interface Go {
  readonly version: string;
  run(args: readonly string[], options: GoRunOptions): Promise<string>;
}

export interface GoRunOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** On top of the environment of all builds. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A Go that is recent enough, from PATH or from groundplane's tools.
 * @throws UserError `go-missing`, `go-too-old`
 */
export async function findGo(host: Host, moduleFolder: string): Promise<Go> {
  let tooOld: string | undefined;
  for (const program of ["go", path.join(host.folders.tools(), "go", "bin", "go")]) {
    const version = await goVersion(host, program, moduleFolder);
    if (version === undefined) continue;
    if (isRecent(version)) return { version, run: (args, options) => runGo(host, program, args, options) };
    tooOld = version;
  }
  if (tooOld) throw new UserError("go-too-old", `Go ${tooOld} is too old, ${OLDEST_GO} is needed`, installHint);
  throw new UserError("go-missing", `building Kubernetes from source needs Go ${OLDEST_GO} or newer`, installHint);
}

const installHint =
  "install golang-go from Debian backports (apt install -t <release>-backports golang-go) or from https://go.dev/dl, " +
  "or run `npm start`, which downloads one, or load a bundle made on another machine";

async function goVersion({ run }: Host, program: string, cwd: string): Promise<string | undefined> {
  try {
    const { stdout } = await run([program, "env", "GOVERSION"], {
      cwd,
      env: buildEnvironment,
      timeoutMs: 120_000,
    });
    return stdout.trim().replace(/^go/, "");
  } catch {
    return undefined;
  }
}

/** @param version e.g. `1.26.8` or `1.27rc1` */
export function isRecent(version: string): boolean {
  return isAtLeast(parseVersion(version) ?? [], parseVersion(OLDEST_GO) ?? []);
}

async function runGo({ run }: Host, program: string, args: readonly string[], options: GoRunOptions): Promise<string> {
  try {
    const { stdout } = await run([program, ...args], { ...options, env: { ...buildEnvironment, ...options.env } });
    return stdout;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (
      error instanceof CommandError &&
      /dial tcp|no such host|i\/o timeout|connection refused|TLS handshake/.test(error.stderr)
    ) {
      throw new UserError(
        "network",
        "the Go module proxy cannot be reached",
        "check the network (go env GOPROXY shows the address) and run the same command again: finished programs are kept",
        { cause: error },
      );
    }
    throw error;
  }
}
