import { HOP_BY_HOP } from '../egress/hop-by-hop.ts';
import { OVERRIDING_HEADER } from '../egress/override.ts';

/** How strictly the name in a ClientHello is held against the host that was asked for; numbered as in the image, the stricter the higher. */
export const SNI = { any: 1, match: 2, required: 3 } as const;
export type SniTerm = keyof typeof SNI;

/** Whether requests are looked into, numbered alike. */
export const INSPECT = { no: 1, yes: 2 } as const;
/** Of either: the rule does not say. */
export const UNSAID = 0;

/** A header that the daemon puts into requests, with a secret that the run does not get. */
export type Injection = {
  /** In lower case. */
  header: string;
  /** Where `{secret}` stands, the secret is put in. */
  value: string;
  /** The variable of the user's environment that holds it. */
  secret: string;
};

/** What a network rule says of the connections that it allows, besides that it allows them. */
export type ConnectionTerms = {
  inspect: boolean | undefined;
  sni: SniTerm | undefined;
  injections: readonly Injection[];
};

export const NO_TERMS: ConnectionTerms = { inspect: undefined, sni: undefined, injections: [] };

export const saysNothing = ({ inspect, sni, injections }: ConnectionTerms): boolean =>
  inspect === undefined && sni === undefined && injections.length === 0;

/** What is wrong with a name for an injected header; null if nothing is. `remedy` may be empty. */
export function headerProblem(name: string): { text: string; remedy: string } | null {
  if (!new RegExp(HEADER_TOKEN).test(name))
    return { text: 'is not the name of a header', remedy: 'write for example authorization' };
  if (name !== name.toLowerCase()) return { text: 'has capital letters', remedy: `write ${name.toLowerCase()}` };
  if (new RegExp(`^${NOT_INJECTED}$`).test(name)) {
    const text = 'belongs to the connection or says what the request is about, so it cannot be injected';
    return { text, remedy: 'inject what the server reads as a credential, as authorization' };
  }
  return null;
}

/** Whether a value is printable, without blanks around it, and has one place for the secret. */
export function isInjectedValue(value: string): boolean {
  return new RegExp(INJECTED_VALUE).test(value);
}

export const isVariableName = (name: string): boolean => new RegExp(VARIABLE_NAME).test(name);

/** RFC 9110, 5.6.2. */
const HEADER_TOKEN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$";
const PLAIN = '(?:(?!\\{secret\\})[ -~])*';
const INJECTED_VALUE = `^(?! )(?=.{1,1024}$)${PLAIN}\\{secret\\}${PLAIN}$(?<! )`;
/** POSIX.1-2017, 3.235. */
const VARIABLE_NAME = '^[A-Za-z_][A-Za-z0-9_]{0,255}$';

/** What belongs to one connection, framing, the host, and what asks servers for another method or path than that of the request line. */
const NOT_INJECTED = `(?:${[...HOP_BY_HOP, 'content-length', 'host', 'proxy-authentication-info', OVERRIDING_HEADER].join('|')})`;

/** As in schemas, where names are in lower case from the start. */
export const INJECTION_PATTERNS = {
  header: `^(?!${NOT_INJECTED}$)[!#$%&'*+.^_\`|~0-9a-z-]{1,256}$`,
  value: INJECTED_VALUE,
  secret: '^env:[A-Za-z_][A-Za-z0-9_]{0,255}$',
};
export const MOST_INJECTIONS_OF_A_RULE = 16;
