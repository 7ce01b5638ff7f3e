import assert from "node:assert/strict";
import * as path from "node:path";
import { describe, test } from "node:test";
import { CommandError } from "../../model/commands";
import type { Host } from "../../model/host";

export interface HostUnderTest {
  readonly host: Host;
  /** An empty folder for the suite. */
  readonly folder: string;
  /** Permissions of a file. */
  readonly modeOf: (file: string) => number | undefined;
  /** A process that runs until it is killed. */
  readonly sleeper: readonly string[];
}

/** Commands that the suite runs. A host in memory answers them as a real host does. */
export const contractCommands = {
  echo: ["sh", "-c", "cat; echo half >&2; exit 3"],
  fail: ["sh", "-c", "echo why >&2; exit 7"],
  missing: ["/no/such/program"],
} as const;

/** Checks that an implementation of `Host` does what the comments in model/host.ts and model/host-files.ts promise. */
export function hostContract(name: string, make: () => HostUnderTest): void {
  describe(`the host ${name}`, () => {
    const { host, folder, modeOf, sleeper } = make();
    const { files } = host;
    const place = (...parts: string[]): string => path.join(folder, ...parts);

    test("a missing file or folder is an error only where it is required", async () => {
      const none = place("none");
      assert.equal(await files.readText(none), undefined);
      assert.equal(await files.readJson(none), undefined);
      assert.equal(await files.stamp(none), undefined);
      assert.deepEqual(await files.list(none), []);
      assert.equal(await files.exists(none), false);
      assert.equal(await files.removeIfEmpty(none), true);
      await files.remove(none);
      assert.equal(await host.kernel.read(none), undefined);
      assert.equal(await host.kernel.readBytes(none), undefined);
      assert.equal(await host.kernel.tryWrite(place("none", "setting"), "1"), false);
      assert.deepEqual(await host.kernel.listFolders(none), []);
      assert.equal(await host.kernel.isNamespace(none), false);
      assert.equal(await host.kernel.deviceAccess(none), "absent");
      await assert.rejects(files.digest(none), { code: "ENOENT" });
      await assert.rejects(files.move(none, place("other")), { code: "ENOENT" });
      await assert.rejects(files.filesBelow(none), { code: "ENOENT" });
      await assert.rejects(files.appendLine(place("none", "log"), "line"), { code: "ENOENT" });
    });

    test("a path below a file counts as missing", async () => {
      await files.writeAtomic(place("file"), "text");
      assert.equal(await files.readText(place("file", "below")), undefined);
      assert.equal(await files.exists(place("file", "below")), false);
      assert.deepEqual(await files.list(place("file")), []);
      await assert.rejects(files.removeIfEmpty(place("file")), { code: "ENOTDIR" });
    });

    test("files are written with their folders and mode, and no temporary file remains", async () => {
      const file = place("deep", "er", "record.json");
      await files.writeJson(file, { a: 1 });
      assert.equal(modeOf(file), 0o600);
      assert.equal(await files.readText(file), '{\n  "a": 1\n}\n');
      assert.deepEqual(await files.readJson(file), { a: 1 });
      await files.writeAtomic(file, "x", 0o640);
      assert.equal(modeOf(file), 0o640);
      await files.writeAtomic(file, Buffer.from("y"));
      assert.equal(modeOf(file), 0o644);
      await assert.rejects(files.readJson(file), (error: Error) => error.message === `${file} is not valid JSON`);
      assert.deepEqual(await files.list(path.dirname(file)), ["record.json"]);
      assert.deepEqual(await files.filesBelow(place("deep")), [path.join("er", "record.json")]);
      await assert.rejects(files.writeAtomic(place("deep"), "x"), /is not a regular file/);
    });

    test("folders: modes, private ones, and removal only when they are empty", async () => {
      await files.makeFolder(place("open", "inner"));
      await files.makeFolder(place("open"), 0o755);
      await assert.rejects(files.makePrivateFolder(place("open")), { id: "folder-not-ours" });
      await files.makePrivateFolder(place("own"));
      await files.makePrivateFolder(place("own"));
      assert.equal(modeOf(place("own")), 0o700);
      assert.equal(await files.removeIfEmpty(place("open")), false);
      assert.equal(await files.removeIfEmpty(place("open", "inner")), true);
      assert.equal(await files.removeIfEmpty(place("open")), true);
      const temporary = [await files.makeTemporaryFolder("gp-"), await files.makeTemporaryFolder("gp-")];
      assert.notEqual(temporary[0], temporary[1]);
      for (const each of temporary) await files.remove(each);
    });

    test("logs, copies, moves, stamps and digests", async () => {
      const [log, copy, moved] = [place("log"), place("copy"), place("moved")];
      await files.appendLine(log, "one");
      await files.appendLine(log, "two");
      assert.equal(modeOf(log), 0o600);
      await files.replaceByCopy(log, copy);
      assert.equal(await files.digest(copy), await files.digest(log));
      assert.equal((await files.stamp(copy))?.bytes, 8);
      await files.makeReadOnly(copy);
      assert.equal(modeOf(copy), 0o444);
      await files.move(copy, moved);
      assert.equal(await files.exists(copy), false);
      assert.equal(await files.readText(moved), "one\ntwo\n");
      await files.makeFolder(place("tree", "inner"));
      await files.move(place("tree"), place("grove"));
      assert.deepEqual(await host.kernel.listFolders(place("grove")), ["inner"]);
      await files.remove(place("grove"));
      assert.equal(await files.exists(place("grove", "inner")), false);
    });

    test("a lock has one holder at a time, in the order of the requests", async () => {
      const order: number[] = [];
      let inside = 0;
      const take = (index: number) =>
        host.locks.withLock(place("lock"), async () => {
          assert.equal(inside++, 0);
          await new Promise((resolve) => setTimeout(resolve, 5));
          inside--;
          order.push(index);
        });
      await Promise.all([0, 1, 2].map(take));
      assert.deepEqual(order, [0, 1, 2]);
    });

    test("a wait for a lock is told once, and only if there is one", async () => {
      const told: string[] = [];
      const take = (name: string) =>
        host.locks.withLock(place("waited"), () => host.clock.sleep(50), { onWait: () => told.push(name) });
      await Promise.all([take("first"), take("second")]);
      await take("third");
      assert.deepEqual(told, ["second"]);
    });

    test("a lock is released after a failure, and the error is passed on", async () => {
      const failing = host.locks.withLock(place("lock"), () => Promise.reject(new Error("no")));
      await assert.rejects(failing, /^Error: no$/);
      assert.equal(await host.locks.withLock(place("lock"), async () => 42), 42);
    });

    test("commands return output and exit codes, and failures keep the output", async () => {
      const { echo, fail, missing } = contractCommands;
      const lines: string[] = [];
      const onLine = (line: string, stream: string) => void (stream === "stdout" && lines.push(line));
      const result = await host.run(echo, { stdin: "one\ntwo\n", onLine, allowedExitCodes: [3] });
      assert.deepEqual(result, { stdout: "one\ntwo\n", stderr: "half\n", exitCode: 3 });
      assert.deepEqual(lines, ["one", "two"]);
      const isError = (exitCode: number | null, stderr: string) => (error: unknown) =>
        error instanceof CommandError && error.exitCode === exitCode && error.stderr === stderr;
      await assert.rejects(host.run(fail), isError(7, "why\n"));
      await assert.rejects(host.run(missing), isError(null, ""));
    });

    test("a process is identified by its start time, found by its argv and killed once", async () => {
      const identity = await host.processes.start(sleeper, {
        outputFile: place("process", "output"),
        outputLimit: 1000,
      });
      const { pid, startTime } = identity;
      assert.equal(modeOf(place("process", "output")), 0o600);
      assert.ok(host.processes.isSame(pid, startTime));
      assert.equal(host.processes.startTime(pid), startTime);
      assert.ok(!host.processes.isSame(pid, "1"), "another start time is another process");
      const isSleeper = (argv: readonly string[]) => sleeper.every((word, index) => argv[index] === word);
      assert.deepEqual(await host.processes.find(isSleeper), [identity]);
      await host.processes.kill(identity);
      await host.processes.kill(identity);
      assert.ok(!host.processes.isSame(pid, startTime));
      assert.equal(host.processes.signal(identity, "SIGTERM"), false);
      assert.deepEqual(await host.processes.find(isSleeper), []);
    });

    test("nothing listens on a missing socket", async () => {
      await assert.rejects(host.sockets.ask(place("socket"), "question"));
      await assert.rejects(host.sockets.connectLines(place("socket")));
    });

    test("the clock advances during a sleep", async () => {
      const before = host.clock.now();
      await host.clock.sleep(20);
      assert.ok(host.clock.now() - before >= 19);
    });
  });
}
