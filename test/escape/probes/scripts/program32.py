"""program32.py PATH: writes a program for the 32-bit i386, which prints SECRET by the 32-bit system calls."""
import os
import struct
import sys

BASE = 0x08048000
code = bytes.fromhex("b804000000bb01000000b9") + struct.pack("<I", BASE + 84 + 31) + bytes.fromhex("ba07000000cd80b80100000031dbcd80")
program = code + b"SECRET\n"
header = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, BASE + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
segment = struct.pack("<IIIIIIII", 1, 0, BASE, BASE, 84 + len(program), 84 + len(program), 5, 4096)
with open(sys.argv[1], "wb") as out:
    out.write(header + segment + program)
os.chmod(sys.argv[1], 0o755)
