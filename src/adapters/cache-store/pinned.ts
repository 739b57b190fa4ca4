/** A descriptor that names a place and asks for no permission on it (open(2)); Node has no constant for it. */
export const O_PATH = 0o10000000;

/** The name of what lies in a directory that is held, up to the name itself; the directory as well. */
export const throughDescriptor = (fd: number): Buffer => Buffer.from(`/proc/self/fd/${fd}/`);
