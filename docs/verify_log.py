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
import hashlib
import json
import os
import re
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
    "loss-recorded": "the log itself says that its end was cut, replaced or differed",
}
MOST_PROBLEMS = 100


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


def open_ed25519():
    try:
        return LibCrypto()
    except (OSError, AttributeError):
        return OpensslCommand()


def decode_base64(text, length=None):
    """The bytes, or None for anything but the one canonical spelling (of that many bytes)."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    good = base64.b64encode(decoded).decode() == text and length in (None, len(decoded))
    return decoded if good else None


def fingerprint(key):
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


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
        joined = decode_base64(text) if type(text) is str else None
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


def read_notes(content):
    """All notes of a file that holds one after the other. What is between them is passed over."""
    notes, begin, signed = [], 0, False
    lines = content.split(b"\n")
    for at, line in enumerate(lines + [b""]):
        is_signature = line.startswith("— ".encode())
        if signed and not is_signature:
            notes.append(Note.parse(b"\n".join(lines[begin:at]) + b"\n"))
            begin = at
        signed = is_signature
    return [note for note in notes if note is not None]


# ---------------------------------------------------------------- the log


class LogVerifier:
    """Takes the files of a log, line by line, and tells what does not fit. After a problem it goes on from what the line says."""

    RECOVERED = ("tail-cut", "log-replaced", "checkpoint-differs", "checkpoint-missing", "checkpoint-invalid")

    def __init__(self, pinned, ed25519, checkpoint=None, notes=()):
        """pinned: a public key (32 bytes) or a fingerprint. checkpoint: content of the log's own one. notes: [(where it was kept, Note)]."""
        self.pinned, self.ed25519 = pinned, ed25519
        self.checkpoint_file, self.checkpoint = checkpoint, Note.parse(checkpoint) if checkpoint is not None else None
        self.notes = {}
        for holder, note in notes:
            self.notes.setdefault(note.size, []).append((holder, note))
        self.problems, self.losses = [], []
        self.lines = self.signatures = 0
        self.seq, self.hash = 0, "0" * 64  # of the entry before
        self.tree = Tree()
        self.log = None
        self.key = None  # that signs the next entry
        self.keys = []
        self.file = 0  # the one that is read, and what is said of it when all has been read
        self.first_file, self.first_seq, self.pruned = 0, 1, []
        self.checkpoint_seen = False

    def problem(self, kind, seq=None, detail=None):
        found = {"kind": kind, "line": self.lines, "seq": self.seq if seq is None else seq}
        self.problems.append(dict(found, detail=detail) if detail else found)

    def begin_file(self, number):
        """Before the lines of each file that is there, in ascending order."""
        if self.file == 0:
            self.first_file = number
        elif number != self.file + 1:
            self.problem("segment-missing", self.seq + 1, "before file %d" % number)
        self.at_hole = number != self.file + 1  # nothing is known of what comes before it
        self.file, self.file_lines = number, 0

    def line(self, line):
        """The bytes of a line without its newline."""
        self.lines += 1
        self.file_lines += 1
        try:
            members, hashed = parse_line(line.decode())
            if not is_record(members):
                raise NotJson
        except (UnicodeDecodeError, NotJson):
            self.lost("unparsable")
        except OtherForm:
            self.lost("other-form")
        else:
            if self.file_lines == 1 and (self.at_hole or self.lines == 1):
                self.begin_anew(members, hashed)
            self.entry(members, hashed)
        self.tree.add(leaf_hash(line))
        self.compare_checkpoints()

    def lost(self, kind):
        """A line that has no place in the chain: the next one is checked for its number and its own hash."""
        self.seq, self.hash = self.seq + 1, None
        self.problem(kind)

    def begin_anew(self, members, hashed):
        """The first entry of a file before which files are missing (or of the first one): it says itself what comes before it."""
        if self.at_hole and self.file > 1:
            tree = Tree.restore(members["seq"] - 1, members.get("tree"))
            if members["action"] == "segment" and tree is not None:
                self.tree, self.seq, self.hash = tree, members["seq"] - 1, members["prev"]
        if self.lines == 1:
            self.first_seq = members["seq"]
        if not self.keys:
            key = decode_base64(members.get("key", "")) if type(members.get("key", "")) is str else None
            own = key is not None and len(key) == 32 and self.is_signed(members, key)
            if own and hashlib.sha256(hashed.encode()).hexdigest() == members["hash"]:
                self.key, self.keys, self.log = key, [key], members.get("log")
            elif type(self.pinned) is bytes:
                self.key = self.pinned

    def entry(self, members, hashed):
        before, self.seq = self.seq, members["seq"]
        if self.seq > before + 1:
            self.problem("sequence-gap")
        elif self.seq < before + 1:
            self.problem("sequence-repeat")
        if self.hash is not None and members["prev"] != self.hash:
            self.problem("broken-link")
        self.hash = members["hash"]
        if hashlib.sha256(hashed.encode()).hexdigest() != self.hash:
            self.problem("wrong-hash")
        self.check_signature(members)
        self.check_start(members)
        action = members["action"]
        if action == "key_change":
            self.change_key(members)
        elif action == "pruned":
            self.pruned.append((members.get("segment"), members.get("last")))
        elif action == "recovered" and members.get("kind") in self.RECOVERED:
            self.problem("loss-recorded", detail=members["kind"])
        if action in ("gap", "damage", "recovered"):
            self.losses.append(self.seq)

    def check_signature(self, members):
        if "sig" in members:
            self.signatures += 1
            if self.key is not None and not self.is_signed(members, self.key):
                self.problem("signature-bad")
        elif needs_signature(members):
            self.problem("signature-missing")

    def is_signed(self, members, key):
        signature = decode_base64(members.get("sig", ""), 64)
        statement = "gatekeeper audit record 1\n%s\n" % members["hash"]
        return signature is not None and self.ed25519.verify(key, statement.encode(), signature)

    def check_start(self, members):
        starts = members["action"] in ("log_start", "segment")
        if self.file_lines > 1:
            good = not starts
        elif self.file == 1:
            good = members["action"] == "log_start" and members["seq"] == 1
        else:
            good = members["action"] == "segment" and members.get("segment") == self.file
            good = good and members.get("tree") == self.tree.text() and members["seq"] == self.tree.size + 1
        if good and starts:
            good = members.get("log") == self.log and self.key_text() == members.get("key")
        if not good:
            self.problem("segment-start-bad")

    def key_text(self):
        return base64.b64encode(self.key).decode() if self.key is not None else None

    def change_key(self, members):
        """Signed by the key before (as every entry), and by the new one over a statement that names both and the log."""
        texts = [members.get(name) for name in ("log", "keyBefore", "key", "keySig")]
        key = signature = None
        if all(type(text) is str for text in texts):
            key, signature = decode_base64(texts[2], 32), decode_base64(texts[3], 64)
        good = key is not None and signature is not None and texts[0] == self.log and texts[1] == self.key_text()
        good = good and key != self.key
        statement = "gatekeeper key change 1\n%s\n%s\n%s\n" % tuple(texts[:3])
        if not good or not self.ed25519.verify(key, statement.encode(), signature):
            return self.problem("key-change-bad")
        self.key = key
        self.keys.append(key)

    def torn(self):
        """There are bytes behind the last newline of the file."""
        self.problem("torn-tail", self.seq + 1)

    def compare_checkpoints(self):
        """Whether what was signed of the log when it had this size is true of it."""
        own = self.checkpoint
        if own is not None and own.size == self.tree.size and self.is_of_log(own):
            self.checkpoint_seen = True
            if not self.is_signed_note(own):
                self.problem("checkpoint-missing", detail="it is not signed by the key of the log")
            elif own.root != self.tree.root():
                self.problem("checkpoint-differs")
        for holder, note in self.notes.pop(self.tree.size, ()):
            if self.is_of_log(note) and self.is_signed_note(note) and note.root != self.tree.root():
                self.problem("forked", detail=holder)

    def is_of_log(self, note):
        return self.log is None or note.origin == "gatekeeper/%s" % self.log

    def is_signed_note(self, note):
        return self.key is None or note.is_signed_by(self.key, self.ed25519)

    def finish(self):
        """When all files have been read."""
        if self.lines > 0 and self.first_file > 1 and not any(map(self.is_pruned, self.pruned)):
            self.problems.insert(0, {"kind": "segment-missing", "line": 1, "seq": self.first_seq, "detail": "those before"})
        self.check_own_checkpoint()
        for holder, note in (each for held in self.notes.values() for each in held):
            if not self.is_signed_note(note):
                continue
            if not self.is_of_log(note):
                self.problem("log-replaced", detail="%s tells of %s" % (holder, note.origin))
            elif note.size > self.tree.size:
                self.problem("rolled-back", self.tree.size + 1, "%s tells of %d entries" % (holder, note.size))
        if self.keys and not any(map(self.is_pinned, self.keys)):
            self.problems.insert(0, {"kind": "key-unknown", "line": 1, "seq": self.first_seq})
        del self.problems[MOST_PROBLEMS:]
        return self.problems

    def is_pruned(self, pruned):
        segment, last = pruned
        if type(segment) is not int or type(last) is not int:
            return False
        return segment > self.first_file - 1 or (segment == self.first_file - 1 and last == self.first_seq - 1)

    def is_pinned(self, key):
        return self.pinned in (key, fingerprint(key))

    def check_own_checkpoint(self):
        note = self.checkpoint
        if note is None:
            if self.lines > 0 or self.checkpoint_file is not None:
                self.problem("checkpoint-missing")
        elif self.checkpoint_seen:
            return
        elif not self.is_signed_note(note):
            self.problem("checkpoint-missing", detail="it is not signed by the key of the log")
        elif not self.is_of_log(note):
            self.problem("checkpoint-differs", detail="it is that of %s" % note.origin)
        elif note.size > self.tree.size:
            detail = "the log ends at %d, the checkpoint tells of %d" % (self.tree.size, note.size)
            self.problem("tail-cut", self.tree.size + 1, detail)


