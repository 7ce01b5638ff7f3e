import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { volumeProblem } from "../../../../provider/resources/volume-problem";
import type { Context } from "../../../../provider/rpc/resource-handler";

const context = { signal: new AbortController().signal } as Context;

const problem = (heals: string, served = 0) =>
  volumeProblem(
    {
      run: async ([program]: readonly string[]) =>
        program === "gluster"
          ? { code: 0, stdout: heals, stderr: "" }
          : { code: served, stdout: "", stderr: served === 0 ? "" : "given up: the brick a:/b does not serve" },
    } as unknown as Guest,
    context,
  );
const copies = (...entries: readonly (string | number)[]): string =>
  entries
    .map((one, index) => `Brick 10.0.0.${index}:/b\nStatus: Connected\nTotal Number of entries: ${one}\n`)
    .join("\n");

test("of a volume with one copy, only that it is served matters", async () => {
  const run = async ([program]: readonly string[]) => ({
    code: program === "gluster" ? 1 : 0,
    stdout: "",
    stderr: "no",
  });
  assert.equal(await volumeProblem({ run } as unknown as Guest, context, false), undefined);
});

test("a copy may be away only while all copies are served and complete", async () => {
  assert.equal(await problem(copies(0, 0, 0)), undefined);
  assert.equal(await problem(copies(0, 2, 1)), "3 files of the volume wait to be healed");
  assert.equal(await problem(copies(0, "-", 0)), "a copy of the volume does not respond");
  assert.match(String(await problem(copies(0, 0, 0), 1)), /the brick a:\/b does not serve/);
  assert.match(String(await problem("")), /does not say whether it is healed/);
});
