import { markdownTable } from "../support/documents";

/** The source of the style page in CONTRIBUTING.md and of the test of words. */

export interface WordPair {
  readonly avoid: string;
  readonly write: string;
  /** A regular expression for the test. Default: the phrase itself. */
  readonly pattern?: string;
}

export const wordPairs: readonly WordPair[] = [
  { avoid: "made anew", write: "recreated", pattern: "anew" },
  {
    avoid: "is not whole; whole",
    write: "is unhealthy; healthy",
    pattern:
      "(?:is|are|was|were|be|been|come up|comes up|came up|not|made|count as) whole(?! number)|whole again|whole\\?|wholeness",
  },
  { avoid: "nobody", write: "none, no one, static" },
  {
    avoid: "a birth, to give birth, born",
    write: "a bootstrap, to bootstrap, created",
    pattern: "(?:give-|re|give)?births?|(?:re)?born|born[A-Z]\\w*|birth[A-Z]\\w*",
  },
  { avoid: "nothing is to be done", write: "no changes", pattern: "nothing (?:is|was) to be done" },
  { avoid: "together 5.2 s", write: "total 5.2 s", pattern: "together \\d[\\d.]* ?s" },
  { avoid: "a fault of groundplane", write: "internal error, please report it" },
  {
    avoid: "quiet cores of one's own",
    write: "idle cores",
    pattern: "quiet cores|quiet machine|cores of one's own",
  },
  { avoid: "told, not judged", write: "reported only", pattern: "not judged|told, not" },
  { avoid: "is cut short", write: "is rate-limited; is interrupted", pattern: "cut short" },
  { avoid: "for ever", write: "forever" },
  { avoid: "whom", write: "which; reword the sentence" },
  { avoid: "knows no time", write: "entries never expire", pattern: "knows no time" },
  { avoid: "setOnItsWay", write: "markInTransition", pattern: "\\w*OnItsWay" },
  { avoid: "oneByOne", write: "withStackLock", pattern: "oneByOne" },
  { avoid: "hypervisors-here.ts", write: "detect-hypervisors.ts", pattern: "hypervisors-here" },
  { avoid: "somebody", write: "a user, a process, someone", pattern: "somebody(?:'s)?" },
  { avoid: "everybody", write: "all users, every node" },
  { avoid: "whoever", write: "any process that, the caller" },
  { avoid: "wherefrom, whereto", write: "from where, the target", pattern: "wherefrom|whereto" },
  { avoid: "a user of his own", write: "a user's own", pattern: "of his own|his own" },
  { avoid: "for good", write: "permanently", pattern: "for good(?! reason)" },
  { avoid: "half-made", write: "partially created" },
  { avoid: "comes to exist", write: "is created", pattern: "com(?:es|e) to exist" },
  { avoid: "as it stands", write: "in its current state", pattern: "as (?:it|they) stands?(?! in)" },
  {
    avoid: "goes on from where it was",
    write: "resumes where it stopped",
    pattern: "go(?:es)? on from|went on from",
  },
  { avoid: "is to be done", write: "must be done", pattern: "(?:is|are) to be done|remains to be done" },
  { avoid: "the least that is", write: "the smallest", pattern: "the least (?:that|of)" },
  { avoid: "on paper", write: "simulated" },
  { avoid: "lets go of", write: "releases", pattern: "lets? go of" },
  { avoid: "gives back", write: "releases, returns", pattern: "giv(?:es?|en) back" },
  { avoid: "is told of", write: "learns of, is notified of", pattern: "(?:is|are|be|been|was) told of" },
  { avoid: "has to be told", write: "must be configured with", pattern: "(?:has|have) to be told" },
  { avoid: "put right", write: "repaired", pattern: "puts? (?:all |it )?right" },
  { avoid: "mend, mended", write: "repair, repaired", pattern: "mend(?:s|ed|ing)?" },
  { avoid: "from without", write: "from outside", pattern: "from without" },
  { avoid: "is of no use", write: "does not help", pattern: "of no use|no use to" },
  { avoid: "without being told to", write: "on its own", pattern: "without being told" },
  { avoid: "takes to the", write: "switches to", pattern: "takes? to the" },
  { avoid: "makes itself", write: "is created", pattern: "makes itself" },
  { avoid: "strangers", write: "untrusted users", pattern: "strangers?(?:'s?)?" },
  { avoid: "a word of", write: "an argument of", pattern: "a word of" },
  { avoid: "knows nothing of", write: "does not know", pattern: "knows? nothing of|hears? nothing of" },
  { avoid: "a quarter of an hour", write: "15 minutes", pattern: "quarter of an hour" },
  { avoid: "by and by", write: "gradually" },
  { avoid: "stands before every", write: "precedes every", pattern: "stands before" },
  { avoid: "hears of", write: "learns about", pattern: "hears? of" },
  { avoid: "falls silent", write: "stops responding", pattern: "falls? silent" },
  { avoid: "who is not root", write: "users other than root", pattern: "who is not root" },
  { avoid: "said aloud", write: "reported", pattern: "said aloud" },
  { avoid: "dies away", write: "ends", pattern: "dies away" },
  { avoid: "deaf, deafness", write: "does not receive", pattern: "deaf(?:ness)?" },
  {
    avoid: "a living stack",
    write: "a running stack",
    pattern: "living (?:stack|lab|node|master|cluster|machine)s?|(?:stack|lab|node|master|cluster)s? that lives?",
  },
  { avoid: "papers", write: "documents", pattern: "papers?" },
  { avoid: "once more", write: "again" },
  { avoid: "in vain", write: "without success" },
  { avoid: "hence", write: "so" },
  { avoid: "thus", write: "so" },
  { avoid: "thereby", write: "by this" },
  { avoid: "therein, thereof", write: "in it, of it", pattern: "therein|thereof" },
  { avoid: "likewise", write: "also" },
  { avoid: "afresh", write: "again" },
  { avoid: "aforesaid", write: "this" },
];

/** Files that spell former names because existing stacks hold them, and the lists themselves. */
const exempt: Readonly<Record<string, string>> = {
  "model/former-names.ts": "names that existing stacks hold",
  "test/docs/words.ts": "this list",
  "test/docs/words.test.ts": "phrases as examples",
  LICENSE: "not ours",
  "package-lock.json": "not ours",
};

/** Output of other programs, recorded. */
const foreignFolders = ["test/transcripts/"];

export const isExempt = (file: string): boolean =>
  Object.hasOwn(exempt, file) || foreignFolders.some((folder) => file.startsWith(folder));

export interface WordFinding {
  readonly line: number;
  readonly phrase: string;
  readonly write: string;
}

/** Finds every phrase of the list in a text, also across line breaks of prose and comments. */
export function findWords(text: string, pairs: readonly WordPair[] = wordPairs): readonly WordFinding[] {
  return pairs.flatMap(({ avoid, pattern, write }) =>
    [...text.matchAll(expression(pattern ?? escaped(avoid)))].map((match) => ({
      line: text.slice(0, match.index).split("\n").length,
      phrase: match[0].replace(/\s+(?:(?:\*|\/\/|#) )?/g, " "),
      write,
    })),
  );
}

/** A space in the list also matches a line break with the comment sign of the next line. */
const expression = (pattern: string): RegExp =>
  new RegExp(`(?<![\\w-])(?:${pattern.replaceAll(" ", "\\s+(?:(?:\\*|//|#)\\s+)?")})(?![\\w-])`, "gi");

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export const renderWordPairs = (): string =>
  markdownTable(
    ["do not write", "write"],
    wordPairs.map(({ avoid, write }) => [avoid, write]),
  );
