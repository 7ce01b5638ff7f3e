/** The names of the nodes that get another image, in the order of a review in Markdown, e.g. `a, b with c`. */
export function orderOfRoll(markdown: string): string {
  const [, list = ""] = /^Th(?:ese nodes get|is node gets) another image.*:\n\n((?:\d+\. .*\n)+)/m.exec(markdown) ?? [];
  const steps = [...list.matchAll(/^\d+\. (`[^:]*`): /gm)].map(([, names]) => names);
  return steps.join(", ").replaceAll("`", "");
}
