import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { load } from "js-yaml";
import { parse } from "yaml";
import { emitYaml } from "../../../cloud-init/emit-yaml";
import { UnquotableValueError } from "../../../cloud-init/quoting";
import { hostileValues } from "../../support/seed-proof/hostile-values";

/** Reads the emitted text with js-yaml (YAML 1.2) and with a YAML 1.1 reader, such as cloud-init's. */
function readings(value: unknown): unknown[] {
  const text = emitYaml(value);
  return [load(text), parse(text, { version: "1.1" })];
}

test("one-line strings that look like other YAML types stay strings", () => {
  for (const value of hostileValues) {
    for (const reading of readings({ value, list: [value] })) assert.deepEqual(reading, { value, list: [value] });
  }
});

test("multi-line texts survive byte for byte", () => {
  const texts = [
    "a\n",
    "a\nb",
    "\na\n",
    "a\n\n\n",
    "  a\nb\n",
    "\ta\n",
    "a \n b\t\n",
    "\n",
    "---\n...\n",
    "# a\n",
    "é…\n日本\n",
    "%a\n",
  ];
  for (const text of texts) {
    for (const reading of readings({ text })) assert.deepEqual(reading, { text }, JSON.stringify(text));
  }
});

test("multi-line texts are block literals", () => {
  assert.equal(emitYaml({ text: "#!/bin/sh\necho 'a'\n" }), "text: |\n  #!/bin/sh\n  echo 'a'\n");
});

test("a string that YAML readers interpret differently is refused", () => {
  for (const value of ["a\rb", "a\u0085b", "a\u2028b\n", "a\u0000\n", "a\ud83d\ude00\n"]) {
    assert.throws(() => emitYaml({ value }), UnquotableValueError, JSON.stringify(value));
  }
});

test("any string is refused or survives byte for byte", () => {
  const line = fc.string({ unit: fc.constantFrom(..."ab01:-#'\"\\$(){}[]&*!|>%@`,~ \t\n\r\u0085\u2028é=.?") });
  fc.assert(
    fc.property(line, (value) => {
      try {
        emitYaml({ value });
      } catch (error) {
        assert.ok(error instanceof UnquotableValueError);
        return;
      }
      for (const reading of readings({ value })) assert.deepEqual(reading, { value });
    }),
    { numRuns: 10_000, seed: 20261121 },
  );
});
