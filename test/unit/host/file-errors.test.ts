import assert from "node:assert/strict";
import { test } from "node:test";
import { fileError } from "../../../host/file-errors";

const failure = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, ...(path !== undefined && { path }) });

test("a file that cannot be written or read is a problem with a next step", () => {
  const problems = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EMFILE"].map((code) => {
    const problem = fileError(failure(code, "open", "/data/state.json"));
    assert.ok(problem && problem.hint.length > 10, code);
    return problem.problem;
  });
  for (const problem of problems) assert.match(problem, /\/data\/state\.json/);
  assert.match(problems[2] ?? "", /mounted read-only/);
});

test("a temporary file has the name of the file that it becomes, and a stream none", () => {
  assert.match(
    String(fileError(failure("EROFS", "open", "/out/user-data.123.0a1b2c3d.tmp"))),
    / \/out\/user-data cannot/,
  );
  assert.match(String(fileError(failure("ENOSPC", "write"))), /the disk is full: the output cannot be written/);
});

test("programs, sockets and other errors are none of these problems", () => {
  for (const other of [
    failure("EACCES", "spawn flock", "/usr/bin/flock"),
    failure("EACCES", "connect", "/run/some.sock"),
    failure("ENOENT", "open", "/data"),
    new Error("EROFS"),
    undefined,
    "text",
  ])
    assert.equal(fileError(other), undefined);
});
