// Guests over SSH: a server on loopback runs the commands with the real shell.
import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Guest } from "../../guests/guest";
import { closeGuests, LateError, UnreachableError } from "../../guests/guest-ssh";
import { connectSshGuest } from "../../guests/ssh-guest";
import { UserError } from "../../model/user-error";
import { patienceMs } from "../support/cluster-under-test";
import { randomSshKey, type SshServer, startSshServer } from "../support/ssh-server";

let server: SshServer;
let folder: string;
let guest: Guest;

const connection = (change: object = {}) => ({
  bastionPort: server.port,
  bastionHostKey: server.hostKey,
  address: "10.0.2.15",
  hostKey: server.hostKey, // the gateway itself
  privateKey: server.clientKey,
  ...change,
});

before(async () => {
  server = await startSshServer();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  guest = await connectSshGuest(connection());
});
after(async () => {
  await closeGuests();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("a program gets its arguments byte for byte and its input, and returns its exit code", async () => {
  const words = ["a b", "it's", "$(id)", '"', "`", "\\", "*", "", "ü\n-x"];
  const script = 'printf "%s|" "$@"; cat; echo oops >&2; exit 7';
  const result = await guest.run(["sh", "-c", script, "sh", ...words], { stdin: "input" });
  assert.deepEqual(result, { code: 7, stdout: `${words.join("|")}|input`, stderr: "oops\n" });
});

test("a former key is tried after the present one, as long as the server accepts it", async () => {
  const present = randomSshKey().privateKey;
  const others = Array.from({ length: 2 }, () => randomSshKey().privateKey);
  const formerKeys = [...others, server.clientKey];
  await closeGuests();
  await assert.rejects(connectSshGuest(connection({ privateKey: present })), UnreachableError);
  const reached = await connectSshGuest(connection({ privateKey: present, formerKeys }));
  assert.equal((await reached.run(["echo", "here"])).stdout, "here\n");
  await closeGuests();
  guest = await connectSshGuest(connection());
});

test("a key that cannot be read is reported at once, unless another one can be", async () => {
  await closeGuests();
  const privateKey = unreadable(server.clientKey);
  const started = Date.now();
  await assert.rejects(connectSshGuest(connection({ privateKey }), { deadlineMs: patienceMs }), (error: Error) => {
    assert.ok(error instanceof UserError && error.id === "ssh-key-unreadable");
    return true;
  });
  assert.ok(Date.now() - started < patienceMs / 2, "does not wait for the guest");
  const reached = await connectSshGuest(connection({ privateKey, formerKeys: [server.clientKey] }));
  assert.equal((await reached.run(["echo", "here"])).stdout, "here\n");
  await closeGuests();
  guest = await connectSshGuest(connection());
});

test("a former host key is accepted beside the present one, and not where the node must have its present one", async () => {
  await closeGuests();
  const present = { bastionHostKey: server.otherHostKey, hostKey: server.otherHostKey };
  const former = { formerBastionHostKeys: [server.hostKey], formerHostKeys: [server.hostKey] };
  const reached = await connectSshGuest(connection({ ...present, ...former }));
  assert.equal((await reached.run(["echo", "here"])).stdout, "here\n");
  // Not over the open connection.
  const refused = await connectSshGuest(connection(present)).catch((error: unknown) => error);
  assert.ok(refused instanceof UnreachableError);
  assert.match(refused.message, /^127\.0\.0\.1: its SSH host key SHA256:[\w+/]{43} is not the node's/);
  await closeGuests();
  guest = await connectSshGuest(connection());
});

/** A key of the same form whose public part has lost a byte. */
function unreadable(privateKey: string): string {
  const [first, ...lines] = privateKey.trim().split("\n");
  const last = lines.pop();
  const bytes = Buffer.from(lines.join(""), "base64");
  return [first, Buffer.concat([bytes.subarray(0, 70), bytes.subarray(71)]).toString("base64"), last, ""].join("\n");
}

test("lines of output arrive while the program runs", async () => {
  const lines: string[] = [];
  let soon = 0;
  await guest.run(["sh", "-c", "echo first; sleep 0.5; echo second"], {
    onLine: (line) => {
      soon ||= Date.now();
      lines.push(line);
    },
  });
  assert.deepEqual(lines, ["first", "second"]);
  assert.ok(Date.now() - soon > 300, "the first line did not wait for the end");
});

test("a command ends with its signal or its time limit, also where the server does not answer at all", async () => {
  const silent = await connectSshGuest(connection());
  server.neverAnswer(true);
  // More than one connection runs at the same time: the others wait for their turn.
  const runs = Array.from({ length: 10 }, () => {
    const signal = AbortSignal.timeout(100);
    return silent.run(["true"], { signal }).catch((error: Error) => error.name);
  });
  assert.deepEqual(new Set(await Promise.all(runs)), new Set(["TimeoutError"]));
  await assert.rejects(silent.run(["true"], { timeoutMs: 100 }), LateError);
  server.neverAnswer(false);
  assert.equal((await silent.run(["echo", "here"])).stdout, "here\n");
});

test("bytes go to a stream at the reader's pace, and errors stay with the result", async () => {
  const output = new PassThrough();
  const ended = guest.run(["sh", "-c", "cat; head -c 3000000 /dev/zero; printf '\\377'; echo oops >&2; exit 4"], {
    ...{ stdin: "in", output },
  });
  await sleep(200);
  const bytes = await buffer(output);
  assert.deepEqual(await ended, { code: 4, stdout: "", stderr: "oops\n" });
  assert.equal(bytes.length, 3_000_003);
  assert.equal(bytes.at(-1), 0xff);
});

test("a reader that fails ends the wait for a program that writes on", async () => {
  const output = new PassThrough();
  const run = guest.run(["cat", "/dev/zero"], { output });
  await once(output, "readable");
  output.destroy(new Error("disk full"));
  await assert.rejects(run, /disk full/);
});

test("a program gets a stream at its own pace, and a stream that outlasts the program ends with it", async () => {
  let given = 0;
  const source = Readable.from(
    (function* () {
      for (; given < 20; given++) yield Buffer.alloc(1024 * 1024, given);
    })(),
    { objectMode: false },
  );
  const counted = guest.run(["sh", "-c", "sleep 0.5; wc -c"], { input: source });
  await sleep(400);
  assert.ok(given < 10, `${given} MiB were read for a program that reads nothing`);
  assert.deepEqual(await counted, { code: 0, stdout: `${20 * 1024 * 1024}\n`, stderr: "" });
  const endless = new PassThrough();
  endless.write("in");
  assert.deepEqual(await guest.run(["sh", "-c", "head -c 2; exit 3"], { input: endless }), {
    ...{ code: 3, stdout: "in", stderr: "" },
  });
  assert.ok(endless.destroyed);
});

test("a time limit and an abort end the wait for a program that does not end", async () => {
  await assert.rejects(guest.run(["sleep", "5"], { timeoutMs: 200 }), /timed out after 0.2 s/);
  const controller = new AbortController();
  const run = guest.run(["sleep", "5"], { signal: controller.signal });
  controller.abort(new Error("cancelled"));
  await assert.rejects(run, /cancelled/);
});

test("files are written atomically, with their modes, and read back equal", async () => {
  const files = [
    { path: path.join(folder, "new/folder/a.conf"), mode: "0644", content: "a = 'b' $c `d` \\ ü\n\n" },
    { path: path.join(folder, "b.sh"), mode: "0755", content: "#!/bin/sh\n" },
    { path: path.join(folder, "empty"), mode: "0600", content: "" },
  ];
  await guest.writeFiles(files);
  assert.deepEqual(await guest.readFiles(files.map((file) => file.path)), files);
  assert.equal(fs.statSync(path.join(folder, "b.sh")).mode & 0o777, 0o755);
  assert.deepEqual(fs.readdirSync(folder).sort(), ["b.sh", "empty", "new"], "nothing but the files is left");
  const absent = path.join(folder, "absent");
  assert.deepEqual(await guest.readFiles([absent, files[1]?.path as string]), [undefined, files[1]]);
});

test("an unwritable file is an error", async () => {
  const file = { path: path.join(folder, "b.sh", "below-a-file"), mode: "0644", content: "" };
  await assert.rejects(guest.writeFiles([file]), /cannot read or write the files of the node/);
});

test("no file changes if the check of one fails, and the program's message is reported", async () => {
  const [first, second] = ["first", "second"].map((name) => path.join(folder, "checked", name)) as [string, string];
  const written = (content: string, check?: string) => [
    { path: first, mode: "0644", content, check: 'grep -q fine "$1"' },
    { path: second, mode: "0600", content, ...(check ? { check } : {}) },
  ];
  await guest.writeFiles(written("fine\n"));
  const wrong = written("fine again\n", 'echo "$1: line 1: it\'s wrong"; exit 3');
  await assert.rejects(guest.writeFiles(wrong), { name: "FileRefusedError", reason: `${second}: line 1: it's wrong` });
  const present = await guest.readFiles([first, second]);
  assert.deepEqual(
    present.map((file) => file?.content),
    ["fine\n", "fine\n"],
  );
  assert.deepEqual(fs.readdirSync(path.dirname(first)).sort(), ["first", "second"]);
});

test("the check of a file finds a new file that is written with it, and a refusal removes the new file again", async () => {
  const [added, named] = ["added", "named"].map((name) => path.join(folder, "together", name)) as [string, string];
  const files = (check: string) => [
    { path: added, mode: "0644", content: "authority\n" },
    { path: named, mode: "0644", content: "names it\n", check },
  ];
  await assert.rejects(guest.writeFiles(files(`cat ${added}; exit 1`)), {
    name: "FileRefusedError",
    reason: "authority",
  });
  assert.deepEqual(fs.readdirSync(path.dirname(added)), []);
  await guest.writeFiles(files(`grep -q authority ${added}`));
  assert.deepEqual(fs.readdirSync(path.dirname(added)).sort(), ["added", "named"]);
});

test("programs wait when a connection has no free session", async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, index) => guest.run(["echo", String(index)])));
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    Array.from({ length: 20 }, (_, index) => `${index}\n`),
  );
});

