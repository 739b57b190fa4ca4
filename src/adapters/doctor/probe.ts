/** What the probe tries, and what each attempt must give inside. Outside each must give `ok`. */
export const EXPECTED = {
  readAllowed: { title: 'an allowed file can be read', wanted: 'ok' },
  readDenied: { title: 'a denied file cannot be read', wanted: 'EACCES' },
  writeAllowed: { title: 'an allowed file can be written', wanted: 'ok' },
  writeDenied: { title: 'a file that no rule allows cannot be made', wanted: 'EACCES' },
  spawnAllowed: { title: 'an allowed program starts', wanted: 'ok' },
  spawnDenied: { title: 'a denied program does not start', wanted: 'EACCES' },
  connectDenied: { title: 'a denied destination is not reached', wanted: 'EACCES' },
} as const;

export type ProbeName = keyof typeof EXPECTED;

export const PROBE_POLICY = `version: 1
name: doctor
policies:
  - action: file_read
    defaultEffect: allow
    rules:
      - { path: "./denied.txt", effect: deny, reason: "the doctor looks whether this holds" }
  - action: file_write
    rules:
      - { path: "./written.txt", effect: allow }
  - action: shell_exec
    defaultEffect: allow
    rules:
      - { command: "uname*", effect: deny, reason: "the doctor looks whether this holds" }
`;

/** Runs in Node without anything of ours; prints one JSON object. */
export const PROBE_SCRIPT = `'use strict';
const fs = require('node:fs');
const { spawnSync } = require('node:child_process');
const net = require('node:net');
const attempt = (work) => { try { return work() ?? 'ok'; } catch (error) { return error.code ?? error.message; } };
const spawned = (program, args) => { const { error, status } = spawnSync(program, args); return error ? error.code : status === 0 ? 'ok' : 'status ' + status; };
const results = {
  readAllowed: attempt(() => void fs.readFileSync('allowed.txt')),
  readDenied: attempt(() => void fs.readFileSync('denied.txt')),
  writeAllowed: attempt(() => void fs.writeFileSync('written.txt', 'x')),
  writeDenied: attempt(() => { fs.writeFileSync('elsewhere.txt', 'x'); fs.unlinkSync('elsewhere.txt'); }),
  spawnAllowed: attempt(() => spawned('true', [])),
  spawnDenied: attempt(() => spawned('uname', ['-s'])),
};
const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
const finish = (outcome) => { socket.destroy(); process.stdout.write(JSON.stringify({ ...results, connectDenied: outcome })); };
socket.once('connect', () => finish('ok'));
socket.once('error', (error) => finish(error.code ?? error.message));
`;
