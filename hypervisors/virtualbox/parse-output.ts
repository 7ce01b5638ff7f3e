/** Pure parsers of VBoxManage's output; recorded transcripts are in test/transcripts. */

export interface ListedVm {
  readonly name: string;
  readonly uuid: string;
}

/** `list vms`, `list runningvms`: `"name" {uuid}`; quotes in names are not escaped. */
export function parseVmList(text: string): readonly ListedVm[] {
  return lines(text).flatMap((line) => {
    const match = /^"(.*)" \{([0-9a-f-]{36})\}$/.exec(line);
    return match ? [{ name: match[1] as string, uuid: match[2] as string }] : [];
  });
}

export interface Medium {
  readonly uuid: string;
  /** `undefined` for a base medium. */
  readonly parent: string | undefined;
  /** `created`, `inaccessible`, … */
  readonly state: string;
  /** e.g. `normal (base)`, `normal (differencing)`, `multiattach` */
  readonly type: string;
  readonly location: string;
  readonly capacityMiB: number | undefined;
}

/** The format of most lists: blocks of `Key: value` lines. */
export function parseFields(text: string): readonly ReadonlyMap<string, string>[] {
  return text
    .replaceAll("\r", "")
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== "")
    .map(
      (block) =>
        new Map(
          block
            .split("\n")
            .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const),
        ),
    );
}

/** `list hdds` and `list dvds`. */
export function parseMedia(text: string): readonly Medium[] {
  return parseFields(text).flatMap((fields) => {
    const uuid = fields.get("UUID");
    if (!uuid) return [];
    const parent = fields.get("Parent UUID");
    const capacity = /^(\d+) MBytes/.exec(fields.get("Capacity") ?? "");
    return [
      {
        uuid,
        parent: parent === undefined || parent === "base" ? undefined : parent,
        state: fields.get("State") ?? "",
        type: fields.get("Type") ?? "",
        location: fields.get("Location") ?? "",
        capacityMiB: capacity ? Number(capacity[1]) : undefined,
      },
    ];
  });
}

export interface NatForward {
  readonly name: string;
  readonly protocol: string;
  readonly hostIp: string;
  readonly hostPort: number;
  readonly guestIp: string;
  readonly guestPort: number;
}

/** `showvminfo --machinereadable`. */
export interface VmInfo {
  /** Keys without quotes. Some keys of NAT adapters repeat; the first value is kept. */
  readonly values: ReadonlyMap<string, string>;
  /** Port-forwards by the number of their adapter, in VirtualBox's order. */
  readonly forwards: ReadonlyMap<number, readonly NatForward[]>;
}

export function parseVmInfo(text: string): VmInfo {
  const values = new Map<string, string>();
  const forwards = new Map<number, NatForward[]>();
  // Forwards follow the `nicN` that they belong to.
  let adapter = 0;
  for (const entry of entries(text)) {
    const pair = /^(?:"([^"]*)"|([^="]+))=(?:"(.*)"|(.*))$/s.exec(entry);
    if (!pair) continue;
    const key = pair[1] ?? (pair[2] as string);
    const raw = pair[3] ?? (pair[4] as string);
    adapter = Number(/^nic(\d+)$/.exec(key)?.[1] ?? adapter);
    if (/^Forwarding\(\d+\)$/.test(key)) {
      forwards.set(adapter, [...(forwards.get(adapter) ?? []), parseForward(raw)]);
    } else if (!values.has(key)) {
      values.set(key, isEscaped(key) ? withoutEscapes(raw) : raw);
    }
  }
  return { values, forwards };
}

/** Lines, with each description as one entry: its text can have several lines, and they can look like settings. */
function entries(text: string): readonly string[] {
  const found: string[] = [];
  let open: readonly string[] = [];
  for (const line of lines(text)) {
    const begins = open.length === 0 && /^(?:Snapshot)?[Dd]escription[-\d]*="/.test(line);
    if (!begins && open.length === 0) {
      found.push(line);
      continue;
    }
    open = [...open, line];
    const value = begins ? line.slice(line.indexOf('"') + 1) : line;
    if (!endsWithQuote.test(value)) continue;
    found.push(open.join("\n"));
    open = [];
  }
  return found;
}

/** A quote that is not escaped by a backslash. */
const endsWithQuote = /(?<!\\)(?:\\\\)*"$/;

/** VirtualBox escapes quotes and backslashes in names and paths, but not in adapters' networks and serial ports. */
const isEscaped = (key: string): boolean => !/^(?:intnet|uartmode|bridgeadapter|hostonly)/.test(key);

const withoutEscapes = (text: string): string => text.replace(/\\(["\\])/g, "$1");

function parseForward(text: string): NatForward {
  const [name = "", protocol = "", hostIp = "", hostPort = "", guestIp = "", guestPort = ""] = text.split(",");
  return { name, protocol, hostIp, hostPort: Number(hostPort), guestIp, guestPort: Number(guestPort) };
}

/** `list ostypes`: identifiers, from `ID: Debian12_64` or, since 7.2, `ID / Description: Debian12_64 -- Debian …`. */
export function parseOsTypes(text: string): readonly string[] {
  return lines(text).flatMap((line) => {
    const match = /^ID(?: \/ Description)?:\s+(\S+)/.exec(line);
    return match ? [match[1] as string] : [];
  });
}

const lines = (text: string): readonly string[] => text.replaceAll("\r", "").split("\n");
