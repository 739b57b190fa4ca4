import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandHolder } from '../../../../src/adapters/anchors/command-holder.ts';
import { oneLine } from '../../../../src/adapters/anchors/lane.ts';
import { noteOf } from '../../../support/notes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const never = new AbortController().signal;
let kept: string;
beforeEach(() => {
  kept = join(temporaryDirectory(), 'kept');
});
const keeper = (put: string, get = `cat ${kept}`) =>
  commandHolder({ put: ['/bin/sh', '-c', put], get: ['/bin/sh', '-c', get] });

describe('a command that holds checkpoints', () => {
  it('gets each on its standard input, and gives back notes one behind the other', async () => {
    const holder = keeper(`cat >>${kept}`);
    for (const note of [noteOf('a', 1), noteOf('b', 5), noteOf('a', 2)]) await holder.put(note, never);
    expect(readFileSync(kept, 'utf8')).toBe(noteOf('a', 1) + noteOf('b', 5) + noteOf('a', 2));
    expect(await holder.read()).toEqual([noteOf('a', 1), noteOf('b', 5), noteOf('a', 2)].map((note) => ({ note })));
    expect(await holder.read('gatekeeper/a')).toEqual([noteOf('a', 1), noteOf('a', 2)].map((note) => ({ note })));
  });

  it('may print blank lines and more between them', async () => {
    const text = `\n\nwelcome\n\n${noteOf('a', 1)}\n\n${noteOf('a', 2)}more`;
    writeFileSync(kept, text);
    expect((await keeper('true').read()).at(-1)).toEqual({ note: noteOf('a', 2) });
  });

  it('knows nothing of the environment of the daemon', async () => {
    process.env['GATEKEEPER_SECRET_OF_TEST'] = 'seen';
    try {
      await keeper(`env >${kept}; pwd >>${kept}`).put(noteOf('a', 1), never);
    } finally {
      delete process.env['GATEKEEPER_SECRET_OF_TEST'];
    }
    const lines = readFileSync(kept, 'utf8').trim().split('\n');
    expect(lines.filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line)).sort()).toEqual([
      '/',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('fails with what it says last', async () => {
    await expect(
      keeper('echo first >&2; echo the disk is full >&2; exit 3').put(noteOf('a', 1), never),
    ).rejects.toThrow(/^the disk is full$/);
    await expect(keeper('exit 3').put(noteOf('a', 1), never)).rejects.toThrow('ended with 3');
    const missing = commandHolder({ put: ['/nonexistent/program'] });
    await expect(missing.put(noteOf('a', 1), never)).rejects.toThrow('ENOENT');
    await expect(keeper('true', 'echo no >&2; exit 1').read()).rejects.toThrow(/^no$/);
  });

  it('is called by its words, without credentials among them', async () => {
    const put = [
      '/usr/bin/curl',
      '-H',
      'Authorization: Bearer c2VjcmV0LXNlY3JldA',
      '--token',
      'tops3cret',
      'https://u:pw@keeper.example/',
    ];
    const { name } = commandHolder({ put });
    expect(name).toMatch(/^command \/usr\/bin\/curl .*keeper\.example/);
    expect(name).not.toMatch(/c2VjcmV0|tops3cret|pw@/);
    const failed = await keeper('echo "no access with --token tops3cret" >&2; exit 1')
      .put(noteOf('a', 1), never)
      .catch(oneLine);
    expect(failed).toBe('no access with --token [redacted]');
  });

  it('is ended with everything that it has started when its time is over', async () => {
    const stop = new AbortController();
    const holder = keeper(`mkfifo ${kept}; cat ${kept} & cat ${kept}; wait`);
    const put = holder.put(noteOf('a', 1), stop.signal);
    while (!existsSync(kept)) await new Promise(setImmediate);
    stop.abort();
    await expect(put).rejects.toThrow('ended with SIGKILL');
  });

  it('has nothing read of it beyond a bound', async () => {
    await expect(keeper('true', 'exec yes 0123456789').read()).rejects.toThrow('says more than is read');
  });
});
