/**
 * What is asked of a tunnel beyond its destination. `sni`: what its first bytes have to be (`required`: TLS that names the host that was asked for;
 * `match`: anything, and if TLS, naming no other host; `any`: nobody looks). `inspect`: its requests are decided one by one.
 */
export type EgressTerms = { sni: 'required' | 'match' | 'any'; inspect: boolean };

/** The terms where no rule sets others: on the port of HTTPS nothing but TLS to the host that was asked for. */
export function usualTerms(port: number): EgressTerms {
  return { sni: port === 443 ? 'required' : 'match', inspect: false };
}
