import { spawn } from "node:child_process";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { makeTemporaryFolder, removeTree, writeFileAtomic } from "./file-store";

/** Opens a file or an address with the program that the user has chosen for it. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["explorer.exe"],
};

export interface OpenedAddress {
  /** Removes what it needed. */
  remove(): Promise<void>;
}

/**
 * Opens an address in the user's browser. The address has a secret, and every user sees the arguments of a program: the browser gets
 * the name of a file that only this user can read, which leads to the address.
 *
 * @param onFailure called when no program could open it, maybe after some time
 */
export async function openAddress(address: string, onFailure: () => void): Promise<OpenedAddress> {
  const folder = await makeReadableFolder("groundplane-view-");
  const file = path.join(folder, "open.html");
  await writeFileAtomic(file, redirection(address), 0o600);
  const [program = "", ...args] = openers[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, pathToFileURL(file).href], { detached: true, stdio: "ignore" });
  child.once("error", onFailure);
  child.once("exit", (code) => {
    // The exit code of explorer.exe says nothing.
    if (code !== 0 && process.platform !== "win32") onFailure();
  });
  child.unref();
  return { remove: () => removeTree(folder) };
}

/** A browser from a snap has a /tmp of its own, and reads no hidden folders. */
async function makeReadableFolder(prefix: string): Promise<string> {
  if (process.platform !== "linux") return makeTemporaryFolder(prefix);
  return makeTemporaryFolder(prefix, os.homedir()).catch(() => makeTemporaryFolder(prefix));
}

const redirection = (address: string): string => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>groundplane</title>
<script>location.replace(${JSON.stringify(address)})</script>
<a href="${address}">groundplane</a>
`;
