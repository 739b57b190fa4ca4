/**
 * What `node --require` loads in a run. It explains refusals and leads requests to the run's proxy where Node does not; it is trusted with
 * nothing and enforces nothing. Everything that costs time is in files that are loaded when they are first needed. It must never fail: what goes wrong
 * here leaves the program as it would be without it, and what it takes of Node it takes inside of a try, for the sake of old versions.
 */
import { silenceProxyWarning } from './proxy-warning.ts';
import { explainErrors } from './refused-errors.ts';
import { leadRequests } from './requests.ts';
import { speakWhenNobodyElseDoes } from './uncaught.ts';

const word = process.env['GATEKEEPER_HOOK'];
if (word !== undefined) {
  const separator = word.indexOf(':');
  const quiet = word.slice(0, separator).includes('q');
  const image = word.slice(separator + 1);
  const steps = [
    () => quiet || explainErrors(image),
    () => quiet || speakWhenNobodyElseDoes(process.env['LD_PRELOAD'] ?? ''),
    () => leadRequests(process.env),
    () => silenceProxyWarning(),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // Frozen prototypes, a policy of Node's own: then this part is left out.
    }
  }
}
