import assert from "node:assert/strict";
import { test } from "node:test";
import { confValue, envLine, shellWord, singleLine, UnquotableValueError, xmlText } from "../../../cloud-init/quoting";

const lines = ["a\nb", "a\rb", "a\u0000b", "a\u001bb", "a\u0085b", "a\u2028b", "\ufeffa", "a\ud800b"];

test("every quoting function refuses line ends and control characters", () => {
  for (const value of lines) {
    for (const quote of [shellWord, (text: string) => envLine("NAME", text), confValue, xmlText]) {
      assert.throws(() => quote(value), UnquotableValueError, JSON.stringify(value));
    }
    assert.throws(() => singleLine(value, "here"), /cannot be written into here/);
  }
});

test("a shell word is single-quoted only if necessary", () => {
  assert.equal(shellWord("/etc/hosts"), "/etc/hosts");
  assert.equal(shellWord("two words"), "'two words'");
  assert.equal(shellWord("it's $(id) `id` \\ \""), `'it'\\''s $(id) \`id\` \\ "'`);
  assert.equal(shellWord(""), "''");
});

test("an environment line escapes the characters that a shell expands inside double quotes", () => {
  assert.equal(envLine("NAME", `a "b" $(c) \`d\` \\`), `NAME="a \\"b\\" \\$(c) \\\`d\\\` \\\\"\n`);
  assert.throws(() => envLine("lower", "x"), UnquotableValueError);
  assert.throws(() => envLine("A B", "x"), UnquotableValueError);
});

test("a configuration value that is not a plain word is refused", () => {
  assert.equal(confValue("fe80::1/64"), "fe80::1/64");
  assert.equal(confValue(6443), "6443");
  for (const value of ["", "a b", 'a"b', "a#b", "a;b", "a}b", "$(id)", "a\\b", "é"]) {
    assert.throws(() => confValue(value), UnquotableValueError, value);
  }
});

test("XML text escapes its four special characters", () => {
  assert.equal(xmlText(`<a b="c">&`), "&lt;a b=&quot;c&quot;&gt;&amp;");
});
