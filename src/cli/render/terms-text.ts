import type { ConnectionDifference } from '../../core/analysis/connection-differences.ts';
import { requestText } from '../../core/analysis/subject-text.ts';
import type { ConnectionAccount } from '../../core/engine/answer.ts';
import type { ConnectionTerms } from '../../core/policy/connection-terms.ts';
import { visible } from '../../core/text/visible.ts';

/** What a rule says of connections: `inspect, sni any, injects authorization (EXAMPLE_TOKEN)`; empty if nothing. */
export function termsText({ inspect, sni, injections }: ConnectionTerms): string {
  const words = [
    inspect === undefined ? '' : inspect ? 'inspect' : 'inspect: false',
    sni ? `sni ${sni}` : '',
    injections.length > 0 ? `injects ${injectedText(injections)}` : '',
  ];
  return words.filter(Boolean).join(', ');
}

/** How a connection is looked at, a line each. */
export function connectionLines({ inspect, sni, someRequests, injected }: ConnectionAccount): string[] {
  const lines = [`sni      ${sni}: ${SNI_MEANS[sni]}`];
  if (inspect) lines.unshift('inspect  TLS is opened, and each request is decided by itself');
  if (someRequests) lines.push('ask for  one request, as GET https://HOST/PATH: not all are allowed');
  if (injected.length > 0) lines.push(`injects  ${injectedText(injected)}`);
  return lines;
}

/** What becomes different about a connection, and one that shows it. */
export function connectionText({ what, before, after, witness }: ConnectionDifference): string {
  return `${'network'.padEnd(11)} ${what} ${visible(before)} → ${visible(after)}  ${visible(requestText(witness))}`;
}

export function connectionJson({ what, before, after, loosens, witness }: ConnectionDifference): unknown {
  return { what, before, after, loosens, witness: requestText(witness) };
}

/** Variables by name; their values are known to nobody here. */
function injectedText(injections: readonly { header: string; secret: string }[]): string {
  return injections.map(({ header, secret }) => `${visible(header)} (secret of ${visible(secret)})`).join(', ');
}

const SNI_MEANS: Readonly<Record<ConnectionAccount['sni'], string>> = {
  required: 'nothing but TLS that names this host',
  match: 'anything, and if TLS, to no other host',
  any: 'nobody looks',
};
