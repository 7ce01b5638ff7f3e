// Plain CommonJS, because it also runs before the Pulumi program and before dependencies are installed.
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
  { names: /^(?:ETCDCTL|CRICTL|CONTAINERD|KUBECTL|HELM)_/, why: "another cluster or runtime than the stack's" },
];

/** Removes the harmful variables, by default from the environment of this process, and exempts loopback from proxies. */
function prepareEnvironment(environment = process.env, platform = process.platform) {
  for (const name of Object.keys(environment)) {
    if (harmful.some(({ names }) => names.test(name))) delete environment[name];
  }
  // English messages, and file names with any character. Each Linux distribution has this locale.
  if (platform === "linux") environment.LC_ALL = "C.UTF-8";
  return exemptLoopback(environment);
}

module.exports = { harmful, prepareEnvironment };
