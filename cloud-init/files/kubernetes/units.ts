import { guestCommand, guestPaths } from "../../../model/guest-paths";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import type { ContainerRuntime } from "../../container-runtime";
import { ownUnit, type TextFile, unitFile } from "../../role-content";

/** Bootstraps or joins according to the node's order, now and after every restart until the node is a member. */
export const clusterUnit = ({ unit }: ContainerRuntime): TextFile =>
  ownUnit(
    "groundplane-cluster.service",
    `[Unit]
Description=Take this node into the cluster
ConditionPathExists=${guestPaths.clusterOrder}
After=network.target ${unit}

[Service]
ExecStart=${guestCommand("cluster-work")}
TimeoutStopSec=5s

[Install]
WantedBy=multi-user.target
`,
  );

const renewalName = "groundplane-renew-certificates";

export const renewalTimer = `${renewalName}.timer`;

/** Each master has its own minutes of the hour, so that one after the other restarts parts of its control plane. */
export const renewalUnits = (index: number, ifPresent: string = guestPaths.adminKubeconfig): readonly TextFile[] => [
  ownUnit(
    `${renewalName}.service`,
    `[Unit]
Description=Renew the certificates of the control plane before they end
ConditionPathExists=${ifPresent}

[Service]
Type=oneshot
ExecStart=${guestCommand("renew-certificates")}
TimeoutStartSec=8min
`,
  ),
  ownUnit(
    renewalTimer,
    `[Unit]
Description=Look every hour whether certificates of the control plane end soon

[Timer]
OnCalendar=*:${String(((index - 1) * MINUTES_APART) % 60).padStart(2, "0")}
OnBootSec=${index * 2}min

[Install]
WantedBy=timers.target
`,
    `systemctl start --no-block ${renewalTimer}`,
  ),
];

/** More than a renewal takes. */
const MINUTES_APART = 8;

export const approverName = "groundplane-approve-serving-certificates.service";

/** Ends with every watch that the API server closes; systemd restarts it. Only its preparation runs as root. */
export const approverUnit = ownUnit(
  approverName,
  `[Unit]
Description=Approve the serving certificates of planned kubelets
ConditionPathExists=${guestPaths.adminKubeconfig}
After=kubelet.service
StartLimitIntervalSec=0

[Service]
ExecStartPre=+${guestCommand("approver-identity")}
ExecStart=${guestCommand("approve-serving-certificates")}
DynamicUser=yes
CapabilityBoundingSet=
RuntimeDirectory=groundplane-approver
RuntimeDirectoryMode=0700
Restart=always
RestartSec=3s
TimeoutStopSec=5s

[Install]
WantedBy=multi-user.target
`,
  `systemctl try-restart ${approverName}`,
);

/** Beyond the pods' limit: hooks that hang, the pods of the data centre itself, and a busy host. */
const SPARE_SECONDS = 20;

/**
 * The image's unit stops all pods between kubelet and containerd. Their network, their volume and the volume's client must
 * outlast them. kubelet's own graceful shutdown is not used, see DECISIONS.md.
 */
export const podsUnit = ({ kubernetes }: DataCenterPlan, mounts: readonly string[]): TextFile => ({
  ...unitFile(
    "groundplane-pods.service",
    "20-grace",
    `[Unit]
After=${["network.target", ...mounts].join(" ")}

[Service]
ExecStop=
ExecStop=${guestCommand("end-pods")}
TimeoutStopSec=${kubernetes.podGraceSeconds + SPARE_SECONDS}s
`,
  ),
  changes: { reload: "systemctl daemon-reload" },
});

export const fencesName = "groundplane-release-fences.service";

/** Runs while a fence waits for the return of its node, also after a restart of this master. */
export const fencesUnit = ownUnit(
  fencesName,
  `[Unit]
Description=Make fenced nodes usable again after their return
ConditionPathExists=${guestPaths.fences}
After=kubelet.service

[Service]
ExecStart=${guestCommand("release-fences")}
Restart=on-failure
RestartSec=5s
TimeoutStopSec=5s

[Install]
WantedBy=multi-user.target
`,
);
