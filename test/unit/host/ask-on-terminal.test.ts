import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { askOnTerminal, askSecretly } from "../../../host/ask-on-terminal";

async function answerTo(typed: string, { ends = false } = {}): Promise<string | undefined> {
  const input = new PassThrough();
  const output = new PassThrough();
  output.resume();
  const answer = askOnTerminal("Destroy it? ", { input, output, terminal: true });
  input.write(typed);
  if (ends) input.end();
  return answer;
}

test("an answer is what the user types", async () => {
  assert.equal(await answerTo("lab \n"), "lab");
  assert.equal(await answerTo("\n"), "");
});

test("Ctrl-C, Ctrl-D and the end of the input are no answer", async () => {
  assert.equal(await answerTo("la\x03"), undefined);
  assert.equal(await answerTo("\x04"), undefined);
  assert.equal(await answerTo("", { ends: true }), undefined);
});

test("a secret is not shown while the user types it", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const answer = askSecretly("Passphrase: ", { input, output, terminal: true });
  input.write("long and secret\n");
  assert.equal(await answer, "long and secret");
  assert.equal(String(output.read()), "Passphrase: \n");
});
