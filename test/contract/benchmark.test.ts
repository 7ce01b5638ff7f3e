import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { type Control, judge, renderVerdicts, scriptOf } from "../support/benchmark/control";
import { controlPlaneControls } from "../support/benchmark/control-plane";
import { nodeControls } from "../support/benchmark/nodes";

const all = [...controlPlaneControls, ...nodeControls];

/** The controls that the benchmark scores, by section. */
const scored = [
  ...range("1.1", 1, 8),
  ...range("1.1", 11, 19),
  ...["1.2.2", ...range("1.2", 4, 8), "1.2.10", ...range("1.2", 12, 19), ...range("1.2", 21, 26), "1.2.30"],
  ...[...range("1.3", 2, 7), "1.4.1", "1.4.2"],
  ...range("2", 1, 6),
  ...["4.1.1", "4.1.2", "4.1.5", "4.1.6", "4.1.9", "4.1.10"],
  ...["4.2.1", "4.2.2", "4.2.3", "4.2.6", "4.2.10", "4.3.1"],
];

function range(section: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${section}.${from + index}`);
}

test("every scored control of the benchmark is there once, and no recommendation counts as scored", () => {
  const ids = all.filter((control) => control.scored).map(({ id }) => id);
  assert.deepEqual([...ids].sort(), [...scored].sort());
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
});

test("an exception gives its reason", () => {
  for (const { id, exception } of all) if (exception !== undefined) assert.ok(exception.length > 20, id);
});

const control = (id: string, command: string, expected: RegExp, exception?: string): Control => ({
  ...{ id, title: `control ${id}`, of: "nodes", on: "itself", scored: true, command, expected },
  ...(exception && { exception }),
});

const run = (controls: readonly Control[]): string =>
  execFileSync("bash", ["-c", scriptOf(controls, "worker-1")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

describe("a verdict", () => {
  const controls = [
    control("1", "echo $NODE", /^worker-1$/),
    control("2", "echo other", /^worker-1$/),
    control("3", "echo worker-1; false; echo worker-1", /worker-1/),
    control("4", "flag no-such-program profiling", /./),
    control("5", "echo wrong", /^right$/, "here is why"),
    control("6", "echo right", /^right$/, "here is why"),
    control("7", "touch /tmp/$$ && chmod 640 /tmp/$$ && beyond 600 /tmp/$$; rm /tmp/$$", /^\/tmp\/\d+$/),
  ];
  const verdicts = judge(controls, "worker-1", run(controls));

  test("needs the expected answer and exit code 0", () => {
    assert.deepEqual(
      verdicts.map(({ result }) => result),
      ["pass", "fail", "fail", "fail", "excepted", "exception is obsolete", "pass"],
    );
  });

  test("fails when the command did not run", () => {
    assert.deepEqual(
      judge(controls.slice(0, 1), "worker-1", "").map(({ result }) => result),
      ["fail"],
    );
  });

  test("shows what was expected and what was said, or why the control is not kept", () => {
    const lines = renderVerdicts(verdicts);
    assert.match(lines[0] ?? "", /2 pass, 3 fail, 1 excepted, 1 exception is obsolete/);
    assert.match(lines[2] ?? "", /worker-1\s+2\s+scored fail\s+control 2: expected \/\^worker-1\$\/, got "other"/);
    assert.match(lines[5] ?? "", /excepted control 5: here is why/);
  });
});

test("the commands are free of syntax errors", () => {
  for (const { id, command } of all) {
    execFileSync("bash", ["-n", "-c", scriptOf([{ ...control(id, command, /./) }], "worker-1")]);
  }
});
