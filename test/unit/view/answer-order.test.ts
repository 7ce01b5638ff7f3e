import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerOrder } from "../../../view/stack-answers";

test("an answer that ends late does not replace what was asked after it", async () => {
  const order = new AnswerOrder();
  const taken: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (about: string, text: string): Promise<void> =>
    order.ask(
      about,
      () => new Promise<string>((resolve) => ends.set(text, () => resolve(text))),
      (answer) => void taken.push(answer),
    );
  const all = [ask("a", "first"), ask("a", "second"), ask("b", "other"), ask("a", "outdated")];
  for (const text of ["second", "first", "other"]) ends.get(text)?.();
  await Promise.all(all.slice(0, 3));
  order.outdate("a");
  ends.get("outdated")?.();
  await all[3];
  assert.deepEqual(taken, ["second", "other"]);
});
