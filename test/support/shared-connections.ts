import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A connection is cut after 15 s of silence, as those of the product are, and after 10 s without commands. */
const options = ["ControlMaster auto", "ControlPersist 10", "ServerAliveInterval 5", "ServerAliveCountMax 3"];

const all = new Set<() => void>();
const endAll = (): void => {
  for (const end of all) end();
};

/**
 * Connections to a stack's nodes that commands share: a command over a new one costs a third of a second of processor time, for two
 * handshakes on both ends, and a command over a shared one a twentieth of that.
 */
export class SharedConnections {
  /** For `ssh -F`. */
  readonly config: string;
  private readonly folder: string;

  /** @param own the stack's configuration, as `groundplane ssh` writes it */
  constructor(readonly own: string) {
    // The names of sockets must be short.
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "gp-ssh-"));
    this.config = path.join(this.folder, "config");
    if (all.size === 0) process.once("exit", endAll);
    all.add(() => this.end());
    const shared = [...options, `ControlPath ${this.folder}/%n`].map((line) => `  ${line}\n`).join("");
    const text = fs.readFileSync(own, "utf8").replaceAll(own, this.config);
    fs.writeFileSync(
      this.config,
      text.replace(/^Host \*\n/m, (line) => line + shared),
      { mode: 0o600 },
    );
  }

  /** Takes no more commands. Connections end when their running commands have ended. */
  stop(): void {
    this.tellAll("stop");
  }

  private end(): void {
    this.tellAll("exit");
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** The gateway's comes last, because the others use it. */
  private tellAll(what: "stop" | "exit"): void {
    const nodes = fs.readdirSync(this.folder).filter((name) => name !== "config" && name !== "gateway");
    for (const node of [...nodes, "gateway"])
      if (fs.existsSync(path.join(this.folder, node)))
        spawnSync("ssh", ["-F", this.config, "-O", what, node], { stdio: "ignore" });
  }
}
