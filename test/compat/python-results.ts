/** The outcome of each test in a file that `python3 -m test --junit-xml` wrote. */
export function pythonResults(xml: string): Map<string, PythonOutcome> {
  const results = new Map<string, PythonOutcome>();
  for (const [, attributes = '', body = ''] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1];
    if (name === undefined) throw new Error(`a test without a name: ${attributes}`);
    results.set(name, outcomeOf(body));
  }
  return results;
}

export type PythonOutcome = 'passed' | 'skipped' | 'failed';

function outcomeOf(body: string): PythonOutcome {
  if (/<(error|failure)\b/.test(body)) return 'failed';
  return /<skipped\b/.test(body) ? 'skipped' : 'passed';
}

/** Tests that ended differently, as "name: passed, inside failed". */
export function pythonDifferences(bare: Map<string, PythonOutcome>, inside: Map<string, PythonOutcome>): string[] {
  return [...new Set([...bare.keys(), ...inside.keys()])]
    .filter((name) => bare.get(name) !== inside.get(name))
    .map((name) => `${name}: ${bare.get(name) ?? 'missing'}, inside ${inside.get(name) ?? 'missing'}`)
    .sort();
}
