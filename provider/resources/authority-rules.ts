import type { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** What each certificate of a given authority must be, so that every program of a cluster accepts what the authority issues. Pure. */

/** Part of a sentence after the file's name. */
export interface Defect {
  readonly rule: string;
  readonly fix: string;
}

/** Certificates of nodes are valid for a year, and the authority must not end before one that is issued while the stack is created. */
export const shortestDays = 400;
const DAY_MS = 86_400_000;

export interface Link {
  readonly certificate: X509Certificate;
  readonly parsed: x509.X509Certificate;
  /** 0 is the authority; the number of authorities below it. */
  readonly depth: number;
  /** The certificate that it issued. */
  readonly below?: X509Certificate;
  readonly isRoot: boolean;
  /** e.g. `the issuer CN=Example Root`. */
  readonly name: string;
  readonly nowMs: number;
}

export const nameOf = ({ subject }: X509Certificate): string => (subject ?? "").split("\n").reverse().join(", ");
const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo);
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
export const endDayOf = (certificate: X509Certificate): string => day(endOf(certificate));

type Rule = (link: Link) => Defect | undefined;

const when = (isBroken: boolean, rule: string, fix: string): Defect | undefined =>
  isBroken ? { rule, fix } : undefined;

const usages = (parsed: x509.X509Certificate) => parsed.getExtension(x509.KeyUsagesExtension)?.usages;
const basics = (parsed: x509.X509Certificate) => parsed.getExtension(x509.BasicConstraintsExtension);
const pathLength = (parsed: x509.X509Certificate) => basics(parsed)?.pathLength;
const NAME_CONSTRAINTS = "2.5.29.30";
const ANY_PURPOSE = "2.5.29.37.0";

function purposesMissing(parsed: x509.X509Certificate): boolean {
  const allowed: readonly string[] | undefined = parsed
    .getExtension(x509.ExtendedKeyUsageExtension)
    ?.usages.map(String);
  if (!allowed || allowed.includes(ANY_PURPOSE)) return false;
  return ![x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth].every((one) => allowed.includes(one));
}

const another = "use another authority";
const rules: readonly Rule[] = [
  ({ parsed, name }) =>
    when(
      !basics(parsed)?.ca,
      `${name} is not that of a certificate authority`,
      "have it issued with `basicConstraints = critical, CA:TRUE`",
    ),
  ({ parsed, name }) =>
    when(
      ((usages(parsed) ?? x509.KeyUsageFlags.keyCertSign) & x509.KeyUsageFlags.keyCertSign) === 0,
      `${name} may not sign certificates`,
      "have it issued with `keyCertSign` in `keyUsage`",
    ),
  ({ parsed, depth, name }) =>
    when(
      depth > (pathLength(parsed) ?? Number.POSITIVE_INFINITY),
      `${name} allows ${pathLength(parsed)} authorities below it (pathlen), and has ${depth}`,
      "have the authority issued by one that allows it",
    ),
  // Programs of the cluster check the purposes of every certificate of a chain, also of the root.
  ({ parsed, name }) =>
    when(
      purposesMissing(parsed),
      `${name} may not issue certificates both of servers and of clients (extendedKeyUsage)`,
      "have it issued without `extendedKeyUsage`, or with `serverAuth, clientAuth`",
    ),
  ({ parsed, name }) =>
    when(
      parsed.getExtension(NAME_CONSTRAINTS) !== null,
      `${name} allows certain names only (nameConstraints), but the cluster has names and addresses of its own`,
      another,
    ),
  ({ certificate, name }) => when(!certificate.subject, `${name} has no name`, "have it issued with a subject"),
  ({ certificate, name, nowMs }) =>
    when(
      Date.parse(certificate.validFrom) > nowMs,
      `${name} is valid only from ${day(Date.parse(certificate.validFrom))}`,
      "wait, or correct this host's clock",
    ),
  ({ certificate, name, nowMs }) =>
    when(endOf(certificate) <= nowMs, `${name} ended on ${endDayOf(certificate)}`, another),
  ({ certificate, name, nowMs, depth }) =>
    when(
      depth === 0 && endOf(certificate) > nowMs && endOf(certificate) < nowMs + shortestDays * DAY_MS,
      `${name} ends on ${endDayOf(certificate)}, and the cluster with it`,
      `use one that is valid for at least ${shortestDays} days`,
    ),
  ({ certificate, name, below }) =>
    when(
      below !== undefined && endOf(certificate) < endOf(below),
      `${name} ends on ${endDayOf(certificate)}, before what it issued`,
      another,
    ),
  ({ certificate, name }) => weakKey(certificate, name),
  ({ parsed, name, isRoot }) =>
    when(
      !isRoot && !isSignedWell(parsed),
      `${name} is signed with a method that programs of the cluster refuse`,
      "have it issued with SHA-256 or stronger",
    ),
];

const curves = ["prime256v1", "secp384r1", "secp521r1"];
const shortestRsa = 2_048;

function weakKey(certificate: X509Certificate, name: string): Defect | undefined {
  const fix = `use an EC key of P-256, P-384 or P-521, or an RSA key of at least ${shortestRsa} bits`;
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = "" } = {} } =
    keyOf(certificate);
  if (type === "rsa") return when(modulusLength < shortestRsa, `${name} has an RSA key of ${modulusLength} bits`, fix);
  if (type === "ec") return when(!curves.includes(namedCurve), `${name} has a key of the curve ${namedCurve}`, fix);
  return { rule: `${name} has a key of the type ${type ?? "unknown"}, which Kubernetes does not support`, fix };
}

type KeyFacts = Pick<X509Certificate["publicKey"], "asymmetricKeyType" | "asymmetricKeyDetails">;

/** Without facts where the type is unknown to this host's OpenSSL. */
function keyOf(certificate: X509Certificate): KeyFacts {
  try {
    return certificate.publicKey;
  } catch {
    return {};
  }
}

/** Ed25519 has no hash of its own, and no issuer may have such a key. */
function isSignedWell({ signatureAlgorithm }: x509.X509Certificate): boolean {
  const { hash } = signatureAlgorithm as { readonly hash?: { readonly name: string } };
  return ["SHA-256", "SHA-384", "SHA-512"].includes(hash?.name ?? "");
}

export const defectsOf = (link: Link): readonly Defect[] => rules.flatMap((rule) => rule(link) ?? []);
