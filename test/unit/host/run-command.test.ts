import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, commandLine, outputTail } from "../../../model/commands";

test("a command line can be pasted into a shell", () => {
  assert.equal(commandLine(["ip", "-n", "gp-lab", "link"]), "ip -n gp-lab link");
  assert.equal(commandLine(["echo", "it's $HOME", ""]), "echo 'it'\\''s $HOME' ''");
});

test("a failure has everything that is needed to repeat the command", () => {
  const error = new CommandError(
    ["ip", "link", "set", "a b"],
    2,
    "out",
    "Cannot find device\n",
    "failed with exit code 2",
  );
  assert.equal(error.id, "command-failed");
  assert.equal(error.exitCode, 2);
  assert.match(error.message, /^ip failed with exit code 2:\n {2}Cannot find device\n/);
  assert.match(error.hint, /ip link set 'a b'$/);
});

test("the tail of a long output is its last 20 lines", () => {
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  const tail = outputTail(`${lines.join("\n")}\n`).split("\n");
  assert.equal(tail.length, 20);
  assert.equal(tail[0], "  line 30");
  assert.equal(tail[19], "  line 49");
});
