#!/usr/bin/env python3
"""Checks an audit log of gatekeeper without gatekeeper.

    python3 verify_log.py DIRECTORY --fingerprint SHA256:... [--checkpoint FILE]... [--anchor FILE]... [--json]
    python3 verify_log.py DIRECTORY --public-key FILE ...
    python3 verify_log.py --proof FILE --fingerprint SHA256:...

Written from docs/audit-log.md alone ("the specification"), in which every check here has its reason. Needs Python 3.8 and OpenSSL: libcrypto
when it can be loaded, else the command `openssl` (1.1.1 or later). Reads line by line: memory does not grow with the log.

Exit status: 0 when all is well, 1 when anything does not fit (the first line of the output names the first bad entry), 2 when it could not be looked at.
"""

import argparse
import base64
import ctypes
import errno
import functools
import glob
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from json.encoder import encode_basestring

KINDS = {
    "unparsable": "the line is not a record",
    "other-form": "the bytes are not in canonical form",
    "wrong-hash": "the entry was changed: its hash does not fit",
    "broken-link": "the entry does not follow the one before it: an entry was removed, inserted or changed",
    "sequence-gap": "entries are missing before this one",
    "sequence-repeat": "the number was used before",
    "signature-missing": "the signature that such an entry must carry is missing",
    "signature-bad": "the signature is not that of the key",
    "key-change-bad": "the change of the key is not signed by both keys",
    "key-unknown": "the log was not written with the key that is trusted",
    "segment-start-bad": "the file does not begin as a file must that follows the one before it",
    "segment-missing": "a file of the log is missing",
    "torn-tail": "the last line is incomplete",
    "tail-cut": "entries at the end are missing: the signed checkpoint tells of more",
    "checkpoint-differs": "the entries are not those that the signed checkpoint tells of",
    "checkpoint-missing": "the signed checkpoint is missing or not signed by the key",
    "rolled-back": "entries at the end are missing: a checkpoint kept elsewhere tells of more",
    "forked": "the entries are not those that a checkpoint kept elsewhere tells of",
    "log-replaced": "a checkpoint kept elsewhere is that of another log of this key",
    "anchor-bad": "a checkpoint of this log that is kept elsewhere was signed by no key of the log",
    "file-odd": "what should be a file of the log is none",
    "loss-recorded": "the log itself says that its end was cut, replaced or differed",
}
MOST_PROBLEMS = 100
GIVEN = "the checkpoint that was given"  # as one of this log: it is not passed over when it is of another one


# ---------------------------------------------------------------- Ed25519, by OpenSSL


