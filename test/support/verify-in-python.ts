import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProblemKind } from '../../src/core/audit/verify.ts';

export type PythonCase = { directory: string; pin: string; anchor?: readonly string[] };
export type PythonVerdict = {
  ok: boolean;
  entries: number;
  signatures: number;
  problems: { kind: ProblemKind; seq: number }[];
  losses: number[];
};

export const VERIFIER = fileURLToPath(new URL('../../docs/verify_log.py', import.meta.url));

/** What the verifier of the documents says of each log, by one process for all. */
export async function verifyInPython(cases: readonly PythonCase[]): Promise<PythonVerdict[]> {
  return (await python(DRIVER, cases)) as PythonVerdict[];
}

/** The same of a log that is cut at each byte behind `from`, as [kind, entry] of the first problem. */
export async function cutInPython(one: PythonCase & { file: string; from: number }): Promise<[string, number][]> {
  return (await python(CUTTER, one)) as [string, number][];
}

async function python(program: string, input: unknown): Promise<unknown> {
  const running = promisify(execFile)('python3', ['-B', '-c', program, VERIFIER], { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin!.end(JSON.stringify(input));
  return JSON.parse((await running).stdout);
}

const IMPORT = `
import json, os, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import verify_log as v
given = json.load(sys.stdin)
def check(case):
    notes = [("anchor", note) for note in v.read_notes("".join(case.get("anchor", [])).encode())]
    return v.verdict(v.verify_log(case["directory"], case["pin"], notes))
`;
const DRIVER = `${IMPORT}
json.dump([check(case) for case in given], sys.stdout)
`;
const CUTTER = `${IMPORT}
found, path = [], os.path.join(given["directory"], given["file"])
for size in range(os.path.getsize(path) - 1, given["from"] - 1, -1):
    os.truncate(path, size)
    problems = check(given)["problems"]
    found.append([problems[0]["kind"], problems[0]["seq"]] if problems else None)
json.dump(found, sys.stdout)
`;
