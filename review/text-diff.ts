/** A unified difference of two texts, line by line; empty when they are equal. `undefined` = no such file. */
export function textDiff(before: string | undefined, after: string | undefined, context = 3): string {
  const edits = editsBetween(linesOf(before), linesOf(after));
  const changed = edits.flatMap(({ kind }, index) => (kind === " " ? [] : [index]));
  if (changed.length === 0) return "";
  const hunks: { from: number; to: number }[] = [];
  for (const index of changed) {
    const [from, to] = [Math.max(0, index - context), Math.min(edits.length, index + context + 1)];
    const last = hunks.at(-1);
    if (last && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks.map(({ from, to }) => renderHunk(edits, from, to)).join("");
}

interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

function linesOf(text: string | undefined): readonly string[] {
  if (text === undefined || text === "") return [];
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function renderHunk(edits: readonly Edit[], from: number, to: number): string {
  const count = (part: readonly Edit[], absent: Edit["kind"]): number =>
    part.filter(({ kind }) => kind !== absent).length;
  const [prior, hunk] = [edits.slice(0, from), edits.slice(from, to)];
  const range = (absent: Edit["kind"]): string => {
    const length = count(hunk, absent);
    return `${count(prior, absent) + (length > 0 ? 1 : 0)},${length}`;
  };
  return [`@@ -${range("+")} +${range("-")} @@`, ...hunk.map(({ kind, line }) => kind + line), ""].join("\n");
}

/** What is equal at both ends costs nothing; between them the longest common subsequence is kept. */
function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--;
    endAfter--;
  }
  const same = (line: string): Edit => ({ kind: " ", line });
  return [
    ...before.slice(0, start).map(same),
    ...middleEdits(before.slice(start, endBefore), after.slice(start, endAfter)),
    ...before.slice(endBefore).map(same),
  ];
}

function middleEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const common = commonLengths(before, after);
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      edits.push({ kind: " ", line: before[i++] as string });
      j++;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ kind: "-", line: before[i++] as string });
    } else {
      edits.push({ kind: "+", line: after[j++] as string });
    }
  }
  return edits;
}

/** Length of the longest common subsequence of what is left from each pair of positions. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly (readonly number[])[] {
  const lengths = before.map(() => new Array<number>(after.length + 1).fill(0));
  lengths.push(new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--) {
    const [row, below] = [lengths[i] as number[], lengths[i + 1] as number[]];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] =
        before[i] === after[j] ? (below[j + 1] as number) + 1 : Math.max(below[j] as number, row[j + 1] as number);
    }
  }
  return lengths;
}
