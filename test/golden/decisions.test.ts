import { readdirSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import type { EgressTerms } from '../../src/core/egress/terms.ts';
import { egressTermsFor, mayInspect } from '../../src/core/engine/egress-terms.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import type { TimedGrant } from '../../src/core/policy/grant-layer.ts';
import type { ResolveExtends } from '../../src/core/policy/source.ts';
import { answerLine, DecideTool, requestLine } from '../support/decide-tool.ts';
import { compileTexts, decideWritten, type SourceText, type WrittenRequest } from '../support/policy.ts';

type Vector = WrittenRequest & {
  effect: string;
  source?: string;
  rule?: string;
  pierced?: string;
  log?: boolean;
  hide?: boolean;
  terms?: EgressTerms;
  mayInspect?: boolean;
};
type Vectors = {
  title: string;
  files: SourceText[];
  parents?: Record<string, string>;
  /** Since every machine has run for a second, what ends then has ended. */
  grants?: TimedGrant[];
  requests: Vector[];
};

const addressOf = ({ address = '' }: WrittenRequest) => Uint8Array.from(Buffer.from(address, 'hex'));
const directory = new URL('.', import.meta.url).pathname;
const vectorFiles = readdirSync(directory).filter((name) => name.endsWith('.json'));
const tool = new DecideTool();
afterAll(() => tool.close());

describe.each(vectorFiles)('golden vectors of %s', (file) => {
  const vectors = JSON.parse(readFileSync(`${directory}/${file}`, 'utf8')) as Vectors;
  const parent: ResolveExtends = (reference, from) => {
    const text = vectors.parents?.[reference];
    return text === undefined ? null : { name: `parent:${reference}.yaml`, layer: from.layer, text };
  };
  const { image: bytes } = compileTexts(vectors.files, undefined, parent, vectors.grants);
  const image = PolicyImage.open(bytes, '', uptime);

  it.each(vectors.requests)('$action $path $command $name $address $port $method $requestPath', (request) => {
    const decision = decideWritten(image, request);
    const label = (rule: number | null) => (rule === null ? undefined : image.rules[rule]?.label);
    expect({
      effect: decision.effect,
      source: decision.source,
      rule: label(decision.rule),
      pierced: label(decision.pierced),
    }).toEqual({
      effect: request.effect,
      source: request.source ?? 'rule',
      rule: request.rule,
      pierced: request.pierced,
    });
    if (request.log !== undefined) expect(decision.log).toBe(request.log);
    if (request.hide !== undefined) expect(decision.hide).toBe(request.hide);
    const { name, port = 0 } = request;
    const address = request.address === undefined ? {} : { address: addressOf(request) };
    const endpoint = { port, ...(name === undefined ? {} : { name }), ...address };
    if (request.terms) expect(egressTermsFor(image, endpoint)).toEqual(request.terms);
    if (request.mayInspect !== undefined) expect(mayInspect(image, endpoint)).toBe(request.mayInspect);
  });

  it('gives the same answers in the supervisor', () => {
    const asked = vectors.requests.filter((request) => requestLine(request) !== null);
    const answers = tool.ask(
      bytes,
      asked.map((request) => requestLine(request)!),
    );
    expect(answers).toEqual(asked.map((request) => answerLine(decideWritten(image, request))));
    expect(asked.length).toBeGreaterThan(10);
  });

  const inspected = vectors.requests.filter(({ mayInspect: may, name }) => may && name === undefined);
  if (inspected.length === 0) return;
  it('leaves to the daemon in the supervisor what may be inspected', () => {
    const lines = inspected.map(({ address, port }) => `inspect ${address} ${port}`);
    expect(tool.ask(bytes, lines)).toEqual(lines.map(() => 'inspects'));
  });
});
