import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  bits,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octets,
  sequence,
  set,
  utcTime,
  utf8,
} from './der.ts';

/** Whose key a certificate is signed with, and what it calls itself. */
export type Issuer = { name: string; privateKey: KeyObject; publicKey: KeyObject };
/** What the certificate is for: a host name, or the 4 or 16 bytes of an address. */
export type Subject = { name: string } | { address: Uint8Array };
export type Validity = { from: Date; until: Date };

/** The authority's own certificate (RFC 5280): it signs hosts and no further authority. */
export function authorityCertificate(issuer: Issuer, validity: Validity): Buffer {
  return certificate(issuer, validity, {
    name: distinguishedName(issuer.name),
    publicKey: issuer.publicKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, CRITICAL, sequence(boolean(true), integer(Buffer.from([0])))),
      extension(KEY_USAGE, CRITICAL, bits(Buffer.from([KEY_CERT_SIGN | CRL_SIGN]), 1)),
      extension(SUBJECT_KEY, USUAL, octets(keyIdentifier(issuer.publicKey))),
    ],
  });
}

/** The certificate by which one host is impersonated. The name stands in the alternative names alone, where it may be of any length. */
export function hostCertificate(issuer: Issuer, validity: Validity, subject: Subject, publicKey: KeyObject): Buffer {
  const alternative =
    'name' in subject ? implicit(DNS_NAME, Buffer.from(subject.name, 'ascii')) : implicit(IP_ADDRESS, subject.address);
  return certificate(issuer, validity, {
    name: distinguishedName('inspected by gatekeeper'),
    publicKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, CRITICAL, sequence()),
      extension(KEY_USAGE, CRITICAL, bits(Buffer.from([DIGITAL_SIGNATURE]), 7)),
      extension(EXTENDED_KEY_USAGE, USUAL, sequence(objectIdentifier(SERVER_AUTH))),
      extension(ALTERNATIVE_NAME, USUAL, sequence(alternative)),
      extension(SUBJECT_KEY, USUAL, octets(keyIdentifier(publicKey))),
      extension(AUTHORITY_KEY, USUAL, sequence(implicit(0, keyIdentifier(issuer.publicKey)))),
    ],
  });
}

export function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function certificate(
  issuer: Issuer,
  { from, until }: Validity,
  about: { name: Buffer; publicKey: KeyObject; extensions: readonly Buffer[] },
): Buffer {
  const body = sequence(
    explicit(0, integer(Buffer.from([VERSION_3]))),
    integer(serialNumber()),
    SIGNED_WITH,
    distinguishedName(issuer.name),
    sequence(utcTime(from), utcTime(until)),
    about.name,
    about.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...about.extensions)),
  );
  return sequence(body, SIGNED_WITH, bits(sign('sha256', body, issuer.privateKey)));
}

/** Positive, never zero, and as unpredictable as the rules for authorities ask (64 bits and more). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

const distinguishedName = (commonName: string): Buffer =>
  sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8(commonName))));

const extension = (identifier: string, critical: boolean, value: Buffer): Buffer =>
  sequence(objectIdentifier(identifier), ...(critical ? [boolean(true)] : []), octets(value));

/** RFC 7093, 2, method 1: 160 bits of the hash of the key. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  // The point of a P-256 key is the last 65 bytes.
  return createHash('sha256').update(spki.subarray(-65)).digest().subarray(0, 20);
}

const VERSION_3 = 2;
const CRITICAL = true;
const USUAL = false;
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const DNS_NAME = 2;
const IP_ADDRESS = 7;
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;
/** ecdsa-with-SHA256 (RFC 5758, 3.2). */
const SIGNED_WITH = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
