/** The word that was probably meant, undefined when none is close: at most a third of its letters may differ. */
export const nearestWord = (written: string, known: readonly string[]): string | undefined =>
  nearestWords(written, known)[0];

/** All words that are that close, the closest first. */
export function nearestWords(written: string, known: readonly string[]): readonly string[] {
  return known
    .map((word) => ({ word, distance: editDistance(written.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .sort((one, other) => one.distance - other.distance)
    .map(({ word }) => word);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[other.length] ?? 0;
}
