import { commandLine, outputTail } from "../../model/commands";
import { UserError } from "../../model/user-error";

/** The result of a call of VBoxManage. */
export interface Reply {
  /** `null` if a signal ended the process. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The process was ended because it exceeded its time limit. */
  readonly timedOut?: boolean;
}

/**
 * `always`: the failure passes, and the call may be repeated; `unless-running`: not if the machine's session holds it. Such
 * a call may have taken effect, which `command-kinds.ts` is about.
 */
type Retry = "always" | "unless-running" | "never";

interface KnownIssue {
  readonly id: string;
  readonly pattern: RegExp;
  readonly retry: Retry;
  /** The next step for the user. */
  readonly hint: string;
}

const tryAgain = "try again; if it fails again, close VirtualBox Manager and all VirtualBox programs";
const seeDoctor = "run `npx groundplane doctor`: it says what this host lacks";

/** All known failures of VBoxManage. The first pattern that matches applies. */
export const knownIssues: readonly KnownIssue[] = [
  {
    id: "vm-locked",
    pattern: /already locked (?:for|by) a session|already has a lock request pending/,
    retry: "unless-running",
    hint: "another program uses this machine: close its window in VirtualBox's manager, then try again",
  },
  { id: "vm-not-ready", pattern: /The object is not ready/, retry: "always", hint: tryAgain },
  {
    id: "session-lost",
    pattern:
      /unlocked unexpectedly while attempting to share|Failed to (?:assign the machine to the session|get a console object from the direct session)|NS_ERROR_ABORT/,
    retry: "always",
    hint: tryAgain,
  },
  {
    id: "no-com-server",
    pattern: /Failed to create the VirtualBox object!|CO_E_SERVER_EXEC_FAILURE|NS_ERROR_FACTORY_NOT_REGISTERED/i,
    retry: "always",
    hint: "VBoxSVC does not answer: check whether another user or a service runs VirtualBox; restart the host if it persists",
  },
  { id: "server-lost", pattern: /0x800706BA/i, retry: "always", hint: tryAgain },
  {
    id: "hardware-virtualisation-taken",
    pattern: /VERR_VMX_IN_VMX_ROOT_MODE|VERR_SVM_IN_USE/,
    retry: "never",
    hint: `another hypervisor (KVM, Hyper-V) holds the processor's virtualisation: stop its machines; ${seeDoctor}`,
  },
  {
    id: "hardware-virtualisation-missing",
    pattern:
      /VERR_VMX_NO_VMX|VERR_SVM_NO_SVM|VERR_SVM_DISABLED|VERR_VMX_MSR_ALL_VMX_DISABLED|VERR_SVM_HOST_SVME_NOT_ENABLED/,
    retry: "never",
    hint: `switch on VT-x or AMD-V in the firmware's settings; ${seeDoctor}`,
  },
  {
    id: "no-kernel-driver",
    pattern:
      /failed to open \/dev\/vboxnetctl|terminated unexpectedly during startup|kernel driver not (?:installed|accessible)|VERR_VM_DRIVER_NOT/i,
    retry: "never",
    hint: `VirtualBox's kernel module is not loaded; ${seeDoctor}`,
  },
  {
    id: "vm-missing",
    pattern: /Could not find a registered machine/,
    retry: "never",
    hint: "it was removed meanwhile: run `pulumi up`",
  },
  {
    id: "disk-full",
    pattern: /VERR_DISK_FULL|No space left on device|Code VBOX_E_FILE_ERROR .*extended info not available/,
    retry: "never",
    hint: "free space on the disk that holds groundplane's data folder, then run the command again",
  },
  {
    id: "no-permission",
    pattern: /VERR_ACCESS_DENIED|VERR_PERMISSION_DENIED/,
    retry: "never",
    hint: "make the file readable and writable for you, or run the command as the user who made the stack",
  },
  {
    id: "address-not-allowed",
    pattern: /VBoxNetAdpCtl|E_ACCESSDENIED[\s\S]*HostOnly|is not within the allowed ranges/i,
    retry: "never",
    hint: "allow the range in /etc/vbox/networks.conf with a line like `* 192.168.56.0/21`",
  },
  {
    id: "vm-inaccessible",
    pattern: /The object functionality is limited/,
    retry: "never",
    hint: "its settings file is gone or damaged: remove the machine in VirtualBox's manager, then run `pulumi up`",
  },
  {
    id: "medium-missing",
    pattern: /VERR_FILE_NOT_FOUND|VERR_PATH_NOT_FOUND/,
    retry: "never",
    hint: "put the file back, or run `pulumi up`: it recreates what it can",
  },
  {
    id: "parent-missing",
    pattern: /Parent medium with UUID \{?[^}]*\}? of the medium/,
    retry: "never",
    hint: "the image that this disk is based on is gone: `pulumi up` recreates it from the sealed image",
  },
  {
    id: "medium-in-use",
    pattern: /still attached to \d+ virtual machines|because it has \d+ child media|more than one child hard disk/,
    retry: "never",
    hint: "detach it from the other machines in VirtualBox's manager first",
  },
  {
    id: "medium-type-fixed",
    pattern: /Cannot change the type of medium/,
    retry: "never",
    hint: "detach the disk from all machines in VirtualBox's manager first",
  },
  {
    id: "state-saved",
    pattern: /not mutable \(state is (?:Aborted-)?Saved/i,
    retry: "never",
    hint: "start the machine or discard its saved state in VirtualBox's manager",
  },
  { id: "shrinking", pattern: /Shrinking is not yet supported/, retry: "never", hint: "set the size back" },
  {
    id: "no-such-host-adapter",
    pattern: /Nonexistent host networking interface/,
    retry: "never",
    hint: "the host's network adapter is gone: run `pulumi up`, or name another one in the configuration",
  },
  {
    id: "already-there",
    pattern: /already exists|VERR_ALREADY_EXISTS/,
    retry: "never",
    hint: "an object of that name or file is not groundplane's: rename the stack, or remove it if it is not needed",
  },
];

