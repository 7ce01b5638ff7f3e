/** How masters and etcd machines run the components of the control plane. */
export const controlPlaneForms = ["static-pods", "services"] as const;

export type ControlPlaneForm = (typeof controlPlaneForms)[number];

export const defaultControlPlane: ControlPlaneForm = "static-pods";
