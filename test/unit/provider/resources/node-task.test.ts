// A task on a node ends on a cancellation and at its limit, whatever the node does.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { type RunOptions, type RunResult, UnreachableError } from "../../../../guests/guest-ssh";
import { nodeTaskResource } from "../../../../provider/resources/node-task";
import type { Context } from "../../../../provider/rpc/resource-handler";

const inputs = {
  node: "master-1",
  connection: { bastionPort: 1, bastionHostKey: "", address: "", hostKey: "", privateKey: "" },
  command: ["check", "it"],
  attemptSeconds: 20,
  triggers: [],
};

function contextOf(timeoutSeconds = 600) {
  const cancellation = new AbortController();
  const shown: string[] = [];
  const context: Context = {
    ...{ urn: "", name: "ready-nodes", type: "", timeoutSeconds, signal: cancellation.signal },
    log: (_severity, message) => void shown.push(message),
  };
  return { context, shown, cancel: () => cancellation.abort(new Error("cancelled")) };
}

type Run = (argv: readonly string[], options: RunOptions) => Promise<RunResult>;

const taskWith = (run: Run) =>
  nodeTaskResource(async () => {
    const guest: Pick<Guest, "run"> = { run: (argv, options = {}) => run(argv, options) };
    return guest as Guest;
  });

const answer = (code: number, stdout = ""): RunResult => ({ code, stdout, stderr: "" });
const never: Run = (_argv, { signal }) =>
  new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

test("the command is repeated until it succeeds, with the first problem as progress", async () => {
  const answers = [answer(1, "node a is not Ready\nnode b is not Ready"), answer(124), answer(0)];
  const asked: (readonly string[])[] = [];
  const { context, shown } = contextOf();
  const task = taskWith(async (argv) => {
    asked.push(argv);
    return answers[asked.length - 1] ?? answer(9);
  });
  const { id, outputs } = await task.create(inputs, false, context);
  assert.deepEqual([id, outputs], ["task/ready-nodes", inputs]);
  assert.deepEqual(asked, Array(3).fill(["timeout", "20", "check", "it"]), "each attempt has a limit in the guest");
  assert.ok(shown.includes("master-1: node a is not Ready"), shown.join("\n"));
});

test("each attempt gets the standard input, which stays secret", async () => {
  const given: RunOptions["stdin"][] = [];
  const task = taskWith(async (_argv, { stdin }) => {
    given.push(stdin);
    return answer(given.length === 1 ? 1 : 0);
  });
  await task.create({ ...inputs, stdin: "a key" }, false, contextOf().context);
  await task.create(inputs, false, contextOf().context);
  assert.deepEqual(given, ["a key", "a key", undefined]);
  assert.ok(task.alwaysSecret?.includes("stdin"));
});

test("a lost connection is no failure", async () => {
  let asked = 0;
  const task = taskWith(async () => {
    if (asked++ === 0) throw new UnreachableError("the connection was lost");
    return answer(0);
  });
  await task.create(inputs, false, contextOf().context);
  assert.equal(asked, 2);
});

test("a cancellation ends it at once, also while the node does not answer", async () => {
  const { context, cancel } = contextOf();
  const started = performance.now();
  setTimeout(cancel, 50);
  await assert.rejects(taskWith(never).create(inputs, false, context), /cancelled/);
  assert.ok(performance.now() - started < 1_000);
  const between = contextOf();
  setTimeout(between.cancel, 50);
  await assert.rejects(
    taskWith(async () => answer(1, "not yet")).create(inputs, false, between.context),
    /abort|cancel/i,
  );
});

test("the time limit ends it, with everything that is missing and the next step", async () => {
  const { context } = contextOf(6);
  const task = taskWith(async () => answer(1, "node a is not Ready\nnode b is not Ready"));
  await assert.rejects(task.create(inputs, false, context), {
    id: "node-task",
    message: /`check it`:\nnode a is not Ready\nnode b is not Ready\n.*next step: .*logs master-1/s,
  });
});

test("a command that fails for another reason is not repeated", async () => {
  let asked = 0;
  const task = taskWith(async () => {
    asked++;
    return answer(3, "the volume has other bricks");
  });
  await assert.rejects(task.update("", inputs, { inputs, outputs: inputs }, false, contextOf().context), {
    id: "node-task",
    message: /exit code 3:\nthe volume has other bricks/,
  });
  assert.equal(asked, 1);
});

test("a preview runs nothing", async () => {
  const task = taskWith(async () => assert.fail("ran"));
  await task.create(inputs, true, contextOf().context);
  await task.update("", inputs, { inputs, outputs: inputs }, true, contextOf().context);
});

test("its files are written before each attempt, and none in a preview", async () => {
  const steps: string[] = [];
  const answers = [answer(1, "not yet"), answer(0)];
  const guest: Pick<Guest, "run" | "writeFiles"> = {
    run: async () => {
      steps.push("run");
      return answers.shift() ?? answer(9);
    },
    writeFiles: async (files) => void steps.push(...files.map(({ path, mode }) => `${mode} ${path}`)),
  };
  const task = nodeTaskResource(async () => guest as Guest);
  const files = [{ path: "/key", mode: "0600", content: "secret" }];
  await task.create({ ...inputs, files }, true, contextOf().context);
  assert.deepEqual(steps, []);
  await task.create({ ...inputs, files }, false, contextOf().context);
  assert.deepEqual(steps, ["0600 /key", "run", "0600 /key", "run"]);
});

test("a message shows the beginning of a long argument", async () => {
  const task = taskWith(async () => answer(3, "refused"));
  const command = ["trust", "A".repeat(900)];
  await assert.rejects(task.create({ ...inputs, command }, false, contextOf().context), {
    id: "node-task",
    message: /^`trust A{20}…` failed on master-1 with exit code 3:\nrefused/,
  });
});
