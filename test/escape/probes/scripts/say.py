"""Ends a probe in Python: prints what was got, or the name of the errno that stopped it."""
import errno
import sys


def attack(way):
    try:
        got = way()
    except OSError as error:
        sys.stderr.write(errno.errorcode.get(error.errno, str(error)) + "\n")
        sys.exit(1)
    print(got)
