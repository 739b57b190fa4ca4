import { afterAll } from 'vitest';
import { removeTemporaryDirectories } from './temporary-directory.ts';

// Set up for every file anew, also where files share modules: a hook of a module that is loaded once would be the first file's alone.
afterAll(removeTemporaryDirectories);