test("a host key that differs from the pinned key is refused", async () => {
  const pinned = server.otherHostKey;
  const attempt = connectSshGuest(connection({ bastionHostKey: pinned, hostKey: pinned }));
  await assert.rejects(attempt, UnreachableError);
});

test("a guest that does not respond yet is retried until it responds or the deadline passes", async () => {
  await closeGuests();
  server.refuseNext(3);
  const reasons: string[] = [];
  const late = await connectSshGuest(connection(), {
    deadlineMs: patienceMs,
    onWaiting: (reason) => reasons.push(reason),
  });
  assert.equal((await late.run(["echo", "here"])).stdout, "here\n");
  assert.equal(reasons.length, 3);
  await closeGuests();
  server.refuseNext(1_000);
  const started = Date.now();
  await assert.rejects(connectSshGuest(connection(), { deadlineMs: 700 }), UnreachableError);
  assert.ok(Date.now() - started < 5_000);
  server.refuseNext(0);
});

test("an abort ends the wait for a guest", async () => {
  const bastionPort = await server.listenSilently();
  const attempt = connectSshGuest(connection({ bastionPort }), {
    deadlineMs: 60_000,
    signal: AbortSignal.timeout(300),
  });
  await assert.rejects(attempt, { name: "TimeoutError" });
});

test("a command over a closed connection is reported as an unreachable guest", async () => {
  const lost = await connectSshGuest(connection());
  await closeGuests();
  await assert.rejects(lost.run(["true"]), UnreachableError);
});
