/**
 * Loaded before each file of the tiers unit, property and golden. Processes, connections and writes outside the
 * temporary folder throw. A test that swallows the error also fails, because its process then ends with an error.
 */
// `require` gives the modules themselves, which all other code uses. Under tsx, `import *` gives a copy.
import childProcess = require("node:child_process");
import fs = require("node:fs");

import * as dgram from "node:dgram";
import { syncBuiltinESMExports } from "node:module";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

type Patchable = Record<string, (...values: unknown[]) => unknown>;

const temporaryFolders = [os.tmpdir(), fs.realpathSync(os.tmpdir())];
/** What the runner compiles, and golden files: recording them makes their test fail in another way. */
const ownFolders = ["node_modules/.cache", ...(process.env.RECORD ? ["test/golden"] : [])];
const writable = [...temporaryFolders, ...ownFolders.map((folder) => path.resolve(folder))];
const attempts: string[] = [];

function forbid(what: string): never {
  const message =
    `a test of a pure tier tried to ${what}\n` +
    "  next step: give the code under test its runner, socket or folder as an argument and pass a fake or a folder " +
    "below os.tmpdir(); a test that needs the real thing belongs in test/contract";
  attempts.push(message);
  throw new Error(message);
}

/** Replaces a function with one that passes its arguments to `check` first. */
function guard(owner: object, name: string, check: (values: readonly unknown[]) => void): void {
  const functions = owner as Patchable;
  const original = functions[name];
  if (typeof original !== "function") return;
  functions[name] = function guarded(this: unknown, ...values: unknown[]) {
    check(values);
    return original.apply(this, values);
  };
}

function guardProcesses(): void {
  for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
    guard(childProcess, name, ([command]) => {
      // tsx compiles the test itself with esbuild; flock holds the lock of a file that the test may write.
      if (!/(?:[\\/]esbuild(?:\.exe)?|^flock)$/.test(String(command))) forbid(`start the process ${String(command)}`);
    });
  }
}

function guardSockets(): void {
  guard(net.Socket.prototype, "connect", ([target]) => {
    const options = Array.isArray(target) ? target[0] : target;
    const local = typeof options === "string" ? options : (options as { path?: string | null } | undefined)?.path;
    if (typeof local !== "string" || !isWritable(local)) forbid(`connect to ${JSON.stringify(options)}`);
  });
  for (const name of ["bind", "connect", "send"]) {
    guard(dgram.Socket.prototype, name, () => forbid("use a datagram socket"));
  }
}

/** Functions that write to the path in their first argument, and functions that write to the path in their second. */
const oneTarget =
  "appendFile chmod chown createWriteStream lchown lutimes mkdir mkdtemp rm rmdir truncate unlink utimes";
const writesFirst = [...oneTarget.split(" "), "writeFile"];
const writesSecond = ["copyFile", "cp", "link", "rename", "symlink"];

function guardFiles(): void {
  for (const owner of [fs, fs.promises]) {
    for (const suffix of ["", "Sync"]) {
      for (const name of writesFirst) guard(owner, name + suffix, ([target]) => checkWrite(target));
      for (const name of writesSecond) guard(owner, name + suffix, ([, target]) => checkWrite(target));
      guard(owner, `open${suffix}`, ([target, flags]) => {
        if (opensForWriting(flags)) checkWrite(target);
      });
    }
    guard(owner, "rename", ([source]) => checkWrite(source));
    guard(owner, "renameSync", ([source]) => checkWrite(source));
  }
}

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
  return typeof flags === "string" && /[wa+]/.test(flags);
}

function checkWrite(target: unknown): void {
  // A number or a FileHandle is a file that an earlier, checked call has opened.
  if (typeof target !== "string" && !Buffer.isBuffer(target) && !(target instanceof URL)) return;
  const file = target instanceof URL ? fileURLToPath(target) : String(target);
  if (!isWritable(file)) forbid(`write ${path.resolve(file)}`);
}

function isWritable(file: string): boolean {
  const absolute = path.resolve(file);
  return absolute === os.devNull || writable.some((folder) => isBelow(absolute, folder));
}

const isBelow = (file: string, folder: string): boolean => file === folder || file.startsWith(folder + path.sep);

// The test runner also loads this file, and must start the processes of the test files.
if (process.env.NODE_TEST_CONTEXT || process.env.GROUNDPLANE_TEST_PURE) {
  guardProcesses();
  guardSockets();
  guardFiles();
  syncBuiltinESMExports();
  process.on("exit", () => {
    if (attempts.length === 0) return;
    process.stderr.write(`${attempts.join("\n")}\n`);
    process.exitCode = 1;
  });
}