SEGMENT = re.compile("[0-9]{6,}\\.jsonl")


def verify_log(directory, pinned, ed25519, notes=()):
    """The whole log of a directory. It may be written meanwhile: an unfinished line is looked at again before it counts as torn."""
    for attempt in range(4):
        verifier = verify_once(directory, pinned, ed25519, notes)
        if not any(problem["kind"] == "torn-tail" for problem in verifier.problems):
            break
        time.sleep(0.05)
    return verifier


def verify_once(directory, pinned, ed25519, notes):
    # The checkpoint first, and the files after it, so that the log is never behind it.
    verifier = LogVerifier(pinned, ed25519, read_if_there(os.path.join(directory, "checkpoint")), notes)
    for name in sorted(filter(SEGMENT.fullmatch, os.listdir(directory)), key=lambda name: int(name[:-6])):
        verifier.begin_file(int(name[:-6]))
        with open(os.path.join(directory, name), "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    verifier.line(line[:-1])
                else:
                    verifier.torn()
                if len(verifier.problems) >= MOST_PROBLEMS:
                    break
    verifier.finish()
    return verifier


def read_if_there(path):
    try:
        with open(path, "rb") as file:
            return file.read(Note.LONGEST * 4 + 1)
    except FileNotFoundError:
        return None


# ---------------------------------------------------------------- the command


def read_public_key(path):
    """First line: base64 of the 32 bytes."""
    with open(path, "rb") as file:
        key = decode_base64(file.readline().decode("ascii", "replace").rstrip("\n"), 32)
    if key is None:
        raise SystemExit("verify_log: %s: not a public key" % path)
    return key


def verdict(verifier):
    """As --json prints it."""
    return {
        "ok": not verifier.problems,
        "entries": verifier.lines,
        "signatures": verifier.signatures,
        "problems": verifier.problems,
        "losses": verifier.losses,
        "keys": [fingerprint(key) for key in verifier.keys],
        "checkpoint": verifier.checkpoint and verifier.checkpoint.size,
    }


def print_verdict(found):
    for problem in found["problems"]:
        detail = " (%s)" % ascii(problem["detail"])[1:-1] if "detail" in problem else ""
        kind = problem["kind"]
        print("entry %d (line %d): %s: %s%s" % (problem["seq"], problem["line"], kind, KINDS[kind], detail))
    checked = "%d entries and %d signatures checked" % (found["entries"], found["signatures"])
    print("%s: %s" % ("verified" if found["ok"] else "NOT verified", checked))
    if found["losses"]:
        print("the log itself tells of losses in entries: %s" % ", ".join(map(str, found["losses"][:20])))


def main():
    parser = argparse.ArgumentParser(description="Checks an audit log of gatekeeper without gatekeeper.")
    parser.add_argument("directory", nargs="?", help="of the log: 000001.jsonl, ..., checkpoint")
    trusted = parser.add_mutually_exclusive_group(required=True)
    trusted.add_argument("--fingerprint", help="of the key that is trusted: SHA256:...")
    trusted.add_argument("--public-key", metavar="FILE", help="the key that is trusted")
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[], help="kept elsewhere")
    parser.add_argument("--anchor", metavar="FILE", action="append", default=[], help="a holder's checkpoints")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pinned = options.fingerprint or read_public_key(options.public_key)
    try:
        ed25519 = open_ed25519()
        notes = [(path, note) for path in options.checkpoint + options.anchor for note in read_notes(open(path, "rb").read())]
        found = verdict(verify_log(options.directory, pinned, ed25519, notes))
    except (OSError, subprocess.CalledProcessError) as error:
        print("verify_log: %s" % error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found))
    else:
        print_verdict(found)
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
