// Plain CommonJS, because it also runs before the Pulumi program and before dependencies are installed.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { isMainThread } = require("node:worker_threads");
const { exemptLoopback } = require("./exempt-loopback.cjs");

/**
 * Variables of a user's session that can only harm what groundplane starts. One row for each kind; nothing of ours reads
 * them. They are removed from this process, so no program that it starts can inherit them.
 */
const harmful = [
  {
    names: /^SSH_/,
    why: "agents and askpass programs of a session that may have ended; connections use the stack's own key",
  },
  { names: /^GIT_/, why: "git hooks and wrappers point git to another repository" },
  { names: /^KUBECONFIG$/, why: "another cluster than the stack's" },
  { names: /^(?:LANG|LANGUAGE|LC_\w+)$/, why: "programs translate the output that groundplane reads" },
  { names: /^(?:BASH_ENV|BASHOPTS|SHELLOPTS|CDPATH|GLOBIGNORE|POSIXLY_CORRECT)$/, why: "shells behave differently" },
  { names: /^BASH_FUNC_/, why: "shell functions replace commands of scripts" },
  {
    names: /^(?:TAR_OPTIONS|UNZIP|UNZIPOPT|ZIPOPT|GZIP|XZ_DEFAULTS|XZ_OPT|ZSTD_CLEVEL)$/,
    why: "options for each call",
  },
  {
    names: /^(?:GOOS|GOARCH|GOFLAGS|GOWORK|GOEXPERIMENT)$/,
    why: "programs would be built for another platform or module",
  },
  { names: /^SYSTEMD_(?:NSPAWN|LOG|COLORS|PAGER)\w*$/, why: "machines start with other settings" },
  { names: /^NODE_TLS_REJECT_UNAUTHORIZED$/, why: "certificates of servers and of the API would not be verified" },
  {
    names:
      /^PULUMI_(?:DIY_BACKEND_(?:GZIP|ZSTD|LEGACY_LAYOUT)|SELF_MANAGED_STATE_(?:GZIP|LEGACY_LAYOUT)|SKIP_CHECKPOINTS|RUN_PROGRAM)$/,
    why: "Pulumi stores the state elsewhere, in another form or not at all, or runs the program to destroy a stack",
  },
  {
    names:
      /^PULUMI_(?:DISABLE_(?:REFRESH_BEFORE_UPDATE|PROVIDER_PREVIEW|RESOURCE_REFERENCES|OUTPUT_VALUES)|ENABLE_(?:STREAMING_JSON_PREVIEW|LEGACY_DIFF|LEGACY_REFRESH_DIFF)|ERROR_OUTPUT_STRING)$/,
    why: "previews without drift, or in a form that groundplane does not read",
  },
  {
    names: /^PULUMI_(?:DEBUG_(?:PROVIDERS|LANGUAGES)|IGNORE_AMBIENT_PLUGINS)$/,
    why: "Pulumi uses another provider or language host than this clone's",
  },
  {
    names: /^PULUMI_OPTION_/,
    why: "options for each call of Pulumi: another configuration file or folder, a preview instead of an update",
  },
  { names: /^(?:ETCDCTL|CRICTL|CONTAINERD|KUBECTL|HELM)_/, why: "another cluster or runtime than the stack's" },
];

/** Removes the harmful variables, by default from the environment of this process, and exempts loopback from proxies. */
function prepareEnvironment(environment = process.env, platform = process.platform) {
  for (const name of Object.keys(environment)) {
    if (harmful.some(({ names }) => names.test(name))) delete environment[name];
  }
  if (platform !== "win32") {
    dropUnusableTemporaryFolders(environment);
    nameHome(environment);
    // Threads cannot change it.
    if (environment === process.env && isMainThread) process.umask(safeUmask(process.umask()));
  }
  // English messages, and file names with any character. Each Linux distribution has this locale.
  if (platform === "linux") environment.LC_ALL = "C.UTF-8";
  return exemptLoopback(environment);
}

/**
 * A folder of a session that has ended, of another host or user, or without room. Every program that writes a temporary file
 * would fail; without the variable it uses /tmp. A relative one would mean another folder for each program.
 */
function dropUnusableTemporaryFolders(environment) {
  for (const name of ["TMPDIR", "TMP", "TEMP"]) {
    const folder = environment[name];
    if (folder !== undefined && !(path.isAbsolute(folder) && isWritable(folder))) delete environment[name];
  }
}

/** Less than this holds no temporary file of use. */
const LEAST_BYTES = 1024 * 1024;

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    const { bavail, bsize } = fs.statfsSync(folder);
    return fs.statSync(folder).isDirectory() && bavail * bsize >= LEAST_BYTES;
  } catch {
    return false;
  }
}

/**
 * Services and cron jobs may have no HOME, without which Go has no cache, or an empty one, which would mean the working folder.
 */
function nameHome(environment) {
  if (environment.HOME && path.isAbsolute(environment.HOME)) return;
  delete environment.HOME;
  try {
    environment.HOME = os.userInfo().homedir;
  } catch {
    // The user has no entry in the list of users.
  }
}

/** Other users never write what we create, and we can always read it ourselves. */
const safeUmask = (mask) => (mask | 0o022) & ~0o700;

module.exports = { LEAST_BYTES, harmful, prepareEnvironment, safeUmask };
