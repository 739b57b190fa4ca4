import { readdirSync, readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
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
};
type Vectors = {
  title: string;
  files: SourceText[];
  parents?: Record<string, string>;
  /** Since every machine has run for a second, what ends then has ended. */
  grants?: TimedGrant[];
  requests: Vector[];
};

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
});
