"""A file server that stops answering: stalled_fs.py MOUNTPOINT. Root. The name "here" is a file, every other lookup is never answered.
Prints "ready", and one line for each lookup that it leaves waiting. Ends (and with it every waiting call) when its input does."""
import ctypes, os, struct, sys, threading

INIT, GETATTR, LOOKUP, STATFS, OPEN, OPENDIR, ACCESS, INTERRUPT, FORGET, BATCH_FORGET, DESTROY = 26, 3, 1, 17, 14, 27, 34, 36, 2, 42, 38
PARALLEL_LOOKUPS = 1 << 18  # FUSE_PARALLEL_DIROPS
REQUEST = struct.Struct("<IIQQIIII")  # struct fuse_in_header


def attributes(inode, mode):
    # struct fuse_attr
    return struct.pack("<QQQQQQIIIIIIIIII", inode, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(device, unique, error=0, body=b""):
    os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


def serve(device):
    print("ready", flush=True)
    while True:
        request = os.read(device, 1 << 17)
        length, opcode, unique, node, _, _, _, _ = REQUEST.unpack_from(request)
        body = request[REQUEST.size : length]
        if opcode == INIT:
            major, minor, readahead, flags = struct.unpack_from("<IIII", body)
            answer(device, unique, 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, readahead, PARALLEL_LOOKUPS, 12, 9, 4096, 1, 1, 0, 0))
        elif opcode == GETATTR:
            answer(device, unique, 0, struct.pack("<QII", 3600, 0, 0) + attributes(node, 0o40755 if node == 1 else 0o100644))
        elif opcode == LOOKUP and body.rstrip(b"\0") == b"here":
            answer(device, unique, 0, struct.pack("<QQQQII", 2, 0, 3600, 3600, 0, 0) + attributes(2, 0o100644))
        elif opcode == LOOKUP:
            print("waits", flush=True)
        elif opcode == STATFS:
            answer(device, unique, 0, struct.pack("<QQQQQIIII24x", 1, 0, 0, 1, 0, 4096, 255, 4096, 0))
        elif opcode in (OPEN, OPENDIR):
            answer(device, unique, 0, struct.pack("<QII", 1, 0, 0))
        elif opcode not in (FORGET, BATCH_FORGET, INTERRUPT, DESTROY):
            answer(device, unique, 38)


def end_with_input(mountpoint):
    sys.stdin.read()
    ctypes.CDLL(None).umount2(mountpoint, 2)
    os._exit(0)  # closes the device, which fails whatever waits


def main():
    mountpoint = sys.argv[1].encode()
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40755,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"stalled", mountpoint, b"fuse", 6, options) != 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    threading.Thread(target=end_with_input, args=(mountpoint,), daemon=True).start()
    serve(device)


main()
