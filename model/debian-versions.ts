/**
 * Compares two versions of a Debian package by the rules of the Debian Policy, section 5.6.12: negative if the first one is older, 0
 * if they are equal.
 */
export function compareDebianVersions(one: string, other: string): number {
  const [first, second] = [parts(one), parts(other)];
  return (
    first.epoch - second.epoch ||
    comparePart(first.upstream, second.upstream) ||
    comparePart(first.revision, second.revision)
  );
}

function parts(version: string) {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    // An absent revision and the revision 0 are equal.
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Texts and numbers alternate. */
function comparePart(one: string, other: string): number {
  let [left, right] = [one, other];
  while (left !== "" || right !== "") {
    const [text, otherText] = [leading(left, /^\D*/), leading(right, /^\D*/)];
    const byText = compareText(text, otherText);
    if (byText !== 0) return byText;
    [left, right] = [left.slice(text.length), right.slice(otherText.length)];
    const [digits, otherDigits] = [leading(left, /^\d*/), leading(right, /^\d*/)];
    // Some versions are dates with the time, which a number of JavaScript cannot hold.
    const [number, otherNumber] = [BigInt(digits || "0"), BigInt(otherDigits || "0")];
    if (number !== otherNumber) return number < otherNumber ? -1 : 1;
    [left, right] = [left.slice(digits.length), right.slice(otherDigits.length)];
  }
  return 0;
}

const leading = (text: string, pattern: RegExp): string => pattern.exec(text)?.[0] ?? "";

/** `~` comes before everything, also before the end; letters come before all other characters. */
function compareText(one: string, other: string): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const difference = orderOf(one[at]) - orderOf(other[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function orderOf(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}
