import { expect, it } from 'vitest';
import { canonicalCommand } from '../../../../src/core/engine/command-text.ts';
import { bytes } from '../../../support/policy.ts';

it.each([
  [['git', 'diff'], 'git diff'],
  [['echo', ''], "echo ''"],
  [['echo', 'a b'], "echo 'a b'"],
  [['echo', "it's"], "echo 'it'\\''s'"],
  [['echo', '"', '\\', '\n', '\x7f'], "echo '\"' '\\' '\n' '\x7f'"],
  [['é', '$x', '*'], 'é $x *'],
])('words %j read %s', (words, text) => {
  expect(new TextDecoder().decode(canonicalCommand(words.map(bytes)))).toBe(text);
});
