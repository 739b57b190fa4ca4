import { describe, expect, it } from 'vitest';
import { nameServices } from '../../../../src/core/egress/name-services.ts';

describe('what the C library asks for hosts', () => {
  it.each([
    [undefined],
    [''],
    ['passwd: files systemd\n'],
    ['hosts: files dns\n'],
    ['hosts:\tfiles myhostname dns # as it came\n'],
    ['hosts: files resolve\nhosts: dns files\n'],
    ['# hosts: resolve\nhosts: files dns'],
  ])('is what the file says where it says nothing else: %j', (real) => {
    expect(nameServices(real)).toBeUndefined();
  });

  it.each([
    ['hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns', 'hosts: files myhostname dns'],
    ['hosts: files mdns4_minimal [NOTFOUND=return] dns', 'hosts: files dns'],
    ['  hosts : files resolve # dns', 'hosts: files dns'],
    ['hosts: files', 'hosts: files dns'],
    ['hosts:', 'hosts: files dns'],
    ['hosts: dns [SUCCESS=continue] files', 'hosts: files dns'],
    ['hosts: files dns\nhosts: files resolve', 'hosts: files dns\nhosts: files dns'],
  ])('is its own parts in place of %j', (real, made) => {
    expect(nameServices(`passwd: files systemd\n${real}\nnetworks: files\n`)).toBe(
      `passwd: files systemd\n${made}\nnetworks: files\n`,
    );
  });
});