/** A failed call. */
export class VirtualBoxError extends UserError {
  constructor(
    id: string,
    readonly argv: readonly string[],
    readonly reply: Reply,
    /** VirtualBox's error code, e.g. `VBOX_E_OBJECT_NOT_FOUND`. */
    readonly code: string | undefined,
    /** The runtime's status code, e.g. `VERR_DISK_FULL`. */
    readonly verr: string | undefined,
    readonly retry: Retry,
    hint: string,
  ) {
    const said = outputTail(reply.stderr.replace(progress, "").trim() || reply.stdout);
    super(id, `VBoxManage ${argv[0]} ${endOf(reply)}${said ? `:\n${said}` : ""}`, hint);
    this.name = "VirtualBoxError";
  }
}

const progress = /0%\.\.\.[\d%.]*/g;

function endOf({ timedOut, signal, exitCode }: Reply): string {
  if (timedOut) return "took too long and was ended";
  return signal ? `was killed by ${signal}` : `failed with exit code ${exitCode}`;
}

/** Crashes of VBoxManage, observed while VBoxSVC was exiting. Through a shell, the exit code is 128 + signal. */
const crashes: readonly (NodeJS.Signals | number | null)[] = ["SIGSEGV", "SIGTRAP", 139, 133];

/** `undefined` if the call succeeded. Exit code 0 does not suffice: VBoxManage returns it for some rejected options. */
export function failureOf(argv: readonly string[], reply: Reply): VirtualBoxError | undefined {
  const { exitCode, signal, stderr, stdout } = reply;
  if (exitCode === 0 && !reply.timedOut && !/^VBoxManage(?:\.exe)?: error:/m.test(stderr)) return undefined;
  const text = stderr || stdout;
  const code = /Details: code (\w+)/.exec(text)?.[1];
  const verr = /\bVERR_\w+/.exec(text)?.[0];
  if (reply.timedOut) {
    return new VirtualBoxError("virtualbox-timeout", argv, reply, code, verr, "never", tryAgain);
  }
  if (crashes.includes(signal ?? exitCode)) {
    return new VirtualBoxError("virtualbox-crashed", argv, reply, code, verr, "always", tryAgain);
  }
  const known = knownIssues.find(({ pattern }) => pattern.test(text));
  const hint = `read its output, or repeat it manually: ${commandLine(["VBoxManage", ...argv])}`;
  return new VirtualBoxError(
    known?.id ?? "virtualbox-failed",
    argv,
    reply,
    code,
    verr,
    known?.retry ?? "never",
    known?.hint ?? hint,
  );
}
