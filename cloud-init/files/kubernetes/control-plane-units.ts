import * as path from "node:path";
import { guestCommand, guestPaths } from "../../../model/guest-paths";
import type { KubernetesPlan, NodePlan } from "../../../stacks/plan/data-center-plan";
import { ownUnit, type TextFile } from "../../role-content";
import { type ComponentName, components, componentsOf } from "./control-plane-components";

/** The components of the control plane as systemd units, in place of static pods. */

export const programsName = "groundplane-programs.service";
export const followerName = "groundplane-manifests.service";
export const unitOf = (name: ComponentName): string => `${name}.service`;

export const programOf = (name: ComponentName): string => `${guestPaths.programs}/${name}/usr/local/bin/${name}`;

export const programsUnit = ownUnit(
  programsName,
  `[Unit]
Description=Programs of the control plane, from their container images
After=containerd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${guestCommand("provide-programs")}
TimeoutStartSec=2min
`,
);

/** The kubelet does the same for static pods. */
export const followerUnit = ownUnit(
  followerName,
  `[Unit]
Description=Start and restart the control plane as its manifests and files say
After=${programsName}
StartLimitIntervalSec=0

[Service]
ExecStart=${guestCommand("follow-manifests")}
Restart=always
RestartSec=1s
TimeoutStopSec=5s
NoNewPrivileges=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectSystem=strict
RuntimeDirectory=${path.basename(guestPaths.preparedComponents)}
RuntimeDirectoryPreserve=yes
`,
  `systemctl try-restart ${followerName}`,
);

/**
 * No capability, no device, and of the file system only its own folders to write to. Its files are copies of its own. The API
 * server changes the owner of a new audit log, to itself.
 */
const sandbox = `AmbientCapabilities=
CapabilityBoundingSet=
InaccessiblePaths=${guestPaths.kubernetes} -/var/lib/kubelet -/run/containerd
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
UMask=0077
`;

/** The name of a file as a credential: prepare-component writes it into the arguments. */
const credential = (file: string): string => {
  const name = file.slice(guestPaths.kubernetes.length + 1).replaceAll("/", "-");
  return `LoadCredential=${name}:${file}`;
};

/** The kubelet kills the containers of a control plane after as many seconds when a master stops. */
const STOP_SECONDS = 5;

export const componentUnit = (kubernetes: KubernetesPlan, node: NodePlan, name: ComponentName): TextFile => {
  const { title, files, folders, after } = components[name];
  const others = after.filter((other) => componentsOf(node).includes(other)).map(unitOf);
  return ownUnit(
    unitOf(name),
    `[Unit]
Description=${title}
ConditionPathExists=${guestPaths.staticPods}/${name}.yaml
Requires=${programsName}
After=${["network.target", programsName, ...others].join(" ")}
Before=groundplane-pods.service kubelet.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=+${guestCommand("prepare-component")} ${name}
ExecStart=${guestCommand("run-component")} ${name} ${programOf(name)}
User=${name}
Group=${name}
SyslogIdentifier=${name}
${[...folders, ...files(node, kubernetes).map(credential)].map((line) => `${line}\n`).join("")}LimitNOFILE=1048576
OOMScoreAdjust=-997
Restart=always
RestartSec=500ms
RestartSteps=6
RestartMaxDelaySec=10s
TimeoutStopSec=${STOP_SECONDS}s
${sandbox}
[Install]
WantedBy=multi-user.target
`,
    `systemctl try-restart ${unitOf(name)}`,
  );
};
