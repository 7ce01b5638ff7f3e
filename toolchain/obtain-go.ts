import * as path from "node:path";
import { partsFolder, toolsFolder } from "../host/data-folder";
import { download } from "../host/download";
import { withFileLock } from "../host/file-lock";
import { exists, filesBelow, makeExecutable, makeFolder, moveTree, removeTree } from "../host/file-store";
import { runCommand } from "../host/run-command";
import { downloadKey, pinnedDigests } from "../model/pinned-downloads";
import { UserError } from "../model/user-error";
import type { ObtainOptions } from "./pulumi-tool";
import { satisfies } from "./pulumi-tool";
import { isIntact, readRecord, sealFolder } from "./sealed-folder";

/** The Go to download when the host has none, as the module proxy serves it. */
const GO_VERSION = "1.26.8";
const DEFAULT_PROXY = "https://proxy.golang.org";

export interface ObtainGoOptions extends ObtainOptions {
  /** Where to look for the host's own Go; default: PATH and the official location. */
  readonly searched?: readonly string[];
}

/** Also the name of its lock. */
export const goFolder = (): string => path.join(toolsFolder(), "go");

/**
 * Path of a `go` of at least the minimum version: the user's own, else one downloaded earlier, else one from the Go
 * module proxy, where Go itself is a module, compared with the pinned checksum.
 *
 * @throws UserError `go-missing`
 */
export async function obtainGo(minimum: string, options: ObtainGoOptions = {}): Promise<string> {
  const own = await findOwnGo(minimum, options.searched);
  if (own !== undefined) return own;
  if (!satisfies(GO_VERSION, minimum)) throw goMissing(minimum, "this release of groundplane knows none that recent");
  const kept = path.join(goFolder(), "bin", "go");
  await withFileLock(goFolder(), async () => {
    const record = await readRecord(goFolder());
    if (!record || !(await isIntact(goFolder(), record))) await downloadGo(minimum, options);
  });
  return kept;
}

/** The user's own Go of at least the minimum version. */
export async function findOwnGo(
  minimum: string,
  searched: readonly string[] = ["go", "/usr/local/go/bin/go"],
): Promise<string | undefined> {
  for (const go of searched) {
    const version = await goVersion(go);
    if (version && satisfies(version, minimum)) return go;
  }
  return undefined;
}

async function goVersion(go: string): Promise<string | undefined> {
  // "local": the version of this Go itself, not of another one that it would download.
  const result = await runCommand([go, "env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } }).catch(() => undefined);
  return result?.stdout.trim().replace(/^go/, "");
}

async function downloadGo(minimum: string, { progress, signal }: ObtainOptions): Promise<void> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const expected = pinnedDigests[downloadKey("go", GO_VERSION, `${process.platform}-${architecture}`)];
  if (!expected)
    throw goMissing(minimum, `this release of groundplane knows none for ${process.platform}-${process.arch}`);
  const name = `v0.0.1-go${GO_VERSION}.linux-${architecture}`;
  const url = `${moduleProxy()}/golang.org/toolchain/@v/${name}.zip`;
  progress?.(`downloading Go ${GO_VERSION} from ${moduleProxy()}`);
  const archive = path.join(partsFolder(), `go-${name}.zip`);
  // GOPROXY may name a plain HTTP server; the checksum is pinned.
  await download(url, archive, { sha256: expected, signal, allowHttp: true }).catch((error: unknown) => {
    throw error instanceof UserError ? goMissing(minimum, error.problem, error) : error;
  });
  await unpackGo(archive, name, signal);
  await removeTree(archive);
}

async function unpackGo(archive: string, name: string, signal?: AbortSignal): Promise<void> {
  const unpacked = `${goFolder()}.partial`;
  await removeTree(unpacked);
  await makeFolder(unpacked);
  await runCommand(["unzip", "-q", archive, "-d", unpacked], { signal });
  await removeTree(goFolder());
  await moveTree(path.join(unpacked, "golang.org", `toolchain@${name}`), goFolder());
  await removeTree(unpacked);
  // A module's archive carries no permissions.
  for (const folder of [path.join(goFolder(), "bin"), path.join(goFolder(), "pkg", "tool")]) {
    const programs = (await exists(folder)) ? await filesBelow(folder) : [];
    for (const program of programs) await makeExecutable(path.join(folder, program));
  }
  await sealFolder(goFolder(), "download", path.join("bin", "go"));
}

function moduleProxy(): string {
  const first = process.env.GOPROXY?.split(/[,|]/)[0] ?? "";
  return /^https?:/.test(first) ? first.replace(/\/$/, "") : DEFAULT_PROXY;
}

function goMissing(minimum: string, why: string, cause?: unknown): UserError {
  return new UserError(
    "go-missing",
    `building needs Go ${minimum} or later: ${why}`,
    "install Go from https://go.dev/dl/ or your distribution (Debian: backports) and put it on PATH",
    { cause },
  );
}
