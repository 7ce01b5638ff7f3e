import * as z from "zod";
import { flowParties } from "../../model/flows";
import { firstNodePort, lastNodePort } from "../../model/ports";
import { isAligned, parseAddress, parseCidr } from "./ipv4";
import { wholeNumber } from "./pools-schema";

/** The part of the schema about addresses, connections and ports. */

export const addressSchema = z.string().refine((text) => parseAddress(text) !== undefined, {
  error: "must be an IPv4 address",
  params: { fix: "write four numbers from 0 to 255, e.g. 192.168.56.10" },
});

const cidrSchema = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, {
    error: "must be an IPv4 range",
    params: { fix: "write the first address and a prefix length, e.g. 192.168.56.0/21" },
    abort: true,
  })
  .refine((text) => isAlignedText(text), {
    error: "must start on its own boundary",
    params: { fix: "clear the bits behind the prefix length", suggestAligned: true },
  });

function isAlignedText(text: string): boolean {
  const range = parseCidr(text);
  return range !== undefined && isAligned(range);
}

const portRangeSchema = z.string().refine((text) => isPortRange(text), {
  error: "must be a range of ports",
  params: { fix: "write the first and the last port, e.g. 8000-8010" },
});

function isPortRange(text: string): boolean {
  const [first = 0, last = 0, ...rest] = text
    .split("-")
    .map((part) => (/^[1-9]\d{0,4}$/.test(part) ? Number(part) : 0));
  return rest.length === 0 && first > 0 && first < last && last <= 65_535;
}

export const networkSchema = z
  .strictObject({
    cidr: cidrSchema
      .default("192.168.56.0/21")
      .describe("Private range of the data centre, /22 or larger; it contains all segments."),
    podCidr: cidrSchema.default("10.244.0.0/16").describe("Addresses of pods, a /24 for each master and worker."),
    serviceCidr: cidrSchema.default("10.96.0.0/16").describe("Addresses of services, /12 to /24."),
    reachable: z
      .array(cidrSchema)
      .default([])
      .describe(
        "Ranges in the networks of this host that machines and pods may reach, e.g. a mirror in its LAN. All private and " +
          "link-local addresses, and this host's own, are closed otherwise.",
      ),
    flows: z
      .array(
        z.strictObject({
          from: z.enum(flowParties).describe("Who connects; `api` = balancers and floating IP."),
          to: z.enum(flowParties).describe("Who answers."),
          protocol: z.enum(["tcp", "udp"]).default("tcp").describe("Protocol."),
          ports: z
            .array(z.union([wholeNumber(1, 65_535), portRangeSchema]))
            .min(1)
            .describe("Ports and ranges, e.g. `8000-8010`."),
        }),
      )
      .default([])
      .describe("Further connections from one segment into another, beside those of the product."),
  })
  .prefault({});

const portSchema = wholeNumber(1_024, 65_535).optional();

export const hostPortsSchema = z
  .strictObject({
    api: portSchema.describe("Port of the API on 127.0.0.1."),
    ssh: portSchema.describe("Port of the gateway's SSH on 127.0.0.1."),
    registry: portSchema.describe(
      "Port on 127.0.0.1 of the stack's registry, with `addons.registry`. Without it, the host cannot push images.",
    ),
    nodePorts: z
      .array(
        z.strictObject({
          port: wholeNumber(1_024, 65_535).describe("Port on 127.0.0.1."),
          nodePort: wholeNumber(firstNodePort, lastNodePort).describe("NodePort of a Service, TCP."),
        }),
      )
      .default([])
      .describe(
        "NodePorts that are reachable from the host. The balancers distribute connections over all workers that accept them.",
      ),
    services: z
      .array(
        z.strictObject({
          port: wholeNumber(1_024, 65_535).describe("Port on 127.0.0.1."),
          address: addressSchema.describe("Address of a Service of type LoadBalancer."),
          servicePort: wholeNumber(1, 65_535).default(80).describe("Port of the Service, TCP."),
        }),
      )
      .max(1_000)
      .default([])
      .describe("Service addresses that are reachable from the host, with `addons.metallb`."),
  })
  .prefault({})
  .describe("Ports on the host; derived from the stack's name when absent.");
