import { spawn } from "node:child_process";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { makeTemporaryFolder, removeTree, writeFileAtomic } from "./file-store";

/** Opens a file or an address with the program that the user has chosen for it. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["explorer.exe"],
};

export interface OpenedAddress {
  /** False: this host has no program that opens pages. */
  readonly opened: boolean;
  /** Removes what it needed. */
  remove(): Promise<void>;
}

/**
 * Opens an address in the user's browser. The address has a secret, and every user sees the arguments of a program: the browser gets
 * the name of a file that only this user can read, which leads to the address.
 */
export async function openAddress(address: string): Promise<OpenedAddress> {
  const folder = await makeTemporaryFolder("groundplane-view-");
  const file = path.join(folder, "open.html");
  await writeFileAtomic(file, redirection(address), 0o600);
  const [program = "", ...args] = openers[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, pathToFileURL(file).href], { detached: true, stdio: "ignore" });
  const opened = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("spawn", () => resolve(true));
  });
  child.unref();
  return { opened, remove: () => removeTree(folder) };
}

const redirection = (address: string): string => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>groundplane</title>
<script>location.replace(${JSON.stringify(address)})</script>
<a href="${address}">groundplane</a>
`;
