import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions } from "yaml";

/**
 * How Pulumi reads YAML (Go's yaml.v3): YAML 1.2 with merge keys, and integers of YAML 1.1, in which `010` is 8, `1_000` is
 * 1000 and `0b11` is 3. Reading a stack file in another way would give another data centre than `pulumi up`.
 */
const integers: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?(?:0[xX][\da-fA-F_]*[\da-fA-F]|0[oO][0-7_]*[0-7]|0[bB][01_]*[01]|\d[\d_]*)$/,
  resolve: (text) => integerOf(text.replaceAll("_", "")),
};

function integerOf(text: string): number {
  const digits = text.replace(/^[-+]/, "").toLowerCase();
  const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits);
  return text.startsWith("-") ? -value : value;
}

export const pulumiYaml: ParseOptions & DocumentOptions & SchemaOptions = {
  merge: true,
  customTags: (tags) => [integers, ...tags],
};