class LibCrypto:
    """OpenSSL's library in this process: a signature takes a tenth of a millisecond."""

    ED25519 = 1087  # NID_ED25519 of <openssl/obj_mac.h>

    def __init__(self):
        lib = next(filter(None, map(self._load, ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"))), None)
        if lib is None:
            raise OSError("libcrypto cannot be loaded")
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
            ("EVP_PKEY_new_raw_public_key", pointer, (ctypes.c_int, pointer, ctypes.c_char_p, size)),
            ("EVP_MD_CTX_new", pointer, ()),
            ("EVP_MD_CTX_free", None, (pointer,)),
            ("EVP_DigestVerifyInit", ctypes.c_int, (pointer, pointer, pointer, pointer, pointer)),
            ("EVP_DigestVerify", ctypes.c_int, (pointer, ctypes.c_char_p, size, ctypes.c_char_p, size)),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
        self._lib = lib
        self._keys = {}

    @staticmethod
    def _load(name):
        try:
            return ctypes.CDLL(name)
        except OSError:
            return None

    def verify(self, key, statement, signature):
        """key: 32 bytes. signature: 64 bytes."""
        lib = self._lib
        if key not in self._keys:
            self._keys[key] = lib.EVP_PKEY_new_raw_public_key(self.ED25519, None, key, len(key))
        context = lib.EVP_MD_CTX_new()
        try:
            if not self._keys[key] or lib.EVP_DigestVerifyInit(context, None, None, None, self._keys[key]) != 1:
                return False
            return lib.EVP_DigestVerify(context, signature, len(signature), statement, len(statement)) == 1
        finally:
            lib.EVP_MD_CTX_free(context)


class OpensslCommand:
    """The command `openssl`: a process for each signature."""

    DER = bytes.fromhex("302a300506032b6570032100")  # what comes before the 32 bytes in a SubjectPublicKeyInfo (RFC 8410)

    def __init__(self):
        subprocess.run(["openssl", "version"], check=True, stdout=subprocess.DEVNULL)

    def verify(self, key, statement, signature):
        with tempfile.TemporaryDirectory() as directory:
            names = [os.path.join(directory, name) for name in ("key", "statement", "signature")]
            for name, content in zip(names, (self.DER + key, statement, signature)):
                with open(name, "wb") as file:
                    file.write(content)
            command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
            command += ["-inkey", names[0], "-in", names[1], "-sigfile", names[2]]
            return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def open_ed25519(found=[]):
    """The one that this machine has, looked for once."""
    if not found:
        try:
            found.append(LibCrypto())
        except (OSError, AttributeError):
            found.append(OpensslCommand())
    return found[0]


def decode_base64(text, length=None):
    """The bytes, or None for anything but the one canonical spelling (of that many bytes)."""
    try:
        decoded = base64.b64decode(text, validate=True) if type(text) is str else None
    except ValueError:
        decoded = None
    if decoded is None:
        return None
    good = base64.b64encode(decoded).decode() == text and length in (None, len(decoded))
    return decoded if good else None


def fingerprint(key):
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def is_trusted(key, pinned):
    """pinned: public keys (32 bytes) and fingerprints."""
    return key in pinned or fingerprint(key) in pinned


# ---------------------------------------------------------------- canonical form


class NotJson(Exception):
    pass


class OtherForm(Exception):
    pass


class Pairs(list):
    """The members of an object in the order and number in which they stand."""


NAME = re.compile("[a-z][A-Za-z0-9]*")
LARGEST = 2**53 - 1
SPELLINGS = {True: "true", False: "false"}


def parse_line(line):
    """The members of a record as {name: value}, and the text that its hash covers. Raises NotJson or OtherForm."""
    try:
        pairs = DECODER.decode(line)
    except RecursionError:
        raise (OtherForm if line.lstrip(" \t\r").startswith("{") else NotJson)
    except ValueError:
        raise NotJson
    if type(pairs) is not Pairs:
        raise NotJson
    members, spelled, before = {}, {}, ""
    for name, value in pairs:
        if name <= before or not NAME.fullmatch(name):  # in order, and so none twice
            raise OtherForm
        if type(value) is str:
            spelled[name] = '"%s":%s' % (name, encode_basestring(value))
        elif type(value) is int and abs(value) <= LARGEST:
            spelled[name] = '"%s":%d' % (name, value)
        elif type(value) is bool:
            spelled[name] = '"%s":%s' % (name, SPELLINGS[value])
        else:
            raise OtherForm
        members[name], before = value, name
    # Written again it must be the same bytes: no white space, no other spelling of a number, of an escape, of a lone surrogate.
    if "{" + ",".join(spelled.values()) + "}" != line:
        raise OtherForm
    return members, "{" + ",".join(text for name, text in spelled.items() if name not in ("hash", "sig")) + "}"


def _integer(text):
    return int(text) if len(text) < 20 else None


def _no_constant(text):
    raise ValueError(text)


DECODER = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=_integer, parse_float=lambda text: None, parse_constant=_no_constant
)


def is_record(members):
    """Whether it has what every record has. What the digits of a hash are is judged by what they must be equal to."""
    return (
        type(members.get("v")) is int
        and members["v"] == 1
        and type(members.get("seq")) is int
        and all(type(members.get(name)) is str for name in ("action", "time", "hash", "prev"))
        and len(members["hash"]) == len(members["prev"]) == 64
        and type(members.get("sig", "")) is str
    )


def needs_signature(members):
    return members.get("verdict") != "allow" and members["action"] not in ("connection_closed", "result")


# ---------------------------------------------------------------- the tree (RFC 6962, 2.1)


def leaf_hash(line):
    return hashlib.sha256(b"\0" + line).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A growing tree as the hashes of its whole subtrees, the largest first: one for each bit that is set in its size."""

    def __init__(self, size=0, hashes=()):
        self.size = size
        self.hashes = list(hashes)

    def add(self, leaf):
        size = self.size
        while size & 1:  # it completes the subtree to its left, and that one perhaps the next
            leaf = node_hash(self.hashes.pop(), leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self):
        if not self.hashes:
            return hashlib.sha256(b"").digest()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def text(self):
        """As the first entry of a file has it."""
        return base64.b64encode(b"".join(self.hashes)).decode()

    @staticmethod
    def restore(size, text):
        """From such a text; None when it is not that of a tree of that size."""
        joined = decode_base64(text)
        if size < 0 or joined is None or len(joined) != 32 * bin(size).count("1"):
            return None
        return Tree(size, [joined[at : at + 32] for at in range(0, len(joined), 32)])


# ---------------------------------------------------------------- checkpoints: signed notes (C2SP signed-note, tlog-checkpoint)


class Note:
    """origin, size, root (32 bytes), text (what is signed) and signatures [(name, key id, signature)]."""

    SIGNATURE = re.compile("— ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
    SIZE = re.compile("0|[1-9][0-9]{0,15}")
    CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
    LONGEST = 64 * 1024

    @classmethod
    def parse(cls, content):
        """None for bytes that are no checkpoint."""
        try:
            content = content.decode()
        except UnicodeDecodeError:
            return None
        end = content.rfind("\n\n")
        if end < 0 or not content.endswith("\n") or len(content) > cls.LONGEST or cls.CONTROL.search(content):
            return None
        note = cls()
        note.text = content[: end + 1]
        note.signatures = []
        for line in content[end + 2 : -1].split("\n"):
            match = cls.SIGNATURE.fullmatch(line)
            signature = decode_base64(match.group(2)) if match else None
            if signature is None or len(signature) < 5:
                return None
            note.signatures.append((match.group(1), signature[:4], signature[4:]))
        lines = note.text[:-1].split("\n")
        if len(lines) < 3 or "" in lines or not cls.SIZE.fullmatch(lines[1]):
            return None
        note.origin, note.size, note.root = lines[0], int(lines[1]), decode_base64(lines[2], 32)
        return note if note.size <= LARGEST and note.root is not None else None

    def is_signed_by(self, key, ed25519):
        """Signatures of others are passed over; one that claims to be of this key and is not spoils the note."""
        name = self.origin.encode()
        key_id = hashlib.sha256(name + b"\n\x01" + key).digest()[:4]
        own = [signature for name, by, signature in self.signatures if name == self.origin and by == key_id]
        statement = self.text.encode()
        return bool(own) and all(len(one) == 64 and ed25519.verify(key, statement, one) for one in own)


NOTE_LINE = re.compile(rb"(?:\S{20,40} )?(\S+\\n.*)")


def read_notes(content):
    """All notes of a file: one behind the other, or each in a line of its own, perhaps behind a time. Whatever else there is is passed over."""
    notes, begin, signed = [], 0, False
    lines = content.split(b"\n")
    for at, line in enumerate(lines + [b""]):
        is_signature = line.startswith("— ".encode())
        if signed and not is_signature:
            notes.append(Note.parse(b"\n".join(lines[begin:at]) + b"\n"))
            begin = at
        signed = is_signature
        in_one_line = NOTE_LINE.fullmatch(line)
        if in_one_line:
            escapes = {b"\\n": b"\n", b"\\\\": b"\\"}
            notes.append(Note.parse(re.sub(rb"\\[\\n]", lambda match: escapes[match.group()], in_one_line.group(1))))
            begin = at + 1
    return [note for note in notes if note is not None]


# ---------------------------------------------------------------- the log


class LogVerifier:
    """Takes the files of a log, line by line, and tells what does not fit. After a problem it goes on from what the line says."""

    LONGEST_LINE = 1024 * 1024
    LOG = re.compile("[0-9a-f]{32}")

    def __init__(self, pinned, watched=()):
        """pinned: see is_trusted. watched: sizes of which the roots are wanted."""
        self.pinned, self.ed25519, self.watched = pinned, open_ed25519(), set(watched)
        self.problems, self.losses, self.roots = [], [], {}
        self.entries = self.signatures = 0
        self.seq, self.hash = 0, "0" * 64  # of the entry before; the hash is None when it is not known
        self.tree = Tree()  # over all entries so far; None when it is not known
        self.log = None
        self.keys = []  # [(public key, first entry that it signs)]; the last one is in force
        self.file = self.first_file = self.begin = 0
        self.pruned = None
        self.sealed = 0  # entries that the checkpoint tells of

    def problem(self, kind, seq=None, detail=None):
        found = {"kind": kind, "seq": self.seq if seq is None else seq, "file": self.file, "line": self.file_lines}
        self.problems.append(dict(found, detail=detail) if detail else found)

    def begin_file(self, number):
        """Before the lines of each file that is there, in ascending order."""
        self.first_file = self.first_file or number
        if self.file and number != self.file + 1:
            self.problems.insert(0, {"kind": "segment-missing", "seq": 0, "detail": "before %d" % number})
        self.file, self.file_lines = number, 0

    def line(self, line):
        """The bytes of a line without its newline."""
        self.entries += 1
        self.file_lines += 1
        members, kind = None, "unparsable"
        try:
            if len(line) <= self.LONGEST_LINE:
                members, hashed = parse_line(line.decode())
        except OtherForm:
            kind = "other-form"
        except (UnicodeDecodeError, NotJson):
            pass
        if members is not None and not is_record(members):
            members = None
        if self.entries == 1:
            self.adopt(members or {})
        if members is None:
            # It has no place in the chain: the next one is checked for its number and its own hash.
            self.seq, self.hash = self.seq + 1, None
            self.problem(kind)
            self.grow(line)
        else:
            self.entry(line, members, hashed)

    def adopt(self, members):
        """The first entry that is there says where the log begins. What it says counts only if a key that is trusted stands by it."""
        if self.file > 1 and members.get("action") == "segment":
            self.tree = Tree.restore(members["seq"] - 1, members.get("tree"))
            self.seq, self.hash = members["seq"] - 1, members["prev"]
        self.begin = self.seq
        self.note_root()
        if members.get("action") in ("log_start", "segment"):
            self.log = members.get("log")
            key = decode_base64(members.get("key"), 32)
            if key is not None:
                self.keys = [(key, self.begin + 1)]

    @property
    def key(self):
        """In force. Where the log does not say whose it is, the one that is trusted, when it is known; else None."""
        return self.keys[-1][0] if self.keys else next(iter(self.pinned_keys()), None)

    def pinned_keys(self):
        return [key for key in self.pinned if type(key) is bytes]

    def entry(self, line, members, hashed):
        kinds = []
        if members["seq"] != self.seq + 1:
            kinds.append("sequence-gap" if members["seq"] > self.seq + 1 else "sequence-repeat")
        lost = bool(kinds)
        if self.hash is not None and members["prev"] != self.hash:
            kinds.append("broken-link")
        self.seq, self.hash = members["seq"], members["hash"]
        if hashlib.sha256(hashed.encode()).hexdigest() != self.hash:
            kinds.append("wrong-hash")
        if "sig" in members:
            self.signatures += 1
            if not self.is_signed(members):
                kinds.append("signature-bad")
        elif needs_signature(members):
            kinds.append("signature-missing")
        for kind in kinds:
            self.problem(kind)
        self.say(members, sound=not kinds)
        self.grow(line, lost)

    def is_signed(self, members):
        signature = decode_base64(members["sig"], 64)
        statement = "gatekeeper audit record 1\n%s\n" % members["hash"]
        return None not in (signature, self.key) and self.ed25519.verify(self.key, statement.encode(), signature)

    def say(self, members, sound):
        """What the entry says of the log itself."""
        action = members["action"]
        if action in ("log_start", "segment"):
            self.check_start(members)
        elif self.file_lines == 1 and sound:
            self.problem("segment-start-bad", detail="the file begins with another entry")
        if action == "key_change" and sound:
            self.change_key(members)
        elif action == "pruned" and type(members.get("segment")) is type(members.get("last")) is int:
            self.pruned = members["segment"], members["last"]
        elif action == "recovered" and not self.is_harmless(members):
            self.problem("loss-recorded", detail=members.get("kind"))
        elif action in ("gap", "damage", "recovered"):
            self.losses.append(self.seq)

    def check_start(self, members):
        """What a file begins with is what is known already."""
        first = self.file == 1
        good = self.file_lines == 1 and members["action"] == ("log_start" if first else "segment")
        good = good and type(self.log) is str and self.LOG.fullmatch(self.log) and members.get("log") == self.log
        good = good and self.keys and decode_base64(members.get("key"), 32) == self.key
        if good and not first:
            good = members.get("segment") == self.file and (self.tree is None or members.get("tree") == self.tree.text())
        if not good:
            self.problem("segment-start-bad")

    def change_key(self, members):
        """Signed by the key before, as every entry, and by the new one over a statement that names both, the log and all entries before."""
        log, before, new = (members.get(name) for name in ("log", "keyBefore", "key"))
        key, signature = decode_base64(new, 32), decode_base64(members.get("keySig"), 64)
        good = self.keys and log == self.log and decode_base64(before, 32) == self.key and key not in (None, self.key)
        statement = "gatekeeper key change 1\n%s\n%s\n%s\n%s\n" % (log, before, new, members["prev"])
        if good and signature and self.ed25519.verify(key, statement.encode(), signature):
            self.keys.append((key, self.seq + 1))
        else:
            self.problem("key-change-bad")

    @staticmethod
    def is_harmless(members):
        """A crash leaves these: an unfinished line, or a log that had no checkpoint yet."""
        kind = members.get("kind")
        return kind == "torn-tail" or (kind == "checkpoint-missing" and members["seq"] <= 8)

    def grow(self, line, lost=False):
        if lost or len(line) > self.LONGEST_LINE:
            self.tree = None
        elif self.tree is not None:
            self.tree.add(leaf_hash(line))
            self.note_root()

    def note_root(self):
        if self.tree is not None and self.tree.size in self.watched:
            self.roots[self.tree.size] = self.tree.root()

    def torn(self):
        """There are bytes behind the last newline of the file."""
        self.file_lines += 1
        self.problem("torn-tail", self.seq + 1)

    def finish(self, checkpoint, kept):
        """When all files have been read. checkpoint: content of the log's own one, or None. kept: [(where, Note)]."""
        if self.first_file > 1 and not self.is_pruned():
            self.problems.insert(0, {"kind": "segment-missing", "seq": 1, "detail": "the first is %d" % self.first_file})
        if self.entries > 0 and not any(is_trusted(key, self.pinned) for key, _ in self.keys):
            self.whole("key-unknown", self.keys[0][1] if self.keys else 1)
        if self.entries > 0 or checkpoint is not None:
            self.compare_own(Note.parse(checkpoint) if checkpoint is not None else None)
        for holder, note in kept:
            self.compare_kept(holder, note)
        del self.problems[MOST_PROBLEMS:]

    def whole(self, kind, seq, detail=None):
        found = {"kind": kind, "seq": seq}
        self.problems.append(dict(found, detail=detail) if detail else found)

    def is_pruned(self):
        segment, last = self.pruned or (0, 0)
        return segment > self.first_file - 1 or (segment == self.first_file - 1 and last == self.begin)

    def is_own(self, note):
        return type(self.log) is str and note.origin == "gatekeeper/" + self.log

    def compare_own(self, note):
        self.sealed = note.size if note is not None else 0
        if note is None:
            self.whole("checkpoint-missing", self.seq)
        elif self.log is not None and not self.is_own(note):
            self.whole("checkpoint-differs", self.seq, "it is that of %s" % note.origin)
        elif self.log is not None and not self.is_signed_in_time(note):
            self.whole("checkpoint-missing", self.seq, "no key that signed then has signed it")
        elif note.size > self.seq:
            self.whole("tail-cut", self.seq + 1, "the log ends at %d, the checkpoint tells of %d" % (self.seq, note.size))
        elif self.roots.get(note.size, note.root) != note.root:
            self.whole("checkpoint-differs", note.size)

    def compare_kept(self, holder, note):
        tells = "%s tells of %d entries of %s" % (holder, note.size, note.origin)
        if not self.is_own(note):
            known = [key for key, _ in self.keys] + self.pinned_keys()
            if known and holder is not GIVEN and not any(note.is_signed_by(key, self.ed25519) for key in known):
                return  # of somebody else's log
            kind, seq = ("rolled-back", 1) if self.log is None else ("log-replaced", 0)
            self.whole(kind, seq, tells)
        elif not self.is_signed_in_time(note):
            self.whole("anchor-bad", min(note.size, self.seq), holder)
        elif note.size > self.seq:
            self.whole("rolled-back", self.seq + 1, tells)
        elif self.roots.get(note.size, note.root) != note.root:
            self.whole("forked", note.size, holder)

    def is_signed_in_time(self, note):
        """A key that was changed before all those entries were written signs for them no more."""
        ends = [begin - 2 for _, begin in self.keys[1:]] + [LARGEST]
        return any(note.size <= end and note.is_signed_by(key, self.ed25519) for (key, _), end in zip(self.keys, ends))


SEGMENT = re.compile("(?:(?!0{6})[0-9]{6}|[1-9][0-9]{6,14})\\.jsonl")


def verify_log(directory, pinned, kept=()):
    """The whole log of a directory. It may be written meanwhile: an unfinished line is looked at again before it counts as torn."""
    for attempt in range(4):
        verifier = verify_once(directory, pinned, kept)
        if not any(problem["kind"] == "torn-tail" for problem in verifier.problems):
            break
        time.sleep(0.05)
    return verifier


def verify_once(directory, pinned, kept):
    # The checkpoint first, and the files after it, so that the log is never behind it.
    try:
        with open_file(os.path.join(directory, "checkpoint")) as file:
            checkpoint = file.read(Note.LONGEST + 1)
    except FileNotFoundError:
        checkpoint = None
    except NotAFile:
        checkpoint = b""
    notes = [note for _, note in kept] + [Note.parse(checkpoint) if checkpoint is not None else None]
    verifier = LogVerifier(pinned, [note.size for note in notes if note is not None])
    for name in sorted(filter(SEGMENT.fullmatch, os.listdir(directory)), key=lambda name: int(name[:-6])):
        verifier.begin_file(int(name[:-6]))
        try:
            with open_file(os.path.join(directory, name)) as file:
                read_lines(file, verifier)
        except NotAFile:
            verifier.whole("file-odd", 0, name)
    verifier.finish(checkpoint, kept)
    return verifier


def read_lines(file, verifier):
    """No more of a line is kept than shows that it is too long."""
    while len(verifier.problems) < MOST_PROBLEMS:
        line = file.readline(verifier.LONGEST_LINE + 2)
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(verifier.LONGEST_LINE)
        if not line:
            break
        if not rest and len(line) <= verifier.LONGEST_LINE:
            verifier.torn()
        else:
            verifier.line(line[:-1] if line.endswith(b"\n") else line)


class NotAFile(Exception):
    pass


def open_file(path):
    """Follows no link, and never waits for the other end of a FIFO."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise NotAFile(path)
        raise
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAFile(path)
    return file


# ---------------------------------------------------------------- proofs


class BadProof(Exception):
    pass


def check_proof(content, pinned):
    """What the proof proves, for whoever trusts the keys. Raises BadProof."""
    try:
        head, found, rest = content.decode().partition("\n\n")
    except UnicodeDecodeError:
        found = ""
    header, *lines = head.split("\n") if found else [""]
    if header == "c2sp.org/tlog-proof@v1":
        return check_entry_proof(lines, rest, pinned)
    if header == "gatekeeper/consistency-proof@v1":
        return check_growth_proof(lines, rest, pinned)
    raise BadProof("it is no proof")


def check_entry_proof(lines, rest, pinned):
    """C2SP tlog-proof: the record, its place, and the hashes from its leaf's sibling up to the root's child (RFC 6962, 2.1.1)."""
    extra, index = field(lines, 0, "extra "), field(lines, 1, "index ")
    line, _, key = (decode_base64(extra) or b"").partition(b"\n")
    if not line or not Note.SIZE.fullmatch(index):
        raise BadProof("it is no proof of an entry")
    note = signed_note(rest, key.decode("ascii", "replace"), pinned)
    root = root_of_inclusion(int(index), note.size, leaf_hash(line), proof_hashes(lines[2:]))
    if int(index) >= note.size or root != note.root:
        raise BadProof("the entry is not among those that the checkpoint tells of")
    try:
        members, _ = parse_line(line.decode())
    except (UnicodeDecodeError, NotJson, OtherForm):
        raise BadProof("it is no entry")
    if not is_record(members) or members["seq"] != int(index) + 1:
        raise BadProof("the entry has another number than its place in the log")
    return "entry %d of the %d of %s: %s" % (members["seq"], note.size, ascii(note.origin), ascii(line.decode()))


def check_growth_proof(lines, rest, pinned):
    """Two checkpoints, and the hashes of the consistency proof from the one to the other (RFC 6962, 2.1.2)."""
    keys = field(lines, 1, "old-key "), field(lines, 0, "key ")
    texts = rest.split("\n---\n\n")
    if len(texts) != 2:
        raise BadProof("it has not two checkpoints")
    old, new = (signed_note(text, key, pinned) for text, key in zip(texts, keys))
    if old.origin != new.origin:
        raise BadProof("its checkpoints are of different logs")
    if not is_consistent(old, new, proof_hashes(lines[2:])):
        raise BadProof("the log does not begin with the entries of the earlier checkpoint")
    return "the %d entries of %s begin with the %d of the earlier checkpoint" % (new.size, ascii(new.origin), old.size)


def field(lines, at, name):
    if len(lines) <= at or not lines[at].startswith(name):
        raise BadProof("it has no line that begins with %s" % name)
    return lines[at][len(name) :]


def signed_note(text, encoded_key, pinned):
    note, key = Note.parse(text.encode()), decode_base64(encoded_key, 32)
    if note is None or key is None:
        raise BadProof("it has no checkpoint, or no key")
    if not is_trusted(key, pinned):
        raise BadProof("the key in it is not one that is trusted: %s" % fingerprint(key))
    if not note.is_signed_by(key, open_ed25519()):
        raise BadProof("the checkpoint in it is not signed by the key")
    return note


def proof_hashes(lines):
    hashes = [decode_base64(line, 32) for line in lines]
    if None in hashes:
        raise BadProof("a hash is none")
    return hashes


def root_of_inclusion(index, size, leaf, hashes):
    """RFC 9162, 2.1.3.2. None when there are too many hashes or too few."""
    last, root = size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = node_hash(sibling, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        index, last = index >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old, new, hashes):
    """RFC 9162, 2.1.4.2."""
    if old.size >= new.size or old.size == 0:
        return not hashes and old.size <= new.size and (old.size == 0 or old.root == new.root)
    if old.size & (old.size - 1) == 0:
        hashes = [old.root] + hashes
    index, last = old.size - 1, new.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    if not hashes:
        return False
    old_root = new_root = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new_root = node_hash(new_root, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and old_root == old.root and new_root == new.root


# ---------------------------------------------------------------- the command


def read_notes_of(path):
    with open(path, "rb") as file:
        return read_notes(file.read())


def read_public_key(path):
    """First line: base64 of the 32 bytes."""
    with open(path, "rb") as file:
        key = decode_base64(file.readline().decode("ascii", "replace").rstrip("\n"), 32)
    if key is None:
        raise ValueError("%s: not a public key" % path)
    return key


def verdict(verifier):
    """As --json prints it."""
    return {
        "ok": not verifier.problems,
        "entries": verifier.entries,
        "signatures": verifier.signatures,
        "problems": verifier.problems,
        "losses": verifier.losses,
        "behind": max(0, verifier.seq - verifier.sealed),
        "keys": [fingerprint(key) for key, _ in verifier.keys],
    }


def print_verdict(found):
    for problem in found["problems"]:
        place = " (line %d of file %d)" % (problem["line"], problem["file"]) if "line" in problem else ""
        detail = " (%s)" % ascii(problem["detail"])[1:-1] if "detail" in problem else ""
        print("entry %d%s: %s: %s%s" % (problem["seq"], place, problem["kind"], KINDS[problem["kind"]], detail))
    checked = "%d entries and %d signatures checked" % (found["entries"], found["signatures"])
    print("%s: %s" % ("verified" if found["ok"] else "NOT verified", checked))
    if found["behind"] > 0:
        print("entries behind the checkpoint: %d; only those with a signature of their own are proven yet" % found["behind"])
    if found["losses"]:
        print("the log itself tells of losses in entries: %s" % ", ".join(map(str, found["losses"][:20])))


def main():
    parser = argparse.ArgumentParser(description="Checks an audit log of gatekeeper without gatekeeper.")
    parser.add_argument("directory", nargs="?", help="of the log: 000001.jsonl, ..., checkpoint")
    add = functools.partial(parser.add_argument, action="append", default=[])
    add("--fingerprint", metavar="SHA256:...", help="of a key that is trusted")
    add("--public-key", metavar="FILE", help="a key that is trusted")
    add("--checkpoint", metavar="FILE", help="one of this log that was kept elsewhere")
    add("--anchor", metavar="FILE", help="checkpoints that somebody holds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--proof", metavar="FILE", help="check this proof, in place of a log")
    options = parser.parse_args()
    if (options.directory is None) == (options.proof is None):
        parser.error("a directory is needed, or --proof")
    if not options.fingerprint and not options.public_key:
        parser.error("--fingerprint or --public-key is needed: a key that lies beside the log says nothing")
    for text in options.fingerprint:
        if not re.fullmatch("SHA256:[A-Za-z0-9+/]{43}", text):
            parser.error("%s is not a fingerprint: SHA256: and 43 characters" % ascii(text))
    try:
        pinned = options.fingerprint + [read_public_key(path) for path in options.public_key]
        return prove(options, pinned) if options.proof else verify(options, pinned)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print("verify_log: %s" % error, file=sys.stderr)
        return 2


def verify(options, pinned):
    anchors = sorted(glob.glob(os.path.join(glob.escape(options.directory), "anchors", "*.notes")))  # of a bundle
    kept = [(path, note) for path in options.anchor + anchors for note in read_notes_of(path)]
    for path in options.checkpoint:
        notes = read_notes_of(path)
        if not notes:
            raise ValueError("%s: not a checkpoint" % path)
        kept += [(GIVEN, note) for note in notes]
    found = verdict(verify_log(options.directory, pinned, kept))
    if found["ok"] and not any(map(SEGMENT.fullmatch, os.listdir(options.directory))):
        raise ValueError("%s: there is no log in it" % options.directory)  # and nobody misses one: a wrong directory
    if options.json:
        print(json.dumps(found))
    else:
        print_verdict(found)
    return 0 if found["ok"] else 1


def prove(options, pinned):
    with open(options.proof, "rb") as file:
        content = file.read()
    try:
        proven = check_proof(content, pinned)
    except BadProof as error:
        print("NOT proven: %s" % error)
        return 1
    print("proven: %s" % proven)
    return 0


if __name__ == "__main__":
    sys.exit(main())
