/** One-line strings that YAML, a shell or an environment file could misinterpret. */
export const hostileValues: readonly string[] = [
  ...["no", "yes", "on", "off", "y", "null", "~", "true", "0755", "0o17", "1:30", "52:54:00:12:34:56", "1e3", ".inf"],
  ...["", " ", " a", "a ", "a: b", "a #b", "- a", "# a", "*a", "&a", "!a", "%a", "@a", "`a`", "{a}", "[a]", "|", ">"],
  ...["'", '"', `it's "both"`, "\\", "\\n", "a\\", "$(id)", "$" + "{HOME}", "`id`", "!!", "---", "...", "=", "<<"],
  ...["2026-01-01", "é", "日本", "a;b", "a && b", "a|b", "*", "~root"],
];
