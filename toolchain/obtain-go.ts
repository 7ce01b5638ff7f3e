import * as fs from "node:fs/promises";
import * as path from "node:path";
import { partsFolder, toolsFolder } from "../host/data-folder";
import { digestFile } from "../host/digest-file";
import { withFileLock } from "../host/file-lock";
import { removeTree } from "../host/file-store";
import { runCommand } from "../host/run-command";
import { UserError } from "../model/user-error";
import type { ObtainOptions } from "./pulumi-tool";
import { satisfies } from "./pulumi-version";
import { isIntact, readRecord, sealFolder } from "./sealed-folder";

/** The Go that is fetched when the host has none, as the module proxy serves it, by architecture. */
const GO_VERSION = "1.26.8";
const GO_SHA256: Readonly<Record<string, string>> = {
  amd64: "30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7",
  arm64: "02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99",
};
const DEFAULT_PROXY = "https://proxy.golang.org";

export interface ObtainGoOptions extends ObtainOptions {
  /** Where the host's own Go may be; default: PATH and the official place. */
  readonly searched?: readonly string[];
}

const goFolder = (): string => path.join(toolsFolder(), "go");

/**
 * Path of a `go` that is at least of the wanted version: the user's from PATH, else one kept from before, else fetched
 * from the Go module proxy, where Go itself is a module, and compared with the pinned checksum.
 *
 * @throws UserError `go-missing`
 */
export async function obtainGo(minimum: string, options: ObtainGoOptions = {}): Promise<string> {
  for (const go of options.searched ?? ["go", "/usr/local/go/bin/go"]) {
    const version = await goVersion(go);
    if (version && satisfies(version, minimum)) return go;
  }
  if (!satisfies(GO_VERSION, minimum)) throw goMissing(minimum, "none so new is known here");
  const kept = path.join(goFolder(), "bin", "go");
  await withFileLock(goFolder(), async () => {
    const record = await readRecord(goFolder());
    if (!record || !(await isIntact(goFolder(), record))) await fetchGo(minimum, options);
  });
  return kept;
}

async function goVersion(go: string): Promise<string | undefined> {
  // "local": its own version is asked for, not that of another one it would fetch.
  const result = await runCommand([go, "env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } }).catch(() => undefined);
  return result?.stdout.trim().replace(/^go/, "");
}

async function fetchGo(minimum: string, { progress, signal }: ObtainOptions): Promise<void> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const expected = GO_SHA256[architecture];
  if (!expected) throw goMissing(minimum, `none is known for ${process.arch}`);
  const name = `v0.0.1-go${GO_VERSION}.linux-${architecture}`;
  const url = `${moduleProxy()}/golang.org/toolchain/@v/${name}.zip`;
  progress?.(`fetching Go ${GO_VERSION} from ${moduleProxy()}`);
  const archive = path.join(partsFolder(), `go-${name}.zip`);
  await fs.mkdir(partsFolder(), { recursive: true });
  await fs.writeFile(archive, await fetchBytes(url, minimum, signal));
  if ((await digestFile(archive)) !== expected) throw goMissing(minimum, `${url} is not what it should be`);
  await unpackGo(archive, name, signal);
  await fs.rm(archive);
}

async function unpackGo(archive: string, name: string, signal?: AbortSignal): Promise<void> {
  const unpacked = `${goFolder()}.partial`;
  await removeTree(unpacked);
  await fs.mkdir(unpacked, { recursive: true });
  await runCommand(["unzip", "-q", archive, "-d", unpacked], { signal });
  await removeTree(goFolder());
  await fs.rename(path.join(unpacked, "golang.org", `toolchain@${name}`), goFolder());
  await removeTree(unpacked);
  // A module's archive carries no permissions.
  for (const program of await programs(goFolder())) await fs.chmod(program, 0o755);
  await sealFolder(goFolder(), "download", path.join("bin", "go"));
}

async function programs(folder: string): Promise<string[]> {
  const found = await Promise.all(
    ["bin", path.join("pkg", "tool")].map((part) =>
      fs.readdir(path.join(folder, part), { recursive: true, withFileTypes: true }),
    ),
  );
  return found.flat().flatMap((entry) => (entry.isFile() ? [path.join(entry.parentPath, entry.name)] : []));
}

function moduleProxy(): string {
  const first = process.env.GOPROXY?.split(/[,|]/)[0] ?? "";
  return /^https?:/.test(first) ? first.replace(/\/$/, "") : DEFAULT_PROXY;
}

async function fetchBytes(url: string, minimum: string, signal?: AbortSignal): Promise<Buffer> {
  const response = await fetch(url, { signal }).catch((cause: Error) => {
    throw goMissing(minimum, `${url} cannot be read: ${cause.message}`, cause);
  });
  if (!response.ok) throw goMissing(minimum, `${url} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function goMissing(minimum: string, why: string, cause?: unknown): UserError {
  return new UserError(
    "go-missing",
    `building needs Go ${minimum} or later, and ${why}`,
    "install Go from https://go.dev/dl/ or your distribution (Debian: backports) and put it on PATH",
    { cause },
  );
}
