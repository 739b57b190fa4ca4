/** Modules of CPython's own tests that touch what gatekeeper stands in front of, and take seconds. */
export const PYTHON_MODULES = [
  'test_os',
  'test_posix',
  'test_posixpath',
  'test_genericpath',
  'test_stat',
  'test_shutil',
  'test_tempfile',
  'test_pathlib',
  'test_glob',
  'test_filecmp',
  'test_file',
  'test_fileio',
  'test_tarfile',
  'test_mmap',
  'test_fcntl',
  'test_ioctl',
  'test_pty',
  'test_openpty',
  'test_popen',
  'test_select',
  'test_epoll',
  'test_pwd',
  'test_grp',
  'test_resource',
  'test_shelve',
  'test_mailbox',
  'test_eintr',
  'test_httpservers',
] as const;

/** The same tests end differently inside for these reasons, and for no other. */
export const PYTHON_DIFFERENCES: readonly { test: RegExp; reason: string }[] = [
  {
    test: /test_f?l?chown|initgroups|setgroups/,
    reason: 'A run of root has no capabilities: it gives no files away and joins no groups.',
  },
  {
    test: /test_tarfile\..*\.test_extract(all|_directory|_pathlike_name)/,
    reason: 'The archive belongs to another user. tarfile stops when root cannot give its directories away.',
  },
  {
    test: /TestExtractionFilters\.test_modes$/,
    reason: 'No run makes files with set-user-ID bits.',
  },
  {
    test: /copy2?_?xattr/,
    reason: 'The test first sets a trusted.* attribute, which needs a capability.',
  },
  {
    test: /test_read_only_directory|test_on_error|test_non_matching_mode|test_(un)?readable_dir|test_.*(access_denied|permission)/,
    reason: 'Skipped for root, whom permissions do not bind. A run of root is bound by them, and the test passes.',
  },
  {
    test: /Pep383Tests\.test_listdir$/,
    reason: 'The preset lists what it lets be read; the root directory is not among it.',
  },
];
