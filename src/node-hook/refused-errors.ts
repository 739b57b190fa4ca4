import type { Refusal } from './explain.ts';
import { rememberFailedRequests, requestOf } from './failed-requests.ts';

/**
 * Gives errors a property `gatekeeper`. It is an accessor of Error.prototype that looks at what Node wrote into the error (code, syscall,
 * path, address, port) when somebody asks: no function of Node is wrapped, so that none looks, is called or fails differently, and programs that keep
 * functions of their own, or import them by name, get the same. It is not enumerable and not the error's own: what prints or compares errors
 * does so as before.
 */
export function explainErrors(image: string): void {
  if (Object.hasOwn(Error.prototype, 'gatekeeper')) return;
  imagePath = image;
  Object.defineProperty(Error.prototype, 'gatekeeper', {
    configurable: true,
    enumerable: false,
    get(this: unknown) {
      return refusalOf(this);
    },
    // Whoever gives an error of his own a property of this name gets it.
    set(this: object, value: unknown) {
      Reflect.defineProperty(this, 'gatekeeper', { value, configurable: true, enumerable: true, writable: true });
    },
  });
  rememberFailedRequests();
}

/** Why the policy refused what this error is about; undefined for every other error. Never throws. */
export function refusalOf(error: unknown, depth = 0): Refusal | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined;
  const known = answers.get(error);
  if (known) return known;
  try {
    const answer = answerFor(error, depth);
    if (answer) answers.set(error, answer);
    return answer;
  } catch {
    // Getters of the error, an image that is gone: there is nothing to tell then.
    return undefined;
  }
}

/** What fetch and connections by name throw wraps the error that says it. */
function answerFor(error: Facts, depth: number): Refusal | undefined {
  const request = requestOf(error);
  if (request || CODES.has(error.code as string)) {
    const { explain } = require('./explain.cjs') as typeof import('./explain.ts');
    const found = explain(imagePath, error, request);
    if (found) return found;
  }
  for (const inner of Array.isArray(error.errors) ? [...error.errors, error.cause] : [error.cause]) {
    const found = refusalOf(inner, depth + 1);
    if (found) return found;
  }
  return undefined;
}

type Facts = { code?: unknown; cause?: unknown; errors?: unknown };

let imagePath = '';
const answers = new WeakMap<object, Refusal>();
const DEEPEST = 4;
/** What refusals look like: a call, a connection to a port of this machine where nobody listens, one that the relay ended, a name, a tunnel. */
const CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ERR_PROXY_TUNNEL',
]);
