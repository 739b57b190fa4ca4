import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProblemKind } from '../../src/core/audit/verify.ts';
import { plainEnvironment } from './bare.ts';

export type PythonCase = { directory: string; pin: string; anchor?: readonly string[] };
export type PythonVerdict = {
  ok: boolean;
  entries: number;
  signatures: number;
  problems: { kind: ProblemKind; seq: number }[];
  losses: number[];
  /** Entries that the checkpoint does not tell of. */
  behind: number;
};

export const VERIFIER = fileURLToPath(new URL('../../docs/verify_log.py', import.meta.url));

/** What the verifier of the documents says of each log, by one process for all. */
export async function verifyInPython(cases: readonly PythonCase[]): Promise<PythonVerdict[]> {
  return (await python(`${IMPORT}${CHECK_ALL}`, cases)) as PythonVerdict[];
}

/** A file of a log with some of its bytes changed: cut to a size, or with another byte at an offset. */
export type Damage = { size: number } | { at: number; byte: number };

/** Kind and entry of the first problem that it finds in each of many damaged logs; null where it finds none. Does not wait for unfinished lines. */
export async function damageInPython(
  log: PythonCase & { file: string },
  damages: readonly Damage[],
): Promise<([ProblemKind, number] | null)[]> {
  return (await python(DAMAGER, { ...log, damages })) as ([ProblemKind, number] | null)[];
}

/** With the command `openssl` in place of the library. */
export async function verifyWithCommand(cases: readonly PythonCase[]): Promise<PythonVerdict[]> {
  return (await python(
    `${IMPORT}\nv.LibCrypto._load = staticmethod(lambda name: None)\n${CHECK_ALL}`,
    cases,
  )) as PythonVerdict[];
}

/** What it reads in lines of a log: the members of a record, or why it is none. */
export async function readInPython(lines: readonly Buffer[]): Promise<(ProblemKind | Record<string, unknown>)[]> {
  const encoded = lines.map((line) => line.toString('base64'));
  return (await python(READER, encoded)) as (ProblemKind | Record<string, unknown>)[];
}

/** What it says of proofs: what is proven, or null. */
export async function proofsInPython(pin: readonly string[], proofs: readonly string[]): Promise<(string | null)[]> {
  return (await python(PROVER, { pin, proofs })) as (string | null)[];
}

async function python(program: string, input: unknown): Promise<unknown> {
  const running = promisify(execFile)('python3', ['-B', '-c', program, VERIFIER], {
    env: plainEnvironment(),
    maxBuffer: 64 * 1024 * 1024,
  });
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
    return v.verdict(v.verify_log(case["directory"], [case["pin"]], notes))
`;
const CHECK_ALL = `
json.dump([check(case) for case in given], sys.stdout)
`;
const DAMAGER = `${IMPORT}
found, path = [], os.path.join(given["directory"], given["file"])
with open(path, "rb") as file:
    whole = file.read()
for damage in given["damages"]:
    bytes = bytearray(whole[: damage.get("size")])
    if "at" in damage:
        bytes[damage["at"]] = damage["byte"]
    with open(path, "wb") as file:
        file.write(bytes)
    problems = v.verify_once(given["directory"], [given["pin"]], ()).problems
    found.append([problems[0]["kind"], problems[0]["seq"]] if problems else None)
json.dump(found, sys.stdout)
`;
const READER = `${IMPORT}
def read(line):
    try:
        members, _ = v.parse_line(line.decode())
        return members if v.is_record(members) else "unparsable"
    except (UnicodeDecodeError, v.NotJson):
        return "unparsable"
    except v.OtherForm:
        return "other-form"
json.dump([read(v.base64.b64decode(line)) for line in given], sys.stdout)
`;
const PROVER = `${IMPORT}
def check(proof):
    try:
        return v.check_proof(proof.encode("utf-8", "surrogatepass"), given["pin"])
    except v.BadProof:
        return None
json.dump([check(proof) for proof in given["proofs"]], sys.stdout)
`;
