import type { Address } from '../../core/egress/address.ts';
import type { HostName } from '../../core/egress/host-name.ts';
import type { HttpRequest } from '../../core/engine/decide.ts';

/** A header that a rule puts in, its name in lower case. */
export type InjectedHeader = readonly [name: string, value: string];

/** What rules put into an allowed request: `{secret}` in the value stands for the secret of that name. */
export type Injection = { header: string; value: string; secret: string };
export type InjectionsFor<Image> = (
  image: Image,
  target: { name?: HostName; address?: Address; port: number; request: HttpRequest },
) => readonly Injection[];
/** The value that a run's user gave; undefined when the daemon does not have it. */
export type SecretOf = (run: string, name: string) => string | undefined;

/** The headers with their secrets; undefined when one of these is not known. */
export function withSecrets(
  injections: readonly Injection[],
  secret: (name: string) => string | undefined,
): readonly InjectedHeader[] | undefined {
  const headers: InjectedHeader[] = [];
  for (const { header, value, secret: name } of injections) {
    const known = secret(name);
    if (known === undefined) return undefined;
    headers.push([header, value.replace('{secret}', () => known)]);
  }
  return headers;
}

/** Servers that hand headers to programs as variables (RFC 3875, 4.1.18) make the same of whatever is no letter and no digit. */
export function isReplaced(name: string, injected: readonly InjectedHeader[]): boolean {
  return injected.some(([own]) => own === name || asVariable(own) === asVariable(name));
}

const asVariable = (name: string): string => name.replace(/[^a-z0-9]/g, '_');
