import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { announcingSegment } from "../../stacks/plan/plan-add-ons";
import { confValue } from "../quoting";
import { ownUnit, type TextFile } from "../role-content";

export const routeUnitName = "groundplane-service-addresses.service";

/**
 * The gateway looks for service addresses in the segment whose nodes answer for them. The route counts as the kernel's, because networkd
 * removes others when it sets the interface up again. A gateway that no longer has service addresses may keep the route: its firewall
 * then refuses what would take it.
 */
export function serviceAddressRoute(plan: DataCenterPlan): readonly TextFile[] {
  const segment = announcingSegment(plan);
  if (segment === undefined) return [];
  const route = `${confValue(plan.serviceAddresses)} dev ${confValue(segment)} scope link proto kernel`;
  return [
    ownUnit(
      routeUnitName,
      `[Unit]
Description=Route to service addresses
After=systemd-networkd.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip route replace ${route}
Restart=on-failure
RestartSec=1s

[Install]
WantedBy=multi-user.target
`,
      `systemctl restart ${routeUnitName}`,
    ),
  ];
}
