import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { type RunOptions, type RunResult, UnreachableError } from "../../../../guests/guest-ssh";
import { dataFolder } from "../../../../host/data-folder";
import { receiveFile } from "../../../../provider/resources/receive-file";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();

const file = () => path.join(dataFolder(), "received", "one");
const receive = (run: (options: RunOptions) => Promise<RunResult>) => {
  const guest = { run: (_argv: readonly string[], options: RunOptions = {}) => run(options) } as unknown as Guest;
  const { signal } = new AbortController();
  return receiveFile(guest, ["cat"], { file: file(), what: "it cannot be read", signal, timeoutMs: 1_000 });
};
const present = () => (fs.existsSync(path.dirname(file())) ? fs.readdirSync(path.dirname(file())) : []);

test("a lost connection leaves no file, also before anything was read", async () => {
  const lost = async () => Promise.reject(new UnreachableError("the connection was lost"));
  await assert.rejects(receive(lost), /the connection was lost/);
  await assert.rejects(
    receive(async ({ output }) => {
      output?.write("a part");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return lost();
    }),
    /the connection was lost/,
  );
  assert.deepEqual(present(), []);
});

test("the file gets its name when the command has ended well", async () => {
  const ends = (code: number) =>
    receive(async ({ output }) => {
      output?.end("complete");
      return { code, stdout: "", stderr: "no such file" };
    });
  await assert.rejects(ends(1), /it cannot be read: no such file/);
  assert.deepEqual(present(), []);
  await ends(0);
  assert.deepEqual(present(), ["one"]);
  assert.equal(fs.statSync(file()).mode & 0o777, 0o600);
});
