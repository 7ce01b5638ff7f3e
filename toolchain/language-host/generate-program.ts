/**
 * The declarations that `pulumi import` prints after a successful import. Pulumi describes the imported resources in PCL, a
 * dialect of HCL with literal values; each becomes one `pulumi.CustomResource`, which needs no generated SDK.
 */
export function generateProgram(sources: readonly string[]): string {
  const done =
    "// The import is done: the state has what follows. Copy it into the program, where a class may replace it.";
  return `${['import * as pulumi from "@pulumi/pulumi";', "", done, ...sources.map(translate)].join("\n")}\n`;
}

function translate(source: string): string {
  try {
    return new Translator(tokensOf(source)).resources().join("\n");
  } catch {
    // Not literal values only: shown as it is.
    return source.replace(/^/gm, "// ");
  }
}

const token = /\s*(?:#[^\n]*|\/\/[^\n]*)*\s*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.-]*|-?\d[\d.eE+-]*|[{}[\]()=,])/y;

function tokensOf(source: string): readonly string[] {
  const tokens: string[] = [];
  const scanner = new RegExp(token);
  const end = source.trimEnd().length;
  while (scanner.lastIndex < end) {
    const found = scanner.exec(source)?.[1];
    if (found === undefined) throw new Error("not a token");
    tokens.push(found);
  }
  return tokens;
}

/** `name = value` of a block, and its inner blocks. */
interface Body {
  readonly values: Map<string, string>;
  readonly blocks: Map<string, Body>;
}

class Translator {
  private at = 0;

  constructor(private readonly tokens: readonly string[]) {}

  resources(): readonly string[] {
    const found: string[] = [];
    while (this.at < this.tokens.length) {
      const kind = this.next();
      const labels: string[] = [];
      while (this.peek() !== "{") labels.push(this.next());
      const { values, blocks } = this.body();
      // Other blocks say which plugins the resources need.
      if (kind !== "resource") continue;
      const [label = "", type = ""] = labels;
      const name = values.get("__logicalName") ?? JSON.stringify(unquoted(label));
      values.delete("__logicalName");
      const options = blocks.get("options")?.values ?? new Map<string, string>();
      found.push(`new pulumi.CustomResource(${type}, ${name}, ${objectOf(values)}, ${objectOf(options)});`);
    }
    return found;
  }

  private body(): Body {
    const body: Body = { values: new Map(), blocks: new Map() };
    this.expect("{");
    while (this.peek() !== "}") {
      const name = unquoted(this.next());
      if (this.peek() === "{") body.blocks.set(name, this.body());
      else {
        this.expect("=");
        body.values.set(name, this.value());
      }
    }
    this.expect("}");
    return body;
  }

  private value(): string {
    const first = this.next();
    if (first === "[") return `[${this.list("]", () => this.value()).join(", ")}]`;
    if (first === "{") return `{ ${this.list("}", () => this.pair()).join(", ")} }`;
    if (first === "secret" && this.peek() === "(") {
      this.expect("(");
      const secret = this.value();
      this.expect(")");
      return `pulumi.secret(${secret})`;
    }
    if (first.startsWith('"')) return literal(first);
    if (/^(?:true|false|null|-?\d.*)$/.test(first)) return first;
    throw new Error("not a literal value");
  }

  private pair(): string {
    const key = unquoted(this.next());
    this.expect("=");
    return `${propertyName(key)}: ${this.value()}`;
  }

  private list(end: string, item: () => string): readonly string[] {
    const items: string[] = [];
    while (this.peek() !== end) {
      items.push(item());
      if (this.peek() === ",") this.next();
    }
    this.expect(end);
    return items;
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private next(): string {
    const found = this.tokens[this.at++];
    if (found === undefined) throw new Error("unexpected end");
    return found;
  }

  private expect(wanted: string): void {
    if (this.next() !== wanted) throw new Error(`${wanted} expected`);
  }
}

/** A string of PCL as one of TypeScript. A reference to another resource is none. */
function literal(text: string): string {
  if (/(?<!\$)\$\{|(?<!%)%\{/.test(text)) throw new Error("a template");
  return text.replaceAll("$${", "${").replaceAll("%%{", "%{");
}

const unquoted = (text: string): string => (text.startsWith('"') ? (JSON.parse(text) as string) : text);

const propertyName = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key));

const objectOf = (values: ReadonlyMap<string, string>): string =>
  values.size === 0 ? "{}" : `{ ${[...values].map(([key, value]) => `${propertyName(key)}: ${value}`).join(", ")} }`;
