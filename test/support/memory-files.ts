import { createHash } from "node:crypto";
import * as path from "node:path";
import type { HostFiles } from "../../model/host-files";
import { mountsBelow, mountsRemain } from "../../model/mounts";
import { UserError } from "../../model/user-error";

export interface MemoryEntry {
  /** `undefined`: a folder or a link. */
  readonly content: Buffer | undefined;
  /** The target of a symbolic link. Links are not followed. */
  readonly target?: string;
  readonly mode: number;
  readonly modified: number;
}

/** An implementation of `HostFiles` in memory, with POSIX paths. */
export class MemoryFiles implements HostFiles {
  private readonly entries = new Map<string, MemoryEntry>([["/", { content: undefined, mode: 0o755, modified: 0 }]]);
  private lastTemporary = 0;

  constructor(
    files: Readonly<Record<string, string>> = {},
    private readonly now: () => number = () => 0,
  ) {
    for (const [file, content] of Object.entries(files)) {
      this.ensureFolder(path.posix.dirname(file));
      this.put(file, Buffer.from(content));
    }
  }

  names(): readonly string[] {
    return [...this.entries.keys()].sort();
  }

  modeOf(file: string): number | undefined {
    return this.entries.get(key(file))?.mode;
  }

  entryOf(file: string): MemoryEntry | undefined {
    return this.entries.get(key(file));
  }

  putLink(at: string, target: string): void {
    this.needFolder(path.posix.dirname(at));
    if (this.entryOf(at)) throw failure("EEXIST", at);
    this.entries.set(key(at), { content: undefined, target, mode: 0o777, modified: this.now() });
  }

  setMode(file: string, mode: number): void {
    const entry = this.entryOf(file);
    if (!entry) throw failure("ENOENT", file);
    this.entries.set(key(file), { ...entry, mode });
  }

  /** Writes as a program does that opens a file in an existing folder. */
  writeInPlace(file: string, content: string): void {
    this.needFolder(path.posix.dirname(file));
    this.put(file, Buffer.from(content), this.modeOf(file));
  }

  foldersIn(folder: string): readonly string[] {
    return this.children(folder).filter((name) => this.isFolder(path.posix.join(folder, name)));
  }

  async writeAtomic(file: string, content: string | Buffer, mode = 0o644): Promise<void> {
    this.ensureFolder(path.posix.dirname(file));
    if (this.isFolder(file)) throw new Error(`${file} is not a regular file`);
    this.put(file, Buffer.from(content), mode);
  }

  async readText(file: string): Promise<string | undefined> {
    const entry = this.entries.get(key(file));
    if (entry && !entry.content) throw failure("EISDIR", file);
    return entry?.content?.toString("utf8");
  }

  async readJson<T>(file: string): Promise<T | undefined> {
    const text = await this.readText(file);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new Error(`${file} is not valid JSON`, { cause });
    }
  }

  writeJson(file: string, value: unknown, mode = 0o600): Promise<void> {
    return this.writeAtomic(file, `${JSON.stringify(value, null, 2)}\n`, mode);
  }

  async appendLine(file: string, line: string): Promise<void> {
    this.needFolder(path.posix.dirname(file));
    const before = (await this.readText(file)) ?? "";
    this.put(file, Buffer.from(`${before}${line}\n`), this.modeOf(file) ?? 0o600);
  }

  async list(folder: string): Promise<readonly string[]> {
    return this.children(folder);
  }

  async filesBelow(folder: string): Promise<readonly string[]> {
    this.needFolder(folder);
    const below = this.names().filter((name) => name.startsWith(`${key(folder)}/`) && !this.isFolder(name));
    return below.map((name) => path.posix.relative(folder, name));
  }

  async makeFolder(folder: string, mode = 0o755): Promise<void> {
    this.ensureFolder(folder);
    this.entries.set(key(folder), { content: undefined, mode, modified: this.now() });
  }

  async makePrivateFolder(folder: string): Promise<void> {
    if (!this.entries.has(key(folder))) return this.makeFolder(folder, 0o700);
    if (this.isFolder(folder) && ((this.modeOf(folder) ?? 0) & 0o077) === 0) return;
    throw new UserError("folder-not-ours", `${folder} exists, and other users can read it`, "remove it");
  }

  async makeTemporaryFolder(prefix: string): Promise<string> {
    const folder = `/tmp/${prefix}${++this.lastTemporary}`;
    await this.makeFolder(folder, 0o700);
    return folder;
  }

  async move(from: string, to: string): Promise<void> {
    const [source, target] = [key(from), key(to)];
    if (!this.entries.has(source)) throw failure("ENOENT", from);
    this.needFolder(path.posix.dirname(target));
    for (const [name, entry] of [...this.entries]) {
      if (name !== source && !name.startsWith(`${source}/`)) continue;
      this.entries.delete(name);
      this.entries.set(target + name.slice(source.length), entry);
    }
  }

  async replaceByCopy(from: string, to: string): Promise<void> {
    const content = this.entries.get(key(from))?.content;
    if (!content) throw failure("ENOENT", from);
    this.put(to, content);
  }

  async exists(file: string): Promise<boolean> {
    return this.entries.has(key(file));
  }

  /** /proc/self/mountinfo of this host lists what is mounted. */
  async remove(target: string): Promise<void> {
    const mounts = mountsBelow((await this.readText("/proc/self/mountinfo")) ?? "", key(target));
    if (mounts.length > 0) throw mountsRemain(target, mounts);
    for (const name of this.names()) {
      if (name === key(target) || name.startsWith(`${key(target)}/`)) this.entries.delete(name);
    }
  }

  async removeIfEmpty(folder: string): Promise<boolean> {
    if (!this.entries.has(key(folder))) return true;
    if (!this.isFolder(folder)) throw failure("ENOTDIR", folder);
    if (this.children(folder).length > 0) return false;
    return this.entries.delete(key(folder));
  }

  async stamp(file: string) {
    const entry = this.entries.get(key(file));
    return entry && { bytes: entry.content?.length ?? 0, modified: entry.modified };
  }

  async makeReadOnly(file: string): Promise<void> {
    this.setMode(file, 0o444);
  }

  async digest(file: string): Promise<string> {
    const content = this.entries.get(key(file))?.content;
    if (!content) throw failure("ENOENT", file);
    return createHash("sha256").update(content).digest("hex");
  }

  private put(file: string, content: Buffer, mode = 0o644): void {
    this.entries.set(key(file), { content, mode, modified: this.now() });
  }

  private isFolder(name: string): boolean {
    const entry = this.entries.get(key(name));
    return entry !== undefined && entry.content === undefined && entry.target === undefined;
  }

  private needFolder(folder: string): void {
    if (!this.isFolder(folder)) throw failure(this.entries.has(key(folder)) ? "ENOTDIR" : "ENOENT", folder);
  }

  private ensureFolder(folder: string): void {
    if (this.isFolder(folder)) return;
    if (this.entries.has(key(folder))) throw failure("EEXIST", folder);
    this.ensureFolder(path.posix.dirname(key(folder)));
    this.entries.set(key(folder), { content: undefined, mode: 0o755, modified: this.now() });
  }

  private children(folder: string): readonly string[] {
    return this.names().flatMap((name) =>
      name !== "/" && path.posix.dirname(name) === key(folder) ? [path.posix.basename(name)] : [],
    );
  }
}

/** Without a final slash, `.` or `..`. */
const key = (name: string): string => path.posix.resolve("/", name);

const failure = (code: string, file: string): Error => Object.assign(new Error(`${code}: ${file}`), { code });
