import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host, HostFacts, HostNetwork } from "../model/host";
import type { HostFiles } from "../model/host-files";
import { dataFolder, disksFolder, imagesFolder, partsFolder, stackFolder, toolsFolder } from "./data-folder";
import { digestFile } from "./digest-file";
import { withFileLock } from "./file-lock";
import * as store from "./file-store";
import { appendLine, makePrivateFolder, makeReadOnly, stampFile } from "./file-store";
import { fileTrees } from "./file-trees";
import * as kernel from "./kernel-files";
import { asNamespaceRoot, isInUserNamespace, namespaceProblem, ownNamespaces } from "./namespaces";
import { ownAddresses } from "./own-addresses";
import { findFreePort, isPortFree, portHolder } from "./ports";
import { isSameProcess, processStartTime } from "./process-state";
import { fileHolders, findProcesses } from "./process-table";
import { projectFolder } from "./project-folder";
import { runCommand } from "./run-command";
import { killProcess, signalProcess, startProcess } from "./start-process";
import { askSocket, connectLines } from "./unix-sockets";

/** Getters read on use, because most starts do not need these facts and tests change variables. */
const facts: HostFacts = {
  platform: process.platform,
  arch: process.arch,
  env: process.env,
  nodeProgram: process.execPath,
  pid: process.pid,
  get kernelRelease() {
    return os.release();
  },
  get uid() {
    return process.getuid?.();
  },
  get userName() {
    return os.userInfo().username;
  },
  get homeFolder() {
    return os.homedir();
  },
  get addresses() {
    return ownAddresses();
  },
  get temporaryFolder() {
    return os.tmpdir();
  },
};

const files: HostFiles = {
  writeAtomic: store.writeFileAtomic,
  readText: store.readIfPresent,
  readJson: store.readJson,
  writeJson: store.writeJson,
  appendLine,
  list: store.listFolder,
  filesBelow: store.filesBelow,
  makeFolder: store.makeFolder,
  makePrivateFolder,
  makeTemporaryFolder: store.makeTemporaryFolder,
  move: store.moveTree,
  replaceByCopy: store.replaceByCopy,
  exists: store.exists,
  remove: (target) => store.removeTree(target),
  removeIfEmpty: store.removeIfEmpty,
  stamp: stampFile,
  makeReadOnly,
  digest: digestFile,
};

/** Loaded on use, because every command has a host but few commands download. */
const network: HostNetwork = {
  download: async (url, file, options) => (await import("./download")).download(url, file, options),
  getText: async (url, options) => (await import("./http-get")).httpGetText(url, options),
  reach: async (url, options) => {
    const { discard, httpGet } = await import("./http-get");
    discard(await httpGet(url, options));
  },
};

/** The machine that this process runs on. */
export const localHost: Host = {
  facts,
  folders: {
    data: dataFolder,
    images: imagesFolder,
    parts: partsFolder,
    tools: toolsFolder,
    stack: stackFolder,
    disks: disksFolder,
    project: () => projectFolder(),
  },
  run: runCommand,
  processes: {
    start: startProcess,
    startTime: processStartTime,
    isSame: isSameProcess,
    signal: signalProcess,
    kill: killProcess,
    find: findProcesses,
    holdersOf: fileHolders,
  },
  files,
  trees: fileTrees,
  kernel: {
    read: kernel.readKernelFile,
    readBytes: kernel.readKernelBytes,
    write: kernel.writeKernelFile,
    tryWrite: kernel.tryWriteKernelFile,
    listFolders: kernel.listKernelFolders,
    isNamespace: kernel.isNamespaceFile,
    deviceAccess: kernel.deviceAccess,
  },
  locks: { withLock: withFileLock },
  sockets: { ask: askSocket, connectLines },
  ports: { isFree: isPortFree, findFree: findFreePort, holderOf: portHolder },
  network,
  namespaces: {
    own: ownNamespaces,
    asRoot: asNamespaceRoot,
    problem: namespaceProblem,
    isInUserNamespace,
  },
  clock: {
    dateTime: () => new Date().toISOString(),
    now: () => performance.now(),
    sleep: async (milliseconds) => {
      await sleep(milliseconds);
    },
  },
};
